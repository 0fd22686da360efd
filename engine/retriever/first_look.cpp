#include "engine/retriever/first_look.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "engine/retriever/cursor.hpp"
#include "engine/runtime/log.hpp"

namespace retriever {

namespace {

constexpr std::chrono::sys_days before_all_mail{std::chrono::year(1970) / 1 / 1};

Ended broken(error_code error, const imap::Client& client) { return ended_by(error, client.bye()); }

}  // namespace

awaitable<std::optional<Ended>> FirstLook::take(imap::Client& client) {
    auto first = co_await is_first();
    if (!first) co_return store_ended(first.error());
    if (!*first) co_return std::nullopt;
    auto opened = co_await client.open(facts_.folder, imap::Client::Access::read_only);
    if (!opened) co_return broken(opened.error(), client);
    if (!opened->answer.ok()) {
        hear(opened->answer);
        co_return std::move(hindered_);
    }
    store::FirstContact contact;
    contact.at = std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall());
    contact.mails = opened->selected.exists;
    if (contact.mails > 0) {
        auto day = co_await oldest(client);
        if (!day) co_return broken(day.error(), client);
        if (*day) contact.oldest = store::Millis(**day);
    }
    if (facts_.start.from == config::Start::From::fresh) contact.passed_over = contact.mails;
    if (facts_.start.from == config::Start::From::date && contact.mails > 0) {
        auto before = co_await count(client, "BEFORE " + imap_date(facts_.start.date));
        if (!before) co_return broken(before.error(), client);
        contact.passed_over = before->value_or(0);
    }
    if (hindered_) co_return std::move(hindered_);
    spdlog::info("mailbox={} folder={} first contact: mails={} oldest={} passed_over={}", facts_.mailbox_id,
                 runtime::value(facts_.folder), contact.mails,
                 contact.oldest ? fmt::format("{:%Y-%m-%d}", *contact.oldest) : "none", contact.passed_over);
    auto note = [mailbox = facts_.mailbox, name = facts_.folder,
                 contact](store::Workbench bench) mutable -> Result<void> {
        const auto folder = bench.store.folder(mailbox, name);
        if (!folder) return folder.error();
        contact.folder = folder->number;
        return bench.store.folder_notes().put_first_contact(contact);
    };
    auto noted = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!noted) co_return store_ended(noted.error());
    co_return std::nullopt;
}

awaitable<Result<bool>> FirstLook::is_first() {
    auto look_up = [mailbox = facts_.mailbox, name = facts_.folder](store::Workbench bench) -> Result<store::Folder> {
        return bench.store.folder(mailbox, name);
    };
    auto folder = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!folder) co_return Result<bool>(boost::system::in_place_error, folder.error());
    co_return Result<bool>(boost::system::in_place_value, folder->uid_validity == 0);
}

/// The first day on which something has arrived, by halving: few and short answers, whatever the folder's size.
awaitable<Result<std::optional<std::chrono::sys_days>>> FirstLook::oldest(imap::Client& client) {
    auto none_before = before_all_mail;
    auto some_before = std::chrono::floor<std::chrono::days>(house_.clock.wall()) + std::chrono::days(3);
    while (some_before - none_before > std::chrono::days(1)) {
        const auto middle = none_before + (some_before - none_before) / 2;
        auto found = co_await count(client, "BEFORE " + imap_date(middle));
        if (!found) co_return found.error();
        if (!*found) co_return std::optional<std::chrono::sys_days>();
        (**found == 0 ? none_before : some_before) = middle;
    }
    co_return std::optional(none_before);
}

/// A refusal concerns this look alone, and whoever fetches says why, unless its words say that it concerns the session.
void FirstLook::hear(const imap::Answer& refusal) {
    auto ended = ended_by(refusal, Ended::How::folder, fmt::format("looking into folder {}", facts_.folder));
    if (ended.how != Ended::How::folder) hindered_ = std::move(ended);
}

/// nullopt: the server does not say.
awaitable<Result<std::optional<std::uint64_t>>> FirstLook::count(imap::Client& client, std::string criteria) {
    auto found = co_await client.search(std::move(criteria));
    if (!found) co_return found.error();
    if (!found->answer.ok()) {
        hear(found->answer);
        co_return std::optional<std::uint64_t>();
    }
    co_return std::optional(found->uids.count());
}

Ended FirstLook::store_ended(error_code error) const {
    Ended ended;
    ended.how = Ended::How::store;
    ended.reason =
        fmt::format("the store could not note the first contact with {}: {}", facts_.mailbox_id, error.message());
    return ended;
}

}  // namespace retriever

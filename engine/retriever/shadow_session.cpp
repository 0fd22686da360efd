#include "engine/retriever/shadow_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/retriever/shadow_judgement.hpp"
#include "engine/runtime/log.hpp"
#include "protocols/imap/folder_choice.hpp"

namespace retriever {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::hours tidied_each{24};
constexpr std::size_t forgotten_at_once = 5000;

}  // namespace

awaitable<Ended> ShadowSession::stay(imap::Client& client) {
    Stay stay;
    bool announced = true;  // whatever the first look finds is no surprise
    for (;;) {
        const bool whole = whole_is_due(stay);
        auto hindered = std::optional<Ended>();
        stay.arrived = 0;
        if (whole)
            hindered = co_await look_whole(client, stay);
        else
            hindered = co_await look_for_news(client, stay);
        if (hindered) co_return std::move(*hindered);
        if (told_to_stop()) break;
        if (!announced && stay.arrived > 0 && client.can("IDLE") && !idle_lies_) {
            idle_lies_ = true;
            spdlog::warn("mailbox={} id=idle-silent news came without a notification; polling every {} s from now on",
                         mailbox_->id, house_.options.poll_interval.count() / 1000);
        }
        sum_up(stay);
        note_proof();
        state_.caught_up = true;
        auto woken = co_await wait_for_news(client, longest_wait(client, stay));
        seat().work();
        if (woken.ended) co_return std::move(*woken.ended);
        if (told_to_stop()) break;
        if (take_asked()) stay.looked_whole.reset();
        announced = woken.by != imap::Client::Woken::time;
    }
    auto ended = co_await take_leave(client);
    co_return ended;
}

/// Once a day: what is older than anybody asks for is forgotten.
awaitable<std::optional<Ended>> ShadowSession::tidy(Stay& stay) {
    if (tidied_ && *tidied_ + tidied_each > now()) co_return std::nullopt;
    auto forget = [mailbox = state_.number, before = now() - shadow_kept](store::Workbench bench) {
        return bench.store.shadows().forget(mailbox, before, forgotten_at_once);
    };
    auto forgotten = co_await house_.committer.run(house_.inbox, std::move(forget));
    if (!forgotten) {
        Ended ended;
        ended.how = Ended::How::store;
        ended.reason = fmt::format("what is old could not be forgotten: {}", forgotten.error().message());
        co_return ended;
    }
    if (*forgotten > 0)
        for (auto& folder : stay.folders) folder.read_again();
    if (*forgotten < forgotten_at_once) tidied_ = now();  // or else the next whole look goes on
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> ShadowSession::find_folders(imap::Client& client, Stay& stay) {
    std::vector<std::string> names;
    std::string but_none;
    auto unfound = co_await find_names(client, std::move(but_none), names);
    if (unfound) co_return unfound;
    for (auto folder = stay.folders.begin(); folder != stay.folders.end();) {
        const bool stays = std::find(names.begin(), names.end(), folder->name()) != names.end();
        if (!stays) looked_.erase(folder->name());
        if (!stays && stay.opened == &*folder) stay.opened = nullptr;
        folder = stays ? std::next(folder) : stay.folders.erase(folder);
    }
    for (const auto& name : names) {
        const bool known = std::any_of(stay.folders.begin(), stay.folders.end(),
                                       [&name](const FolderShadow& folder) { return folder.name() == name; });
        if (known) continue;
        FolderShadow::Facts facts{mailbox_->id, state_.number, name, mailbox_->start, *mailbox_->shadow};
        stay.folders.emplace_back(std::move(facts), intake_house(), house_.options.fetch);
    }
    co_return std::nullopt;
}

/// Every folder, opened anew: a view that has stalled shows nothing. The first one stays open.
awaitable<std::optional<Ended>> ShadowSession::look_whole(imap::Client& client, Stay& stay) {
    auto hindered = co_await tidy(stay);
    if (!hindered) hindered = co_await find_folders(client, stay);
    if (hindered) co_return hindered;
    stay.opened = nullptr;
    std::optional<Ended> closed;
    for (auto folder = stay.folders.rbegin(); folder != stay.folders.rend(); ++folder) {
        if (told_to_stop()) co_return std::nullopt;
        hindered = co_await look(client, stay, *folder, FolderShadow::Depth::whole);
        const bool others_go_on = hindered && hindered->how == Ended::How::folder && stay.folders.size() > 1;
        if (hindered && !others_go_on) co_return hindered;
        if (hindered) closed = std::move(hindered);
    }
    if (closed) co_return closed;
    stay.looked_whole = house_.seams.timers.now();
    co_return std::nullopt;
}

/// The folder that is waited in, and those in which a mail's time is over: these are opened anew, as only a view that
/// is fresh can say that nobody took it.
awaitable<std::optional<Ended>> ShadowSession::look_for_news(imap::Client& client, Stay& stay) {
    for (auto folder = stay.folders.rbegin(); folder != stay.folders.rend(); ++folder) {
        const bool waited_in = &*folder == &stay.folders.front();
        const bool due = folder->is_due(now());
        if (!waited_in && !due) continue;
        if (told_to_stop()) break;
        if (due) stay.opened = nullptr;
        const auto depth = due ? FolderShadow::Depth::whole : FolderShadow::Depth::news;
        auto hindered = co_await look(client, stay, *folder, depth);
        if (hindered) co_return hindered;
    }
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> ShadowSession::look(imap::Client& client, Stay& stay, FolderShadow& folder,
                                                    FolderShadow::Depth depth) {
    enter(Phase::fetching);
    if (stay.opened != &folder) {
        stay.opened = nullptr;
        auto hindered = co_await folder.open(client);
        if (hindered) co_return hindered;
        stay.opened = &folder;
    }
    auto looked = co_await folder.look(client, depth, leaving());
    if (&folder == &stay.folders.front()) stay.arrived += looked.arrived;
    if (looked.arrived + looked.taken > 0) {
        note_news();
        spdlog::info("mailbox={} folder={} observed: arrived={} taken={} missed={}", mailbox_->id,
                     runtime::value(folder.name()), looked.arrived, looked.taken, looked.missed);
    }
    if (looked.ended || told_to_stop()) co_return std::move(looked.ended);
    auto& before = looked_[folder.name()];
    if (looked.missed > before.missed) {
        spdlog::warn("mailbox={} folder={} id=shadow-missed missed={} before={} rohrpost mailbox shadow {} tells which",
                     mailbox_->id, runtime::value(folder.name()), looked.missed, before.missed, mailbox_->id);
    }
    before = std::move(looked);
    co_return std::nullopt;
}

/// What all folders together have come to.
void ShadowSession::sum_up(Stay& stay) {
    std::uint64_t missed = 0;
    stay.next_due.reset();
    for (const auto& [name, looked] : looked_) {
        missed += looked.missed;
        if (looked.next_due) stay.next_due = std::min(stay.next_due.value_or(*looked.next_due), *looked.next_due);
    }
    if (mailbox_->shadow->taken != config::Shadow::Taken::list) state_.shadow_missed = missed;
}

/// IDLE tells of one folder, and never of new ones.
std::chrono::milliseconds ShadowSession::renewal(const Stay& stay) const {
    const auto& wanted = mailbox_->folders;
    const bool often =
        idle_lies_ || stay.folders.size() > 1 || std::any_of(wanted.begin(), wanted.end(), imap::is_looked_up);
    return often ? std::min(house_.options.poll_interval, house_.options.idle_renew) : house_.options.idle_renew;
}

bool ShadowSession::whole_is_due(const Stay& stay) const {
    return !stay.looked_whole || house_.seams.timers.now() - *stay.looked_whole >= renewal(stay);
}

std::chrono::milliseconds ShadowSession::longest_wait(const imap::Client& client, const Stay& stay) const {
    const auto most = client.can("IDLE") ? renewal(stay) : house_.options.poll_interval;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*stay.looked_whole + most - house_.seams.timers.now());
    return span_until(stay.next_due, std::max<std::chrono::milliseconds>(left, 1s));
}

}  // namespace retriever

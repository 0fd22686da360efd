// FolderIntake: what is known of a folder without having been fetched under its UIDs: mail from before the first
// contact, and mail whose UIDVALIDITY has changed.

#include <fmt/format.h>

#include <algorithm>

#include "engine/retriever/folder_intake.hpp"
#include "engine/retriever/recognition.hpp"
#include "engine/runtime/log.hpp"

namespace retriever {

namespace {

using Stage = store::Renumbering::Stage;

constexpr std::size_t gathered_at_once = 32'768;  // messages; other mailboxes' mail waits meanwhile
constexpr std::uint64_t heads_for_each_body = 4;  // asked for by one command

store::Millis now_of(const Clock& clock) {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(clock.wall());
}

imap::UidSet set_of(const std::vector<store::UidSpan>& spans) {
    std::vector<imap::UidRange> ranges;
    ranges.reserve(spans.size());
    for (const auto& span : spans) ranges.push_back({span.first, span.last});
    return imap::UidSet::of(std::move(ranges));
}

/// What is known of a folder beside its ledger rows.
struct Contact {
    std::vector<store::UidSpan> passed;
    std::optional<store::Renumbering> renumbering;
};

/// A folder that an older version adopted: what was there before its first message was there before the contact.
Result<void> note_old_contact(store::Store& store, const store::Folder& folder, const config::Start& start,
                              store::Millis now) {
    auto& accounting = store.accounting();
    const bool fresh = start.from == config::Start::From::fresh;
    auto from = wanted_from(start, now);
    auto last = fresh ? folder.cursor : 0;
    if (start.from == config::Start::From::all) return accounting.put_wanted_from(folder.number, from);
    auto known = store.known_uids(folder.number, folder.uid_validity, 0, 1);
    if (!known) return known.error();
    const auto first =
        std::min_element(known->begin(), known->end(), [](const auto& a, const auto& b) { return a.uid < b.uid; });
    if (first != known->end()) {
        const auto row = store.messages(folder.mailbox, first->seq - 1, 1);
        if (!row) return row.error();
        if (!row->empty() && fresh) from = row->front().received_at;
        last = first->uid - 1;
    }
    if (last > 0) {
        const auto passed = accounting.pass_over(folder.number, folder.uid_validity, {1, last});
        if (!passed) return passed;
    }
    return accounting.put_wanted_from(folder.number, from);
}

}  // namespace

/// Notes the first contact, or looks up what is known since.
awaitable<std::optional<Ended>> FolderIntake::look_up_contact(FolderPlan::Act act) {
    if (act == FolderPlan::Act::renumber) {
        auto hindered = co_await renumber();
        co_return hindered;
    }
    auto work = [folder = folder_, act, start = facts_.start, now = now_of(house_.clock), validity = uid_validity_,
                 cursor = cursor_](store::Workbench bench) mutable -> Result<Contact> {
        auto& accounting = bench.store.accounting();
        Result<void> step;
        if (act == FolderPlan::Act::adopt) {
            step = accounting.put_wanted_from(folder.number, wanted_from(start, now));
            if (step && cursor > 0) step = accounting.pass_over(folder.number, validity, {1, cursor});
        } else {
            const auto noted = accounting.wanted_from(folder.number);
            if (!noted) return noted.error();
            if (!*noted) step = note_old_contact(bench.store, folder, start, now);
        }
        if (!step) return step.error();
        Contact contact;
        auto passed = accounting.passed_over(folder.number, validity);
        if (!passed) return passed.error();
        contact.passed = std::move(*passed);
        const auto renumbering = accounting.renumbering(folder.number);
        if (!renumbering) return renumbering.error();
        contact.renumbering = *renumbering;
        return contact;
    };
    auto contact = co_await house_.committer.run(house_.inbox, std::move(work));
    if (!contact) co_return store_ended(contact.error());
    passed_ = set_of(contact->passed);
    renumbered_ = contact->renumbering.has_value();
    if (renumbered_ && contact->renumbering->stage != Stage::over) renumbering_ = contact->renumbering;
    // The first search by date may not have come to its end.
    const bool none_looked_at = cursor_ == 0 && passed_.empty() && !recognises();
    if (none_looked_at && facts_.start.from == config::Start::From::date) since_ = imap_date(facts_.start.date);
    auto hindered = co_await gather();
    co_return hindered;
}

/// A search by date has told what is wanted of what is there: the rest is not, durably, before the cursor passes it.
awaitable<std::optional<Ended>> FolderIntake::pass_over(imap::UidSet wanted) {
    if (uid_next_ <= static_cast<std::uint64_t>(cursor_) + 1) co_return std::nullopt;
    imap::UidSet there;
    there.add({cursor_ + 1, static_cast<imap::Uid>(uid_next_ - 1)});
    auto passed = without(there, wanted);
    passed_.add(passed);
    auto work = [folder = folder_.number, validity = uid_validity_, passed](store::Workbench bench) -> Result<void> {
        for (const auto& range : passed.ranges()) {
            const auto step = bench.store.accounting().pass_over(folder, validity, {range.first, range.last});
            if (!step) return step;
        }
        return {};
    };
    auto noted = co_await house_.committer.run(house_.inbox, std::move(work));
    if (!noted) co_return store_ended(noted.error());
    co_return std::nullopt;
}

/// UIDVALIDITY has changed: from here on the cursor counts the new UIDs, and nothing is known under them.
awaitable<std::optional<Ended>> FolderIntake::renumber() {
    store::Renumbering begun;
    begun.folder = folder_.number;
    begun.began = now_of(house_.clock);
    begun.before = folder_.uid_validity;
    begun.now = uid_validity_;
    auto work = [folder = folder_, begun,
                 start = facts_.start](store::Workbench bench) -> Result<std::optional<store::Renumbering>> {
        auto& accounting = bench.store.accounting();
        const auto often = accounting.renumberings(folder.number, begun.began - renumberings_within);
        if (!often) return often.error();
        if (*often >= renumberings_max) return std::optional<store::Renumbering>();
        const auto noted = accounting.wanted_from(folder.number);
        if (!noted) return noted.error();
        Result<void> step;
        if (!*noted) step = note_old_contact(bench.store, folder, start, begun.began);
        if (step) step = bench.store.renumber_folder(folder.number, begun.now);
        if (step) step = accounting.put_renumbering(begun);
        if (!step) return step.error();
        return std::optional(begun);
    };
    auto begins = co_await house_.committer.run(house_.inbox, std::move(work));
    if (!begins) co_return store_ended(begins.error());
    if (!*begins) {
        auto frozen = co_await freeze(renumbered_too_often(begun.before, begun.now));
        co_return frozen;
    }
    folder_.uid_validity = uid_validity_;
    folder_.cursor = 0;
    folder_.frozen.clear();
    renumbering_ = begun;
    renumbered_ = true;
    spdlog::warn("mailbox={} folder={} id=uidvalidity-changed from={} to={} every message is compared with the ledger",
                 facts_.mailbox_id, runtime::value(facts_.folder), begun.before, begun.now);
    auto hindered = co_await gather();
    co_return hindered;
}

/// What the ledger has of the folder becomes recognisable.
awaitable<std::optional<Ended>> FolderIntake::gather() {
    while (recognises() && renumbering_->stage == Stage::gathering) {
        auto work = [what = *renumbering_,
                     mailbox = facts_.mailbox](store::Workbench bench) mutable -> Result<store::Renumbering> {
            const auto step = bench.store.accounting().gather(what, mailbox, gathered_at_once);
            if (!step) return step.error();
            return what;
        };
        auto gathered = co_await house_.committer.run(house_.inbox, std::move(work));
        if (!gathered) co_return store_ended(gathered.error());
        renumbering_ = *gathered;
    }
    co_return std::nullopt;
}

/// Of a slice above the cursor, fetches what the ledger does not have under another UID.
awaitable<std::optional<Ended>> FolderIntake::take_compared(imap::Client& client, Intake& intake, imap::UidSet slice) {
    if (!recognises()) {
        auto ended = co_await take_unknown(client, intake, std::move(slice));
        co_return ended;
    }
    const auto top = slice.ranges().back().last;
    auto ended = co_await recognise(client, intake, slice);
    if (ended || slice.empty()) co_return ended;
    ended = co_await take_slice(client, intake, std::move(slice));
    if (ended) co_return ended;
    Unresolved nothing;
    ended = co_await account(intake, std::move(nothing), top);
    co_return ended;
}

/// Takes what is accounted for out of the slice, by its heads alone; one durable step says so. What gave no head is
/// left in it: fetching tells.
awaitable<std::optional<Ended>> FolderIntake::recognise(imap::Client& client, Intake& intake, imap::UidSet& slice) {
    HeadPage page(folder_.number, uid_validity_);
    auto plan = plan_;
    plan.batch_uids *= heads_for_each_body;
    imap::UidSet wanted = slice;
    auto fetch = co_await client.fetch_heads(std::move(wanted), plan, page);
    if (!fetch) {
        auto ended = co_await fetch_ended(client, intake, fetch.error(), slice);
        co_return ended;
    }
    for (const auto& refusal : fetch->refusals) {
        auto ended = ended_by(refusal, Ended::How::connection, fmt::format("UID FETCH in {}", facts_.folder));
        if (ended.how != Ended::How::connection) co_return ended;
    }
    auto settled = co_await intake.settle();
    if (!settled) co_return store_ended(settled.error());
    auto work = [newcomers = page.take(), slice, folder = folder_.number, validity = uid_validity_,
                 mailbox = facts_.mailbox](store::Workbench bench) -> Result<imap::UidSet> {
        std::vector<imap::UidRange> accounted;
        for (const auto& newcomer : newcomers) {
            const auto standing = standing_of(bench.store, newcomer, mailbox, std::nullopt);
            if (!standing) return standing.error();
            if (*standing == Standing::fresh || *standing == Standing::doubtful) continue;
            accounted.push_back({newcomer.uid, newcomer.uid});
        }
        auto left = without(slice, imap::UidSet::of(std::move(accounted)));
        const auto through = left.empty() ? slice.ranges().back().last : left.ranges().front().first - 1;
        const auto moved = bench.store.move_cursor(folder, validity, through);
        if (!moved) return moved.error();
        return left;
    };
    auto left = co_await house_.committer.run(house_.inbox, std::move(work));
    if (!left) co_return store_ended(left.error());
    intake.accounted(left->empty() ? slice.ranges().back().last : left->ranges().front().first - 1);
    slice = std::move(*left);
    co_return std::nullopt;
}

/// All that is there was compared: says what came of it, once.
awaitable<std::optional<Ended>> FolderIntake::conclude() {
    if (!recognises() || renumbering_->stage != Stage::comparing) co_return std::nullopt;
    auto work = [what = *renumbering_](store::Workbench bench) mutable -> Result<store::Renumbering> {
        const auto step = bench.store.accounting().conclude(what);
        if (!step) return step.error();
        return what;
    };
    auto concluded = co_await house_.committer.run(house_.inbox, std::move(work));
    if (!concluded) co_return store_ended(concluded.error());
    renumbering_ = *concluded;
    const auto& what = *renumbering_;
    spdlog::warn("mailbox={} folder={} id=uidvalidity-changed {}", facts_.mailbox_id, runtime::value(facts_.folder),
                 outcome_of(what));
    co_return std::nullopt;
}

/// Long after the change nothing of what the ledger has shows up any more, unless it is still to come.
awaitable<std::optional<Ended>> FolderIntake::stop_recognising(const imap::UidSet& again) {
    const bool over = recognises() && renumbering_->stage == Stage::compared && again.empty() && awaited_.empty() &&
                      renumbering_->began + recognised_for <= now_of(house_.clock);
    if (!over) co_return std::nullopt;
    auto work = [what = *renumbering_](store::Workbench bench) mutable {
        what.stage = Stage::over;
        return bench.store.accounting().put_renumbering(what);
    };
    auto noted = co_await house_.committer.run(house_.inbox, std::move(work));
    if (!noted) co_return store_ended(noted.error());
    renumbering_.reset();
    co_return std::nullopt;
}

}  // namespace retriever

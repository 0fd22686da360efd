// FolderIntake: mail that another folder of the mailbox has shown already, as Gmail shows it under each of its labels.

#include <fmt/format.h>

#include "engine/retriever/email_ids.hpp"
#include "engine/retriever/folder_intake.hpp"

namespace retriever {

/// Of a slice, fetches what the ledger does not have from another folder.
awaitable<std::optional<Ended>> FolderIntake::take_unknown(imap::Client& client, Intake& intake, imap::UidSet slice) {
    const auto top = slice.ranges().back().last;
    const auto asked = slice.count();
    if (facts_.has_siblings && client.may_tell_email_ids()) {
        auto ended = co_await leave_copies(client, intake, slice);
        if (ended || slice.empty()) co_return ended;
    }
    const bool is_whole = slice.count() == asked;
    auto ended = co_await take_slice(client, intake, std::move(slice));
    if (ended || is_whole) co_return ended;
    Unresolved nothing;
    ended = co_await account(intake, std::move(nothing), top);
    co_return ended;
}

/// Takes what is known by its email id out of the slice: it has this UID, too, from now on, and its body stays where it
/// is. Where the server refuses, or says nothing, fetching tells.
awaitable<std::optional<Ended>> FolderIntake::leave_copies(imap::Client& client, Intake& intake, imap::UidSet& slice) {
    EmailIdPage page;
    auto plan = plan_;
    plan.batch_uids = slice.count();
    imap::UidSet wanted = slice;
    auto fetch = co_await client.fetch_email_ids(std::move(wanted), plan, page);
    if (!fetch) {
        auto ended = co_await fetch_ended(client, intake, fetch.error(), slice);
        co_return ended;
    }
    for (const auto& refusal : fetch->refusals) {
        auto ended = ended_by(refusal, Ended::How::connection, fmt::format("UID FETCH in {}", facts_.folder));
        if (ended.how != Ended::How::connection) co_return ended;
    }
    auto labelled = page.take();
    if (labelled.empty()) co_return std::nullopt;
    auto settled = co_await intake.settle();
    if (!settled) co_return store_ended(settled.error());
    auto work = [labelled = std::move(labelled), slice, folder = folder_.number, validity = uid_validity_,
                 mailbox = facts_.mailbox](store::Workbench bench) -> Result<imap::UidSet> {
        std::vector<imap::UidRange> copies;
        for (const auto& mail : labelled) {
            const auto original = original_of(bench.store, mailbox, mail);
            if (!original) return original.error();
            if (*original == 0) continue;
            const auto placed = bench.store.add_place(folder, validity, mail.uid, *original);
            if (!placed) return placed.error();
            copies.push_back({mail.uid, mail.uid});
        }
        auto left = without(slice, imap::UidSet::of(std::move(copies)));
        const auto through = left.empty() ? slice.ranges().back().last : left.ranges().front().first - 1;
        const auto moved = bench.store.move_cursor(folder, validity, through);
        if (!moved) return moved.error();
        return left;
    };
    auto left = co_await house_.committer.run(house_.inbox, std::move(work));
    if (!left) co_return store_ended(left.error());
    const auto copies = slice.count() - left->count();
    known_elsewhere_ += copies;
    house_.counters.messages_known_before.fetch_add(copies, std::memory_order_relaxed);
    intake.accounted(left->empty() ? slice.ranges().back().last : left->ranges().front().first - 1);
    slice = std::move(*left);
    co_return std::nullopt;
}

}  // namespace retriever

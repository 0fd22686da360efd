#include "engine/retriever/backfill.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <utility>

#include "engine/retriever/cursor.hpp"
#include "engine/runtime/log.hpp"

namespace retriever {

namespace {

constexpr std::uint64_t slice_uids = 200;
constexpr std::uint64_t lookup_uids = 2000;  // by one job

}  // namespace

awaitable<Result<bool>> Backfilling::asked_for() {
    auto look_up = [mailbox = facts_.mailbox,
                    name = facts_.folder](store::Workbench bench) -> Result<std::optional<store::Backfill>> {
        const auto folder = bench.store.folder(mailbox, name);
        if (!folder) return folder.error();
        return bench.store.folder_notes().backfill(folder->number);
    };
    auto found = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!found) co_return Result<bool>(boost::system::in_place_error, found.error());
    const bool running = *found && (*found)->state == store::Backfill::State::running;
    if (running) {
        const bool another = backfill_.asked_at != (*found)->asked_at;
        backfill_ = **found;
        if (another) left_.reset();
    }
    co_return Result<bool>(boost::system::in_place_value, running);
}

awaitable<Backfilling::Slice> Backfilling::take(imap::Client& client, FolderIntake& intake, const bool& stop) {
    Slice slice;
    auto asked = co_await asked_for();
    if (!asked) {
        slice.ended = store_ended(asked.error());
        co_return slice;
    }
    if (!*asked) co_return slice;
    if (!left_ || backfill_.uid_validity != intake.uid_validity()) {
        slice.ended = co_await begin(client, intake);
        if (slice.ended) co_return slice;
    }
    if (!left_) co_return slice;
    auto some = left_->take_front(slice_uids, std::string::npos);
    const auto top = some.empty() ? backfill_.uid : some.ranges().back().last;
    auto wanted = co_await unknown(std::move(some));
    if (!wanted) {
        slice.ended = store_ended(wanted.error());
        co_return slice;
    }
    const auto count = wanted->count();
    if (count > 0) {
        auto taken = co_await intake.take_older(client, std::move(*wanted), stop);
        slice.stored = taken.stored;
        if (taken.ended) {
            slice.ended = std::move(taken.ended);
            co_return slice;
        }
    }
    backfill_.uid = top;
    backfill_.taken += count;
    if (left_->empty()) backfill_.state = store::Backfill::State::done;
    auto kept = co_await keep();
    if (!kept) {
        slice.ended = store_ended(kept.error());
        co_return slice;
    }
    const bool ours = *kept == Which::this_one;
    slice.running = ours && !left_->empty();
    if (left_->empty() || !ours) {
        spdlog::info("mailbox={} folder={} backfill from={:%Y-%m-%d} {} taken={} found={}", facts_.mailbox_id,
                     runtime::value(facts_.folder), backfill_.from, ours ? "done" : "is over", backfill_.taken,
                     backfill_.found);
        left_.reset();
    }
    co_return slice;
}

/// What there is to fetch: from the day on, up to what the intake has accounted for, without what the ledger has.
awaitable<std::optional<Ended>> Backfilling::begin(imap::Client& client, const FolderIntake& intake) {
    if (backfill_.uid_validity != intake.uid_validity()) {
        backfill_.uid_validity = intake.uid_validity();
        backfill_.uid = 0;
        backfill_.taken = 0;
    }
    imap::UidSet unlooked;
    if (intake.cursor() > backfill_.uid) {
        const auto day = std::chrono::floor<std::chrono::days>(backfill_.from);
        auto found = co_await client.search(
            fmt::format("SINCE {} UID {}:{}", imap_date(day), backfill_.uid + 1, intake.cursor()));
        if (!found) co_return ended_by(found.error(), client.bye());
        if (!found->answer.ok())
            co_return ended_by(found->answer, Ended::How::connection, fmt::format("UID SEARCH in {}", facts_.folder));
        for (const auto& range : found->uids.ranges()) {
            const auto first = std::max(range.first, backfill_.uid + 1);
            const auto last = std::min(range.last, intake.cursor());
            if (first <= last) unlooked.add(imap::UidRange{first, last});
        }
    }
    imap::UidSet all = unlooked;
    std::uint64_t missing = 0;
    while (!all.empty()) {
        auto some = all.take_front(lookup_uids, std::string::npos);
        auto wanted = co_await unknown(std::move(some));
        if (!wanted) co_return store_ended(wanted.error());
        missing += wanted->count();
    }
    backfill_.found = backfill_.taken + missing;
    left_ = std::move(unlooked);
    spdlog::info("mailbox={} folder={} backfill from={:%Y-%m-%d} begins at uid={} with {} mails to fetch",
                 facts_.mailbox_id, runtime::value(facts_.folder), backfill_.from, backfill_.uid + 1, missing);
    auto kept = co_await keep();
    if (!kept) co_return store_ended(kept.error());
    if (*kept == Which::another) left_.reset();
    co_return std::nullopt;
}

awaitable<Result<imap::UidSet>> Backfilling::unknown(imap::UidSet uids) {
    auto look_up = [folder = backfill_.folder, validity = backfill_.uid_validity,
                    uids = std::move(uids)](store::Workbench bench) -> Result<imap::UidSet> {
        imap::UidSet missing;
        for (const auto& range : uids.ranges()) {
            for (auto uid = range.first;; ++uid) {
                const auto known = bench.store.knows(folder, validity, uid);
                if (!known) return known.error();
                if (!*known) missing.add(uid);
                if (uid == range.last) break;
            }
        }
        return missing;
    };
    auto missing = co_await house_.committer.run(house_.inbox, std::move(look_up));
    co_return missing;
}

awaitable<Result<Backfilling::Which>> Backfilling::keep() {
    backfill_.changed_at = std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall());
    auto note = [backfill = backfill_](store::Workbench bench) -> Result<Which> {
        const auto now = bench.store.folder_notes().backfill(backfill.folder);
        if (!now) return now.error();
        const bool running = *now && (*now)->state == store::Backfill::State::running;
        if (!running || (*now)->asked_at != backfill.asked_at) return Which::another;
        const auto put = bench.store.folder_notes().put_backfill(backfill);
        if (!put) return put.error();
        return Which::this_one;
    };
    auto kept = co_await house_.committer.run(house_.inbox, std::move(note));
    co_return kept;
}

Ended Backfilling::store_ended(error_code error) const {
    Ended ended;
    ended.how = Ended::How::store;
    ended.reason = fmt::format("the store could not keep older mail of {}: {}", facts_.mailbox_id, error.message());
    return ended;
}

}  // namespace retriever

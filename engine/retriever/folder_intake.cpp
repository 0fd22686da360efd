#include "engine/retriever/folder_intake.hpp"

#include <fmt/format.h>

#include "engine/runtime/log.hpp"
#include "protocols/imap/errc.hpp"

namespace retriever {

namespace {

constexpr std::uint64_t slice_uids = 1024;  // a drain waits for one slice at most
constexpr std::uint64_t search_uids = 500;  // UIDs looked up by one command
constexpr std::size_t search_bytes = 6000;

constexpr const char* not_shown = "the server does not show it";

Ended broken(error_code error, const imap::Client& client) { return ended_by(error, client.bye()); }

/// The first refusal's words, as the reason why UIDs stay pending.
std::string reason_of(const imap::Client::Fetch& fetch) {
    if (fetch.refusals.empty()) return "the server answered without the message";
    return "the server refused: " + fetch.refusals.front().text;
}

/// Adds those of `asked` that were found; a server may answer with more than was asked.
void present_of(const imap::UidSet& asked, const imap::UidSet& found, imap::UidSet& present) {
    for (const auto& range : asked.ranges()) {
        for (auto uid = range.first;; ++uid) {
            if (found.contains(uid)) present.add(uid);
            if (uid == range.last) break;
        }
    }
}

template <class Visit>
void each(const imap::UidSet& uids, const Visit& visit) {
    for (const auto& range : uids.ranges()) {
        for (auto uid = range.first;; ++uid) {
            visit(uid);
            if (uid == range.last) break;
        }
    }
}

}  // namespace

FolderIntake::FolderIntake(Facts facts, Intake::Sizes sizes, Intake::House house, imap::Client::FetchPlan plan)
    : facts_(std::move(facts)), sizes_(sizes), house_(house), plan_(plan) {
    plan_.email_ids = facts_.has_siblings;
}

awaitable<std::optional<Ended>> FolderIntake::open(imap::Client& client) {
    auto look_up = [mailbox = facts_.mailbox, name = facts_.folder](store::Workbench bench) {
        return bench.store.folder(mailbox, name);
    };
    auto known = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!known) co_return store_ended(known.error());
    folder_ = *known;
    renumbering_.reset();
    renumbered_ = false;
    passed_ = {};

    auto opened = co_await client.open(facts_.folder, imap::Client::Access::read_only);
    if (opened && opened->answer.ok() && opened->selected.uid_next == 0) {
        // Courier 5.0.13, 2026-11: numbers new mail, and a new folder, anew for each EXAMINE; what SELECT gives stays.
        opened = co_await client.open(facts_.folder, imap::Client::Access::read_write);
    }
    if (!opened) co_return broken(opened.error(), client);
    if (!opened->answer.ok()) {
        auto ended = ended_by(opened->answer, Ended::How::folder, fmt::format("opening folder {}", facts_.folder));
        if (ended.how == Ended::How::folder) ended.person_needed = true;
        co_return ended;
    }
    auto selected = opened->selected;
    const bool starts_here = folder_.uid_validity == 0 && facts_.start.from == config::Start::From::fresh;
    if (selected.uid_next == 0 && starts_here) {
        auto counted = co_await client.status(facts_.folder);
        if (!counted) co_return broken(counted.error(), client);
        if (counted->answer.ok()) selected.uid_next = counted->status.uid_next;
    }
    const auto plan = plan_of(folder_, selected, facts_.start);
    uid_validity_ = selected.uid_validity;
    cursor_ = plan.cursor;
    since_ = plan.since;
    uid_next_ = opened->selected.uid_next;
    exists_ = opened->selected.exists;
    if (plan.act == FolderPlan::Act::freeze) {
        auto frozen = co_await freeze(plan.reason);
        co_return frozen;
    }
    if (plan.act == FolderPlan::Act::adopt || (plan.act == FolderPlan::Act::go_on && !folder_.frozen.empty())) {
        auto adopt = [number = folder_.number, act = plan.act, validity = uid_validity_,
                      cursor = plan.cursor](store::Workbench bench) -> Result<void> {
            if (act == FolderPlan::Act::adopt) return bench.store.adopt_folder(number, validity, cursor);
            return bench.store.freeze_folder(number, "");  // what froze it has passed
        };
        auto adopted = co_await house_.committer.run(house_.inbox, std::move(adopt));
        if (!adopted) co_return store_ended(adopted.error());
    }
    auto hindered = co_await look_up_contact(plan.act);
    co_return hindered;
}

/// Nothing is fetched from the folder, durably so, until it is opened and found sound.
awaitable<Ended> FolderIntake::freeze(std::string reason) {
    Ended ended;
    ended.how = Ended::How::folder;
    ended.person_needed = true;
    ended.reason = fmt::format("folder {} is frozen: {}", facts_.folder, reason);
    auto note = [folder = folder_.number, reason = std::move(reason)](store::Workbench bench) {
        return bench.store.freeze_folder(folder, reason);
    };
    auto frozen = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!frozen) co_return store_ended(frozen.error());
    co_return ended;
}

/// A UID at or above UIDNEXT can be there when mail has arrived since; otherwise the server has to confirm it: one that
/// does not exist would carry the cursor past mail that is still to come.
awaitable<std::optional<Ended>> FolderIntake::check_uid_next(imap::Client& client, std::uint32_t highest) {
    const imap::Selected now = client.selected();
    const std::uint64_t arrived = now.exists > exists_ ? now.exists - exists_ : 0;
    uid_next_ = std::max<std::uint64_t>(uid_next_, now.uid_next);
    if (uid_next_ == 0) co_return std::nullopt;
    if (highest >= uid_next_ + arrived) {
        auto counted = co_await client.status(facts_.folder);
        if (!counted) co_return broken(counted.error(), client);
        const auto said = counted->status.uid_next;
        if (counted->answer.ok() && said != 0 && highest >= said) {
            auto frozen = co_await freeze(
                fmt::format("the server shows UID {}, but its UIDNEXT is {}: nothing is fetched, so that no mail to "
                            "come is passed over",
                            highest, said));
            co_return frozen;
        }
    }
    uid_next_ = std::max<std::uint64_t>(uid_next_, static_cast<std::uint64_t>(highest) + 1);
    exists_ = now.exists;
    co_return std::nullopt;
}

/// What was pending and is asked for again.
awaitable<Result<imap::UidSet>> FolderIntake::look_up_pending() {
    auto look_up = [folder = folder_.number](store::Workbench bench) { return bench.store.pending(folder); };
    auto rows = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!rows) co_return rows.error();
    imap::UidSet again;
    too_large_ = {};
    awaited_ = {};
    overdue_ = {};
    for (const auto& row : *rows) {
        if (row.uid_validity != uid_validity_) continue;
        const bool is_awaited = row.attempts == 0;
        if (is_awaited && row.first_seen + awaited_for <= house_.clock.wall()) overdue_.add(row.uid);
        (is_awaited ? awaited_ : row.reason == too_large() ? too_large_ : again).add(row.uid);
    }
    co_return again;
}

/// What the server does not show although it shows higher ones. A search by date does not tell.
awaitable<Result<imap::UidSet>> FolderIntake::missing_below(imap::Client& client, const imap::UidSet& shown) {
    if (since_.empty() || shown.empty()) co_return unshown(shown, cursor_);
    const auto highest = shown.ranges().back().last;
    const auto reach = std::min<std::uint64_t>(highest - cursor_, awaited_uids_max);
    auto found = co_await client.search(fmt::format("UID {}:{}", highest - reach + 1, highest));
    if (!found) co_return found.error();
    if (!found->answer.ok()) co_return imap::UidSet();
    imap::UidSet all = above(std::move(found->uids), cursor_);
    all.add(highest);
    co_return unshown(all, highest - static_cast<std::uint32_t>(reach));
}

/// Before the cursor passes them, durably. What was awaited long enough, or is too much, is not awaited any more.
awaitable<std::optional<Ended>> FolderIntake::await_unshown(imap::UidSet missing) {
    if (missing.empty() && overdue_.empty()) co_return std::nullopt;
    auto dropped = std::exchange(overdue_, {});
    each(dropped, [this](imap::Uid uid) { awaited_.remove(uid); });
    awaited_.add(missing);
    if (awaited_.count() > awaited_uids_max) {
        dropped.add(awaited_.take_front(awaited_.count() - awaited_uids_max, std::string::npos));
    }
    store::Pending row;
    row.folder = folder_.number;
    row.uid_validity = uid_validity_;
    row.first_seen = std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall());
    row.reason = not_shown;
    auto note = [row = std::move(row), missing = std::move(missing),
                 dropped = std::move(dropped)](store::Workbench bench) mutable -> Result<void> {
        Result<void> step;
        each(missing, [&](imap::Uid uid) {
            row.uid = uid;
            if (step) step = bench.store.put_pending(row);
        });
        each(dropped, [&](imap::Uid uid) {
            if (step) step = bench.store.remove_pending(row.folder, row.uid_validity, uid);
        });
        return step;
    };
    auto noted = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!noted) co_return store_ended(noted.error());
    co_return std::nullopt;
}

/// Messages that are too large are not asked for, but they may have been deleted meanwhile.
awaitable<std::optional<Ended>> FolderIntake::look_for_too_large(imap::Client& client) {
    if (too_large_.empty()) co_return std::nullopt;
    imap::UidSet all = too_large_;
    const auto some = all.take_front(search_uids, search_bytes);
    auto found = co_await client.search("UID " + some.text());
    if (!found) co_return broken(found.error(), client);
    if (!found->answer.ok()) co_return std::nullopt;
    imap::UidSet present;
    present_of(some, found->uids, present);
    imap::UidSet gone = some;
    each(present, [&gone](imap::Uid uid) { gone.remove(uid); });
    if (gone.empty()) co_return std::nullopt;
    auto note = [folder = folder_.number, validity = uid_validity_, gone](store::Workbench bench) -> Result<void> {
        Result<void> step;
        each(gone, [&](imap::Uid uid) {
            if (step) step = bench.store.remove_pending(folder, validity, uid);
        });
        return step;
    };
    auto noted = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!noted) co_return store_ended(noted.error());
    co_return std::nullopt;
}

awaitable<FolderIntake::Taken> FolderIntake::take_new(imap::Client& client, Pendings pendings, const bool& stop,
                                                      std::optional<Unfinished>& unfinished) {
    Taken taken;
    imap::UidSet again;
    if (pendings == Pendings::retry) {
        auto rows = co_await look_up_pending();
        if (!rows) {
            taken.ended = store_ended(rows.error());
            co_return taken;
        }
        again = std::move(*rows);
        taken.ended = co_await stop_recognising(again);
        if (taken.ended) co_return taken;
    }
    auto found = co_await client.search(search_for_new(cursor_, since_, awaited_));
    if (!found) {
        taken.ended = broken(found.error(), client);
        co_return taken;
    }
    if (!found->answer.ok()) {
        taken.ended = ended_by(found->answer, Ended::How::connection, fmt::format("UID SEARCH in {}", facts_.folder));
        co_return taken;
    }
    imap::UidSet shown_late;
    present_of(awaited_, found->uids, shown_late);
    each(shown_late, [&](imap::Uid uid) {
        awaited_.remove(uid);
        overdue_.remove(uid);
        if (uid <= cursor_) again.add(uid);
    });
    imap::UidSet wanted = above(std::move(found->uids), cursor_);
    auto missing = co_await missing_below(client, wanted);
    if (!missing) {
        taken.ended = broken(missing.error(), client);
        co_return taken;
    }
    if (pendings == Pendings::retry) {
        taken.ended = co_await look_for_too_large(client);
        if (taken.ended) co_return taken;
    }
    if (!since_.empty()) {
        imap::UidSet due = wanted;
        due.add(*missing);
        taken.ended = co_await pass_over(std::move(due));
        if (taken.ended) co_return taken;
    }
    wanted = without(without(wanted, passed_), too_large_);
    if (!wanted.empty()) {
        taken.ended = co_await check_uid_next(client, wanted.ranges().back().last);
        if (taken.ended) co_return taken;
    }
    taken.ended = co_await await_unshown(without(without(*missing, too_large_), passed_));
    if (taken.ended) co_return taken;
    if (wanted.empty() && again.empty()) {
        since_.clear();
        taken.ended = co_await conclude();
        co_return taken;
    }

    pending_ = 0;
    known_elsewhere_ = 0;
    Intake intake({facts_.mailbox_id, facts_.mailbox, folder_, uid_validity_, recognises(), renumbered_}, sizes_,
                  house_, cursor_);
    if (unfinished && unfinished->uid_validity == uid_validity_ &&
        (wanted.contains(unfinished->uid) || again.contains(unfinished->uid))) {
        const auto uid = unfinished->uid;
        // In ascending order it is the next one only when nothing below it is wanted.
        imap::UidSet first;
        first.add(uid);
        if (wanted.contains(uid) && wanted.ranges().front().first == uid) intake.expect(first);
        auto rest = std::move(*unfinished);
        unfinished.reset();
        const auto stored_before = intake.handed_over();
        taken.ended = co_await take_rest(client, intake, std::move(rest));
        if (!taken.ended && intake.handed_over() > stored_before) {
            if (intake.frontier() == uid) wanted.remove(uid);
            again.remove(uid);
        }
    }
    while (!taken.ended && !wanted.empty() && !stop) {
        auto slice = wanted.take_front(slice_uids, std::string::npos);
        taken.ended = co_await take_compared(client, intake, std::move(slice));
    }
    while (!taken.ended && !again.empty() && !stop) {
        auto slice = again.take_front(slice_uids, std::string::npos);
        taken.ended = co_await take_slice(client, intake, std::move(slice));
    }
    auto settled = co_await intake.settle();
    if (!settled) taken.ended = store_ended(settled.error());
    if (taken.ended) unfinished = intake.take_unfinished();
    cursor_ = std::max(cursor_, intake.frontier());
    if (!taken.ended && wanted.empty()) {
        since_.clear();
        taken.ended = co_await conclude();
    }
    taken.stored = intake.progress().stored;
    taken.known_before = intake.progress().known_before + known_elsewhere_;
    taken.bytes = intake.progress().stored_bytes;
    taken.pending = pending_;
    co_return taken;
}

awaitable<FolderIntake::Taken> FolderIntake::take_older(imap::Client& client, imap::UidSet wanted, const bool& stop) {
    Taken taken;
    pending_ = 0;
    known_elsewhere_ = 0;
    Intake intake({facts_.mailbox_id, facts_.mailbox, folder_, uid_validity_}, sizes_, house_, cursor_);
    while (!taken.ended && !wanted.empty() && !stop) {
        auto slice = wanted.take_front(slice_uids, std::string::npos);
        taken.ended = co_await take_unknown(client, intake, std::move(slice));
    }
    auto settled = co_await intake.settle();
    if (!settled) taken.ended = store_ended(settled.error());
    taken.stored = intake.progress().stored;
    taken.known_before = intake.progress().known_before + known_elsewhere_;
    taken.bytes = intake.progress().stored_bytes;
    taken.pending = pending_;
    co_return taken;
}

/// Asks for the slice; what is not answered is looked up again, asked for one by one, and accounted for.
awaitable<std::optional<Ended>> FolderIntake::take_slice(imap::Client& client, Intake& intake, imap::UidSet slice) {
    const auto top = slice.ranges().back().last;
    intake.expect(slice);
    imap::UidSet wanted = slice;
    auto fetch = co_await client.fetch(std::move(wanted), plan_, intake);
    if (!fetch) {
        auto ended = co_await fetch_ended(client, intake, fetch.error(), std::move(slice));
        co_return ended;
    }
    imap::UidSet leftover = fetch->unanswered;
    leftover.add(fetch->refused);
    leftover.add(fetch->not_asked);
    leftover.add(intake.take_dropped());
    auto oversize = intake.take_oversize();
    const auto stood_in = intake.take_stood_in();
    leftover.add(stood_in);
    if (leftover.empty() && oversize.empty() && intake.frontier() >= top) co_return std::nullopt;
    for (const auto& refusal : fetch->refusals) {
        auto ended = ended_by(refusal, Ended::How::connection, fmt::format("UID FETCH in {}", facts_.folder));
        if (ended.how != Ended::How::connection) co_return ended;  // throttled, token: nothing to do with the messages
    }

    if (!stood_in.empty()) {  // NOOP tells what has gone meanwhile
        auto told = co_await client.noop();
        if (!told) co_return broken(told.error(), client);
    }
    // Still there? Then each alone, so that one bad message stops no other.
    imap::UidSet present;
    imap::UidSet gone = leftover;
    while (!leftover.empty()) {
        const auto some = leftover.take_front(search_uids, search_bytes);
        auto found = co_await client.search("UID " + some.text());
        if (!found) co_return broken(found.error(), client);
        if (!found->answer.ok()) {
            present.add(some);
            continue;
        }
        present_of(some, found->uids, present);
    }
    each(present, [&gone](imap::Uid uid) { gone.remove(uid); });
    Unresolved unresolved;
    unresolved.gone = std::move(gone);
    auto singly = plan_;
    singly.batch_uids = 1;
    while (!present.empty()) {
        imap::UidSet alone = present;
        auto fetched = co_await client.fetch(std::move(alone), singly, intake);
        if (!fetched) {
            auto ended = co_await fetch_ended(client, intake, fetched.error(), std::move(present));
            co_return ended;
        }
        unresolved.missing.add(fetched->unanswered);
        unresolved.missing.add(fetched->refused);
        if (!fetched->unanswered.empty() || !fetched->refused.empty()) unresolved.why = reason_of(*fetched);
        const auto still = intake.take_stood_in();
        if (!still.empty()) unresolved.why = "the server has another text in place of the message";
        unresolved.missing.add(still);
        const auto dropped = intake.take_dropped();
        if (!dropped.empty()) unresolved.why = "its answer does not hold together";
        unresolved.missing.add(dropped);
        present = fetched->not_asked;
    }
    oversize.add(intake.take_oversize());
    unresolved.missing.add(oversize);
    if (unresolved.why.empty()) unresolved.why = too_large();
    auto ended = co_await account(intake, std::move(unresolved), top);
    co_return ended;
}

/// The connection is of no use any more. A message that was too large for it is pending from now on, so that the next
/// connection gets past it; UIDs in disorder freeze the folder.
awaitable<Ended> FolderIntake::fetch_ended(imap::Client& client, Intake& intake, error_code error, imap::UidSet asked) {
    if (error == imap::errc::uids_out_of_order) {
        auto frozen = co_await freeze(error.message());
        co_return frozen;
    }
    const auto culprit = client.unfinished();
    if (error != imap::errc::literal_too_long || !culprit || !asked.contains(culprit->uid))
        co_return broken(error, client);
    Unresolved unresolved;
    unresolved.missing.add(culprit->uid);
    unresolved.why = too_large();
    const auto top = intake.is_next(culprit->uid) ? culprit->uid : intake.frontier();
    auto ended = co_await account(intake, std::move(unresolved), top);
    if (ended) co_return *ended;
    co_return broken(error, client);
}

std::string FolderIntake::too_large() const { return fmt::format("larger than {} bytes", sizes_.message_bytes_max); }

/// Everything up to `top` is stored, gone, or pending from here on; one durable step says so.
awaitable<std::optional<Ended>> FolderIntake::account(Intake& intake, Unresolved unresolved, std::uint32_t top) {
    auto settled = co_await intake.settle();
    if (!settled) co_return store_ended(settled.error());
    pending_ += unresolved.missing.count();
    house_.counters.messages_gone.fetch_add(unresolved.gone.count(), std::memory_order_relaxed);
    imap::UidSet forgotten;
    if (unresolved.gone.count() > awaited_uids_max) {
        forgotten = unresolved.gone.take_front(unresolved.gone.count() - awaited_uids_max, std::string::npos);
    }
    awaited_.add(unresolved.gone);
    const auto seen = std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall());
    auto note = [folder = folder_.number, validity = uid_validity_, unresolved = std::move(unresolved),
                 forgotten = std::move(forgotten), top, seen](store::Workbench bench) -> Result<void> {
        store::Pending row;
        row.folder = folder;
        row.uid_validity = validity;
        row.first_seen = seen;
        Result<void> step;
        const auto put = [&](imap::Uid uid) {
            row.uid = uid;
            if (step) step = bench.store.put_pending(row);
        };
        const auto remove = [&](imap::Uid uid) {
            if (step) step = bench.store.remove_pending(folder, validity, uid);
        };
        row.attempts = 1;
        row.reason = unresolved.why;
        each(unresolved.missing, put);
        each(forgotten, remove);
        if (!unresolved.gone.empty()) {
            const auto rows = bench.store.pending(folder);
            if (!rows) return rows.error();
            imap::UidSet seen_long_ago;
            for (const auto& known : *rows) {
                if (known.uid_validity == validity && known.first_seen + awaited_for <= seen) {
                    seen_long_ago.add(known.uid);
                }
            }
            row.attempts = 0;
            row.reason = not_shown;
            each(unresolved.gone, [&](imap::Uid uid) { seen_long_ago.contains(uid) ? remove(uid) : put(uid); });
        }
        if (!step) return step;
        return bench.store.move_cursor(folder, validity, top);
    };
    auto noted = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!noted) co_return store_ended(noted.error());
    intake.accounted(top);
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> FolderIntake::take_rest(imap::Client& client, Intake& intake, Unfinished unfinished) {
    const auto uid = unfinished.uid;
    const auto from = unfinished.received;
    const auto bytes = unfinished.bytes - unfinished.received;
    spdlog::info("mailbox={} uid={} resumes_at={} bytes={}", facts_.mailbox_id, uid, from, unfinished.bytes);
    intake.resume(std::move(unfinished));
    auto fetch = co_await client.fetch_part(uid, from, bytes, intake);
    if (!fetch) co_return broken(fetch.error(), client);
    intake.rest_is_over();
    co_return std::nullopt;
}

Ended FolderIntake::store_ended(error_code error) const {
    Ended ended;
    ended.how = Ended::How::store;
    ended.reason = fmt::format("the store could not keep mail of {}: {}", facts_.mailbox_id, error.message());
    return ended;
}

}  // namespace retriever

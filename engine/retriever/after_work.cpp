#include "engine/retriever/after_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/retriever/copied_mail.hpp"
#include "engine/runtime/log.hpp"
#include "protocols/base/text.hpp"
#include "protocols/imap/parse.hpp"

namespace retriever {

namespace {

constexpr std::size_t mails_at_once = 1000;
constexpr std::size_t copies_at_once = 100;  // what may have to be told apart afterwards
constexpr std::uint64_t set_uids = 1000;     // of one command
constexpr std::size_t set_bytes = 6000;
constexpr std::uint32_t refused_alone_max = 3;  // so many and not one success: it is not about the mails
constexpr store::Seq unkept_max = 1000;         // looked at and nothing to do: not worth a commit each time
constexpr std::size_t ranges_max = 100'000;

Ended broken(error_code error, const imap::Client& client) { return ended_by(error, client.bye()); }

bool may_expunge_by_uid(const imap::Client& client) { return client.can("UIDPLUS") || client.can("IMAP4REV2"); }
bool may_move(const imap::Client& client) { return client.can("MOVE") || client.can("IMAP4REV2"); }

}  // namespace

awaitable<AfterWork::Done> AfterWork::perform(imap::Client& client, const bool& stop) {
    Done done;
    ready_ = false;
    const auto mails_max = facts_.policy.moves() && !may_move(client) ? copies_at_once : mails_at_once;
    for (bool more = true; more && !stop && !done.ended;) {
        auto look_up = [mailbox = facts_.mailbox, folder = facts_.folder, policy = facts_.policy, after = position_,
                        at = now(), mails_max](store::Workbench bench) {
            return look_up_due(bench.store, mailbox, folder, policy, after, at, mails_max);
        };
        auto batch = co_await house_.committer.run(house_.inbox, std::move(look_up));
        if (!batch) {
            done.ended = store_ended(batch.error());
            co_return done;
        }
        folder_ = batch->folder.number;
        if (!batch->folder.frozen.empty() || batch->folder.uid_validity == 0) co_return done;
        if (!batch->state.parked.empty()) {
            const bool again = batch->state.next_attempt <= now();
            if (again && (position_ != 0 || blocked_)) {
                start_over();
                continue;
            }
            done.next = batch->state.next_attempt;
            if (!again && (blocked_ || position_ == 0)) co_return done;
        }
        more = batch->more;
        if (batch->next.wait == Wait::time) done.next = std::min(done.next.value_or(batch->next.at), batch->next.at);
        done.ended = co_await take_batch(client, stop, *batch, done);
        if (!batch->state.parked.empty()) {
            const auto again = batch->state.next_attempt;
            done.next = std::min(done.next.value_or(again), again);
        }
        const bool another = !ready_ && !batch->due.empty();  // it is no longer the folder that the ledger knows
        if (blocked_ || another) co_return done;
    }
    co_return done;
}

/// What was refused is looked up, and tried, again.
void AfterWork::start_over() {
    position_ = 0;
    blocked_ = false;
    intent_looked_up_ = false;
    stuck_ = {};
}

awaitable<std::optional<Ended>> AfterWork::take_batch(imap::Client& client, const bool& stop, AfterBatch& batch,
                                                      Done& done) {
    if (batch.dropped > 0) {
        spdlog::info(
            "mailbox={} folder={} after={} dropped={} they have other UIDs since the UIDVALIDITY changed, and stay",
            facts_.mailbox_id, runtime::value(facts_.folder), runtime::value(facts_.policy.text()), batch.dropped);
    }
    if (batch.set_aside > 0) {
        spdlog::warn("mailbox={} folder={} id=after-set-aside after={} mails={} they are damaged here, and stay there",
                     facts_.mailbox_id, runtime::value(facts_.folder), runtime::value(facts_.policy.text()),
                     batch.set_aside);
    }
    if (batch.due.empty()) {
        const bool over = !batch.state.parked.empty() && batch.state.next_attempt <= now();
        const bool far = batch.through - batch.state.done >= unkept_max || batch.dropped + batch.set_aside > 0;
        position_ = batch.through;
        if ((!far && !over) || !stuck_.empty()) co_return std::nullopt;
        auto kept = co_await keep(batch);
        co_return kept;
    }
    auto ended = co_await prepare(client, batch, done);
    if (ended) co_return ended;
    if (!ready_ && !blocked_) co_return std::nullopt;
    stuck_before_ = !stuck_.empty();
    imap::UidSet wanted;
    for (const auto& mail : batch.due) wanted.add(mail.uid);
    while (!blocked_ && !wanted.empty()) {
        if (stop) co_return std::nullopt;
        auto some = wanted.take_front(set_uids, set_bytes);
        const auto asked = some.count();
        const bool flags = facts_.policy.after == config::After::seen;
        const std::string_view which = flags ? " UNSEEN" : "";
        auto here = co_await present(client, std::move(some), which);
        if (here.ended) co_return std::move(here.ended);
        if (refusal_) break;
        const auto count = here.uids.count();
        done.gone += flags ? 0 : asked - count;
        if (count == 0) continue;
        const auto stuck = stuck_.count();
        ended = co_await work_off(client, stop, std::move(here.uids));
        if (ended) co_return ended;
        if (stop) co_return std::nullopt;
        if (!blocked_) done.mails += count - (stuck_.count() - stuck);
    }
    if (refusal_) block();
    auto kept = co_await keep(batch);
    co_return kept;
}

void AfterWork::block() {
    blocked_ = true;
    words_ = refusal_.value_or(words_);
}

/// Once for each time that something is due: the folder that mail is moved to, what was left half done, and the folder
/// open for writing. blocked_ when something of it is refused.
awaitable<std::optional<Ended>> AfterWork::prepare(imap::Client& client, AfterBatch& batch, Done& done) {
    if (ready_) co_return std::nullopt;
    refusal_.reset();
    std::optional<Ended> ended;
    if (facts_.policy.moves()) ended = co_await find_target(client);
    if (!ended && !refusal_) {
        done.opened = true;
        ended = co_await finish_copy(client, batch);
    }
    if (!ended && !refusal_ && !ready_) ended = co_await open(client, batch);
    if (refusal_) block();
    co_return ended;
}

/// Not ready_ when it is another folder by that name now, or when it is refused.
awaitable<std::optional<Ended>> AfterWork::open(imap::Client& client, const AfterBatch& batch) {
    auto opened = co_await client.open(facts_.folder, imap::Client::Access::read_write);
    if (!opened) co_return broken(opened.error(), client);
    if (!opened->answer.ok())
        co_return refused(opened->answer, fmt::format("opening folder {} for writing", facts_.folder));
    if (opened->selected.read_only) {
        refusal_ = fmt::format("the server opens folder {} for reading only: {}", facts_.folder, opened->answer.text);
    }
    ready_ = !refusal_ && opened->selected.uid_validity == batch.folder.uid_validity;
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> AfterWork::find_target(imap::Client& client) {
    if (!target_.empty()) co_return std::nullopt;
    const auto& wanted = facts_.policy.target;
    const bool by_use = wanted.starts_with('\\');
    std::string pattern = by_use ? "*" : wanted;
    auto listed = co_await client.list(std::move(pattern));
    if (!listed) co_return broken(listed.error(), client);
    if (!listed->answer.ok()) co_return refused(listed->answer, "the list of folders");
    const auto found = std::find_if(listed->entries.begin(), listed->entries.end(), [&](const imap::ListEntry& entry) {
        const auto has = [&entry](std::string_view name) {
            return std::any_of(entry.attributes.begin(), entry.attributes.end(),
                               [name](const std::string& attribute) { return text::same(attribute, name); });
        };
        return by_use ? has(wanted) : entry.name == wanted && !has("\\Noselect") && !has("\\NonExistent");
    });
    const bool there = found != listed->entries.end();
    if (!there && by_use) {
        refusal_ = fmt::format("the mailbox shows no folder for the use {}", wanted);
        co_return std::nullopt;
    }
    const auto name = there ? found->name : wanted;
    if (std::find(facts_.fetched.begin(), facts_.fetched.end(), name) != facts_.fetched.end()) {
        refusal_ = fmt::format("mail would be moved to {}, which is fetched itself", name);
        co_return std::nullopt;
    }
    if (!there) {
        auto made = co_await client.create(wanted);
        if (!made) co_return broken(made.error(), client);
        if (!made->ok()) co_return refused(*made, fmt::format("making folder {}", wanted));
        spdlog::info("mailbox={} folder={} made, as mail is to be moved there", facts_.mailbox_id,
                     runtime::value(wanted));
    }
    target_ = name;
    co_return std::nullopt;
}

/// Those of them that are in the folder.
awaitable<AfterWork::Present> AfterWork::present(imap::Client& client, imap::UidSet uids, std::string_view more) {
    Present here;
    auto found = co_await client.search(fmt::format("UID {}{}", uids.text(), more));
    if (!found) {
        here.ended = broken(found.error(), client);
        co_return here;
    }
    if (!found->answer.ok()) {
        here.ended = refused(found->answer, fmt::format("UID SEARCH in {}", facts_.folder));
        co_return here;
    }
    for (const auto& range : uids.ranges()) {
        for (auto uid = range.first;; ++uid) {
            if (found->uids.contains(uid)) here.uids.add(uid);
            if (uid == range.last) break;
        }
    }
    co_return here;
}

/// All at once; what is refused in halves, so that one bad message stops no other.
awaitable<std::optional<Ended>> AfterWork::work_off(imap::Client& client, const bool& stop, imap::UidSet uids) {
    std::vector<imap::UidSet> left{std::move(uids)};
    std::uint32_t refused_alone = 0;
    bool any_done = false;
    while (!left.empty() && !stop && !blocked_) {
        auto some = std::move(left.back());
        left.pop_back();
        refusal_.reset();
        auto ended = co_await act(client, some);
        if (ended) co_return ended;
        if (!refusal_) {
            any_done = true;
            continue;
        }
        words_ = *refusal_;
        if (some.count() > 1) {
            auto half = some.take_front(some.count() / 2, std::string::npos);
            left.push_back(std::move(some));
            left.push_back(std::move(half));
            continue;
        }
        stuck_.add(some);
        if (!any_done && ++refused_alone == refused_alone_max) block();
    }
    refusal_.reset();
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> AfterWork::act(imap::Client& client, imap::UidSet uids) {
    std::optional<Ended> ended;
    if (facts_.policy.after == config::After::seen) {
        auto flagged = co_await client.add_flags(std::move(uids), "\\Seen");
        if (!flagged) co_return broken(flagged.error(), client);
        if (!flagged->ok()) ended = refused(*flagged, fmt::format("flagging mail in {} as read", facts_.folder));
    } else if (!facts_.policy.moves()) {
        ended = co_await remove(client, std::move(uids));
    } else if (may_move(client)) {
        auto moved = co_await client.move(std::move(uids), target_);
        if (!moved) co_return broken(moved.error(), client);
        if (!moved->ok()) ended = refused(*moved, fmt::format("moving mail from {} to {}", facts_.folder, target_));
    } else {
        ended = co_await copy(client, std::move(uids));
    }
    co_return ended;
}

awaitable<std::optional<Ended>> AfterWork::remove(imap::Client& client, imap::UidSet uids) {
    imap::UidSet doomed = uids;
    auto flagged = co_await client.add_flags(std::move(doomed), "\\Deleted");
    if (!flagged) co_return broken(flagged.error(), client);
    if (!flagged->ok()) co_return refused(*flagged, fmt::format("flagging mail in {} as deleted", facts_.folder));
    if (!may_expunge_by_uid(client)) {
        auto ended = co_await remove_without_uids(client, std::move(uids));
        co_return ended;
    }
    auto removed = co_await client.expunge(std::move(uids));
    if (!removed) co_return broken(removed.error(), client);
    if (!removed->ok()) co_return refused(*removed, fmt::format("removing mail from {}", facts_.folder));
    co_return std::nullopt;
}

/// EXPUNGE would take along what somebody else has flagged: then ours stay, flagged.
awaitable<std::optional<Ended>> AfterWork::remove_without_uids(imap::Client& client, imap::UidSet uids) {
    auto found = co_await client.search("DELETED");
    if (!found) co_return broken(found.error(), client);
    if (!found->answer.ok()) co_return refused(found->answer, fmt::format("UID SEARCH in {}", facts_.folder));
    std::uint64_t foreign = found->uids.count();
    for (const auto& range : uids.ranges()) {
        for (auto uid = range.first;; ++uid) {
            foreign -= found->uids.contains(uid) ? 1 : 0;
            if (uid == range.last) break;
        }
    }
    if (foreign > 0) {
        spdlog::warn(
            "mailbox={} folder={} id=expunge-left the server cannot remove single mails (UIDPLUS), and others={} are "
            "flagged as deleted: ours={} stay with that flag",
            facts_.mailbox_id, runtime::value(facts_.folder), foreign, uids.count());
        co_return std::nullopt;
    }
    auto removed = co_await client.expunge_all();
    if (!removed) co_return broken(removed.error(), client);
    if (!removed->ok()) co_return refused(*removed, fmt::format("removing mail from {}", facts_.folder));
    co_return std::nullopt;
}

/// Where a server cannot move: each step is written down before it is taken or before the next one, so that nothing is
/// copied twice and nothing removed that was not copied.
awaitable<std::optional<Ended>> AfterWork::copy(imap::Client& client, imap::UidSet uids) {
    auto counted = co_await client.status(target_);
    if (!counted) co_return broken(counted.error(), client);
    if (!counted->answer.ok()) co_return refused(counted->answer, fmt::format("STATUS of folder {}", target_));
    store::CopyIntent intent;
    intent.folder = folder_;
    intent.uid_validity = client.selected().uid_validity;
    intent.uids = uids.text();
    intent.target = target_;
    intent.target_uid_validity = counted->status.uid_validity;
    intent.target_uid_next = counted->status.uid_next;
    auto ended = co_await keep_intent(intent);
    if (ended) co_return ended;
    imap::UidSet originals = uids;
    auto copied = co_await client.copy(std::move(originals), target_);
    if (!copied) co_return broken(copied.error(), client);
    if (!copied->ok()) {
        ended = refused(*copied, fmt::format("copying mail from {} to {}", facts_.folder, target_));
        if (ended) co_return ended;
        auto forgotten = co_await forget_copy();
        co_return forgotten;
    }
    intent.copied = true;
    ended = co_await keep_intent(intent);
    if (ended) co_return ended;
    ended = co_await remove(client, std::move(uids));
    if (!ended && refusal_) block();  // in halves they would be copied again
    if (ended || refusal_) co_return ended;
    auto forgotten = co_await forget_copy();
    co_return forgotten;
}

/// What the session before left: originals whose copies are made are removed, the others are still due.
awaitable<std::optional<Ended>> AfterWork::finish_copy(imap::Client& client, const AfterBatch& batch) {
    if (intent_looked_up_) co_return std::nullopt;
    auto look_up = [folder = folder_](store::Workbench bench) {
        return bench.store.folder_notes().copy_intent(folder);
    };
    auto found = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!found) co_return store_ended(found.error());
    intent_looked_up_ = true;
    if (!*found) co_return std::nullopt;
    const store::CopyIntent& intent = **found;
    imap::UidSet copied;
    const auto read = imap::read_uid_set(intent.uids, ranges_max, copied);
    if (read && facts_.policy.moves() && intent.uid_validity == batch.folder.uid_validity) {
        if (!intent.copied) {
            CopiedMail mail(client, facts_.folder);
            auto seen = co_await mail.find(intent, std::move(copied));
            if (!seen) co_return broken(seen.error(), client);
            copied = std::move(*seen);
        }
        auto ended = co_await open(client, batch);
        if (ended || !ready_) co_return ended;
        spdlog::info("mailbox={} folder={} target={} copied={} of a copy that was interrupted", facts_.mailbox_id,
                     runtime::value(facts_.folder), runtime::value(intent.target), copied.count());
        if (!copied.empty()) {
            auto here = co_await present(client, std::move(copied), "");
            if (here.ended || refusal_) co_return std::move(here.ended);
            if (!here.uids.empty()) {
                ended = co_await remove(client, std::move(here.uids));
                if (ended || refusal_) co_return ended;
            }
        }
    } else {
        spdlog::info("mailbox={} folder={} target={} an interrupted copy is left as it is: what it was for is over",
                     facts_.mailbox_id, runtime::value(facts_.folder), runtime::value(intent.target));
    }
    auto forgotten = co_await forget_copy();
    co_return forgotten;
}

awaitable<std::optional<Ended>> AfterWork::keep_intent(store::CopyIntent intent) {
    auto note = [intent = std::move(intent)](store::Workbench bench) {
        return bench.store.folder_notes().put_copy_intent(intent);
    };
    auto kept = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!kept) co_return store_ended(kept.error());
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> AfterWork::forget_copy() {
    auto note = [folder = folder_](store::Workbench bench) {
        return bench.store.folder_notes().remove_copy_intent(folder);
    };
    auto forgotten = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!forgotten) co_return store_ended(forgotten.error());
    co_return std::nullopt;
}

/// The batch is dealt with, but for what was refused: durably so.
awaitable<std::optional<Ended>> AfterWork::keep(AfterBatch& batch) {
    store::AfterState& state = batch.state;
    const auto first_stuck = std::find_if(batch.due.begin(), batch.due.end(),
                                          [this](const AfterBatch::Mail& mail) { return stuck_.contains(mail.uid); });
    const bool refused_now = blocked_ || first_stuck != batch.due.end();
    const auto at = now();
    if (refused_now && (state.parked.empty() || state.next_attempt <= at)) {
        ++state.attempts;
        state.next_attempt = at + pause_after_refusal(state.attempts);
        spdlog::warn("mailbox={} folder={} id=after-parked after={} stuck={} next_ms={} reason={}", facts_.mailbox_id,
                     runtime::value(facts_.folder), runtime::value(facts_.policy.text()), stuck_.count(),
                     pause_after_refusal(state.attempts).count(), runtime::value(words_));
    }
    if (refused_now) state.parked = words_;
    if (!blocked_) position_ = batch.through;
    if (!blocked_ && !stuck_before_) {
        state.done = first_stuck == batch.due.end() ? batch.through : std::max(state.done, first_stuck->seq - 1);
    }
    if (stuck_.empty() && !blocked_) {
        state.parked.clear();
        state.attempts = 0;
        state.next_attempt = {};
    }
    auto note = [state](store::Workbench bench) { return bench.store.folder_notes().put_after_state(state); };
    auto kept = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!kept) co_return store_ended(kept.error());
    co_return std::nullopt;
}

/// A refusal concerns this work alone, unless its words say that it concerns the session. RFC 5530 has OVERQUOTA for a
/// full mailbox; Gmail says it of the session, too, in words of its own.
std::optional<Ended> AfterWork::refused(const imap::Answer& answer, const std::string& doing) {
    auto ended = ended_by(answer, Ended::How::folder, doing);
    const bool full = text::same(answer.code, "OVERQUOTA") && imap::hint_of(answer.text).kind == imap::Hint::Kind::none;
    if (ended.how != Ended::How::folder && !full) return ended;
    if (text::same(answer.code, "TRYCREATE")) target_.clear();
    refusal_ = std::move(ended.reason);
    return std::nullopt;
}

Ended AfterWork::store_ended(error_code error) const {
    Ended ended;
    ended.how = Ended::How::store;
    ended.reason =
        fmt::format("the store could not keep what was done with mail of {}: {}", facts_.mailbox_id, error.message());
    return ended;
}

store::Millis AfterWork::now() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall());
}

}  // namespace retriever

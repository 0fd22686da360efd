#include "engine/retriever/folder_shadow.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/retriever/cursor.hpp"
#include "engine/retriever/shadow_judgement.hpp"
#include "engine/runtime/log.hpp"

namespace retriever {

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t compared_in_vain_max = 10;
constexpr auto compared_again_after = std::chrono::milliseconds(1min);
constexpr std::uint64_t heads_at_once = 500;  // written down together
constexpr std::size_t set_bytes_max = 7000;   // of UIDs in one command: Exchange's lines end at 8000
constexpr std::size_t page_rows = 10'000;

std::string span_of(const imap::UidSet& uids) {
    return fmt::format("UID {}:{}", uids.ranges().front().first, uids.ranges().back().last);
}

/// Those below it; 0: all.
imap::UidSet below(const imap::UidSet& uids, imap::Uid limit) {
    if (limit == 0) return uids;
    imap::UidSet above_it;
    above_it.add({limit, UINT32_MAX});
    return without(uids, above_it);
}

imap::UidSet common(const imap::UidSet& some, const imap::UidSet& others) {
    return without(some, without(some, others));
}

imap::Uid top_of(const imap::UidSet& uids) { return uids.empty() ? 0 : uids.ranges().back().last; }

std::chrono::sys_days day_of(store::Millis time) { return std::chrono::floor<std::chrono::days>(time); }

/// What the store knows of the folder.
struct Known {
    store::FolderNumber number = 0;
    std::optional<store::ShadowFolder> folder;
    std::optional<store::Millis> oldest;  // of what is there
};

}  // namespace

awaitable<std::optional<Ended>> FolderShadow::open(imap::Client& client) {
    auto opened = co_await client.open(facts_.folder, imap::Client::Access::read_only);
    if (!opened) co_return ended_by(opened.error(), client.bye());
    if (!opened->answer.ok())
        co_return ended_by(opened->answer, Ended::How::folder, fmt::format("opening folder {}", facts_.folder));
    if (opened->selected.uid_validity == 0) {
        Ended none;
        none.how = Ended::How::folder;
        none.person_needed = true;
        none.reason = fmt::format("folder {} has no UIDVALIDITY: its mail cannot be told apart", facts_.folder);
        co_return none;
    }
    uid_next_ = opened->selected.uid_next;
    if (uid_next_ == 0) {  // Courier gives the same UIDs again, to other mail
        Ended none;
        none.how = Ended::How::folder;
        none.person_needed = true;
        none.reason = fmt::format(
            "folder {} cannot be observed: the server does not say UIDNEXT to who only reads, so the UIDs that it "
            "shows him "
            "are not given out for good",
            facts_.folder);
        co_return none;
    }
    auto hindered = co_await begin(client, opened->selected);
    co_return hindered;
}

/// Compares what the server says of the folder with what is known of it.
awaitable<std::optional<Ended>> FolderShadow::begin(imap::Client& client, const imap::Selected& selected) {
    const bool same = known_ && state_.uid_validity == selected.uid_validity;
    if (same && uid_next_ > state_.cursor) co_return std::nullopt;
    auto look_up = [mailbox = facts_.mailbox, name = facts_.folder](store::Workbench bench) -> Result<Known> {
        const auto row = bench.store.folder(mailbox, name);
        if (!row) return row.error();
        auto folder = bench.store.shadows().folder(row->number);
        if (!folder) return folder.error();
        const auto oldest = bench.store.shadows().oldest_there(row->number);
        if (!oldest) return oldest.error();
        return Known{row->number, *folder, *oldest};
    };
    auto known = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!known) co_return store_ended(known.error());
    std::optional<Ended> hindered;
    const bool met = known->folder && known->folder->looked_at != store::Millis();
    if (met) {
        state_ = *known->folder;
        hindered = co_await go_on(client, selected, known->oldest);
    } else {
        state_ = {};
        state_.folder = known->number;
        hindered = co_await meet(client, selected);
    }
    if (!hindered) hindered = co_await load();
    co_return hindered;
}

/// The first contact.
awaitable<std::optional<Ended>> FolderShadow::meet(imap::Client& client, const imap::Selected& selected) {
    state_.mailbox = facts_.mailbox;
    state_.uid_validity = selected.uid_validity;
    state_.since = now();
    auto day = day_of(now()) + std::chrono::days(2);  // nothing of what is there
    if (facts_.start.from == config::Start::From::date) {
        day = std::max(facts_.start.date, day_of(now() - shadow_kept));
        state_.since = store::Millis(day);
    }
    auto hindered = co_await leave_out(client, day);
    co_return hindered;
}

/// Where it was left, unless its UIDs stand for other mail now. `oldest`: of what was there.
awaitable<std::optional<Ended>> FolderShadow::go_on(imap::Client& client, const imap::Selected& selected,
                                                    std::optional<store::Millis> oldest) {
    const bool renumbered = state_.uid_validity != selected.uid_validity;
    const bool went_back = uid_next_ <= state_.cursor;
    if (!renumbered && !went_back) co_return std::nullopt;
    spdlog::warn("mailbox={} folder={} id=shadow-renumbered from={} to={} what is there is being recognised",
                 facts_.mailbox_id, runtime::value(facts_.folder), state_.uid_validity, selected.uid_validity);
    state_.uid_validity = selected.uid_validity;
    state_.compares = true;
    state_.settled = renumbered ? 0 : 1;
    auto hindered = co_await leave_out(client, day_of(oldest.value_or(state_.looked_at)) - std::chrono::days(1));
    co_return hindered;
}

/// What arrived before that day is not observed; with a day to come, nothing of what is there.
awaitable<std::optional<Ended>> FolderShadow::leave_out(imap::Client& client, std::chrono::sys_days since) {
    const bool all = since > day_of(now());
    state_.floor = uid_next_ - 1;
    if (!all) {
        auto found = co_await search(client, "SINCE " + imap_date(since));
        if (found.ended) co_return std::move(found.ended);
        if (!found.uids.empty()) state_.floor = found.uids.ranges().front().first - 1;
    }
    state_.cursor = state_.floor;
    co_return std::nullopt;
}

/// Of the store: what is observed, and not gone.
awaitable<std::optional<Ended>> FolderShadow::load() {
    known_ = false;
    there_ = {};
    flagged_ = {};
    for (imap::Uid after = 0;;) {
        auto page_after = [folder = state_.folder, validity = state_.uid_validity, after](store::Workbench bench) {
            return bench.store.shadows().there(folder, validity, after, page_rows);
        };
        auto page = co_await house_.committer.run(house_.inbox, std::move(page_after));
        if (!page) co_return store_ended(page.error());
        for (const auto& row : *page) {
            there_.add(row.uid);
            if (row.seen) flagged_.add(row.uid);
        }
        if (page->size() < page_rows) break;
        after = page->back().uid;
    }
    known_ = true;
    co_return std::nullopt;
}

awaitable<FolderShadow::Looked> FolderShadow::look(imap::Client& client, Depth depth, const bool& stop) {
    Looked looked;
    ShadowFindings findings;
    findings.began = now();
    // A view that was open before may have stalled: nobody is called late by what it shows.
    if (depth == Depth::news && next_due_) findings.began = std::min(findings.began, *next_due_ - 1ms);
    imap::UidSet fresh;
    bool headless = false;
    if (depth == Depth::whole || state_.compares)
        looked.ended = co_await find_all(client, findings, fresh);
    else
        looked.ended = co_await find_news(client, findings, fresh);
    while (!looked.ended && !fresh.empty()) {
        if (stop) co_return looked;
        auto slice = fresh.take_front(heads_at_once, std::string::npos);
        ShadowFindings part;
        part.began = findings.began;
        looked.ended = co_await read_heads(client, part, std::move(slice));
        if (looked.ended) break;
        headless = headless || part.headless;
        if (fresh.empty()) {
            findings.heads = std::move(part.heads);
        } else {
            part.gone = std::exchange(findings.gone, {});
            looked.ended = co_await write_down(std::move(part), looked);
        }
    }
    if (looked.ended) co_return looked;
    // Of what is there under new UIDs, the one that gives no head may be any: nothing counts as gone for a while.
    findings.complete = !headless || !state_.compares || ++compared_in_vain_ > compared_in_vain_max;
    const bool goes_on = !findings.complete;
    if (!headless) compared_in_vain_ = 0;
    looked.ended = co_await write_down(std::move(findings), looked);
    if (goes_on) next_due_ = looked.next_due = now() + compared_again_after;
    co_return looked;
}

/// Everything that is there.
awaitable<std::optional<Ended>> FolderShadow::find_all(imap::Client& client, ShadowFindings& findings,
                                                       imap::UidSet& fresh) {
    auto found = co_await search(client, fmt::format("UID {}:*", static_cast<std::uint64_t>(state_.floor) + 1));
    if (found.ended) co_return std::move(found.ended);
    const auto present = above(std::move(found.uids), state_.floor);
    const auto known = below(there_, state_.settled);
    fresh = without(present, known);
    auto missing = without(known, present);
    if (!missing.empty()) {  // a server may forget to name one
        auto still = co_await search_among(client, missing);
        if (still.ended) co_return std::move(still.ended);
        missing = without(missing, still.uids);
    }
    findings.gone = missing;
    findings.top = std::max({state_.cursor, top_of(present), uid_next_ - 1});
    if (findings.top > state_.cursor) {
        const auto shown = above(below(present, findings.top == UINT32_MAX ? 0 : findings.top + 1), state_.cursor);
        findings.unseen = findings.top - state_.cursor - shown.count();
    }
    auto there = without(known, missing);
    auto hindered = co_await find_flagged(client, std::move(there), findings.seen);
    co_return hindered;
}

/// What has arrived, and what became of mail that is not taken so far.
awaitable<std::optional<Ended>> FolderShadow::find_news(imap::Client& client, ShadowFindings& findings,
                                                        imap::UidSet& fresh) {
    auto found = co_await search(client, fmt::format("UID {}:*", static_cast<std::uint64_t>(state_.cursor) + 1));
    if (found.ended) co_return std::move(found.ended);
    fresh = above(std::move(found.uids), state_.cursor);
    findings.top = std::max(state_.cursor, top_of(fresh));
    if (findings.top > state_.cursor) findings.unseen = findings.top - state_.cursor - fresh.count();
    const auto known = below(there_, state_.settled);
    imap::UidSet candidates = known;
    if (facts_.shadow.taken != config::Shadow::Taken::removed) {
        candidates = {};
        auto hindered = co_await find_flagged(client, known, candidates);
        if (hindered) co_return hindered;
    }
    if (candidates.empty()) co_return std::nullopt;
    auto still = co_await search_among(client, candidates);
    if (still.ended) co_return std::move(still.ended);
    findings.gone = without(candidates, still.uids);
    if (facts_.shadow.taken != config::Shadow::Taken::removed) findings.seen = without(candidates, findings.gone);
    co_return std::nullopt;
}

/// What had no \Seen, and is not named among those without: it has it now, or is gone.
awaitable<std::optional<Ended>> FolderShadow::find_flagged(imap::Client& client, imap::UidSet among,
                                                           imap::UidSet& flagged) {
    const auto unflagged = without(among, flagged_);
    if (unflagged.empty()) co_return std::nullopt;
    auto found = co_await search(client, "UNSEEN " + span_of(unflagged));
    if (found.ended) co_return std::move(found.ended);
    flagged = without(unflagged, found.uids);
    co_return std::nullopt;
}

awaitable<FolderShadow::Searched> FolderShadow::search(imap::Client& client, std::string criteria) {
    Searched searched;
    auto found = co_await client.search(std::move(criteria));
    if (!found) {
        searched.ended = ended_by(found.error(), client.bye());
    } else if (!found->answer.ok()) {
        searched.ended = ended_by(found->answer, Ended::How::folder, fmt::format("searching folder {}", facts_.folder));
    } else {
        searched.uids = std::move(found->uids);
    }
    co_return searched;
}

/// Those of them that are there.
awaitable<FolderShadow::Searched> FolderShadow::search_among(imap::Client& client, imap::UidSet uids) {
    Searched all;
    imap::UidSet left = uids;
    while (!left.empty() && !all.ended) {
        const auto slice = left.take_front(UINT64_MAX, set_bytes_max);
        auto found = co_await search(client, "UID " + slice.text());
        all.ended = std::move(found.ended);
        all.uids.add(found.uids);
    }
    all.uids = common(uids, all.uids);
    co_return all;
}

/// What gives no head is asked for again with the next whole look.
awaitable<std::optional<Ended>> FolderShadow::read_heads(imap::Client& client, ShadowFindings& findings,
                                                         imap::UidSet uids) {
    ShadowHeads heads;
    auto fetched = co_await client.fetch_heads(std::move(uids), plan_, heads);
    if (!fetched) co_return ended_by(fetched.error(), client.bye());
    for (const auto& refusal : fetched->refusals) {
        auto ended = ended_by(refusal, Ended::How::connection, fmt::format("UID FETCH in {}", facts_.folder));
        if (ended.how != Ended::How::connection) co_return ended;
    }
    auto without_head = fetched->unanswered;
    without_head.add(fetched->refused);
    findings.headless = !without_head.empty();
    if (!without_head.empty()) {
        spdlog::info("mailbox={} folder={} id=shadow-no-head mails={} uids={} asked for again with the next whole look",
                     facts_.mailbox_id, runtime::value(facts_.folder), without_head.count(),
                     runtime::value(without_head.text()));
    }
    findings.heads = heads.take();
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> FolderShadow::write_down(ShadowFindings findings, Looked& looked) {
    findings.ended = now();
    const auto seen = findings.seen;
    const auto gone = findings.gone;
    auto work = [folder = state_, findings = std::move(findings), shadow = facts_.shadow](store::Workbench bench) {
        return enter(bench.store, folder, findings, shadow);
    };
    auto entered = co_await house_.committer.run(house_.inbox, std::move(work));
    if (!entered) {
        known_ = false;
        co_return store_ended(entered.error());
    }
    state_ = entered->folder;
    looked.arrived += entered->arrived;
    looked.taken += facts_.shadow.taken == config::Shadow::Taken::removed ? gone.count() : seen.count() + gone.count();
    looked.missed = entered->missed;
    looked.next_due = entered->next_due;
    next_due_ = entered->next_due;
    if (entered->recognised + entered->lost > 0) {
        auto hindered = co_await load();
        co_return hindered;
    }
    there_ = without(there_, gone);
    there_.add(entered->there);
    flagged_.add(seen);
    flagged_ = without(flagged_, gone);
    flagged_.add(entered->seen);
    co_return std::nullopt;
}

store::Millis FolderShadow::now() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall());
}

Ended FolderShadow::store_ended(error_code error) {
    Ended ended;
    ended.how = Ended::How::store;
    ended.reason = fmt::format("what was observed could not be written down: {}", error.message());
    return ended;
}

}  // namespace retriever

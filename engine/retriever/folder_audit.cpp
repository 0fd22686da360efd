// FolderIntake: what the server shows compared with the ledger.

#include <fmt/format.h>

#include "engine/retriever/folder_intake.hpp"
#include "engine/runtime/log.hpp"

namespace retriever {

namespace {

constexpr std::size_t known_page = 20'000;  // UIDs; other mailboxes' mail waits meanwhile
constexpr std::uint64_t unknown_at_once = 4096;

constexpr const char* unknown_reason = "an audit found it on the server, unknown to the ledger";

/// UIDs of the ledger, by what became of their messages.
struct Known {
    std::vector<imap::UidRange> delivered, undelivered;
    std::uint32_t last = 0;
    std::size_t count = 0;
};

imap::UidSet both(const imap::UidSet& a, const imap::UidSet& b) { return without(a, without(a, b)); }

}  // namespace

awaitable<FolderIntake::Audited> FolderIntake::audit(imap::Client& client) {
    Audited audited;
    auto& result = audited.result;
    result.folder = facts_.folder;
    std::string all = "UID 1:*";
    if (client.can("ESEARCH")) all = "RETURN (ALL) UID 1:*";
    auto found = co_await client.search(std::move(all));
    if (!found) {
        audited.ended = ended_by(found.error(), client.bye());
        co_return audited;
    }
    if (!found->answer.ok()) {
        audited.ended = ended_by(found->answer, Ended::How::connection, fmt::format("UID SEARCH in {}", facts_.folder));
        co_return audited;
    }
    imap::UidSet upwards;  // what comes behind the cursor is on its way in
    if (cursor_ < UINT32_MAX) upwards.add({cursor_ + 1, UINT32_MAX});
    const auto shown = without(found->uids, upwards);

    std::vector<imap::UidRange> delivered, undelivered;
    for (std::uint32_t after = 0;;) {
        auto work = [folder = folder_.number, mailbox = facts_.mailbox, validity = uid_validity_,
                     after](store::Workbench bench) -> Result<Known> {
            const auto acked = bench.store.acknowledged(mailbox);
            if (!acked) return acked.error();
            const auto rows = bench.store.known_uids(folder, validity, after, known_page);
            if (!rows) return rows.error();
            Known known;
            known.count = rows->size();
            for (const auto& row : *rows) {
                auto& into = row.seq <= *acked ? known.delivered : known.undelivered;
                if (!into.empty() && into.back().last + 1ULL == row.uid)
                    into.back().last = row.uid;
                else
                    into.push_back({row.uid, row.uid});
            }
            if (!rows->empty()) known.last = rows->back().uid;
            return known;
        };
        auto known = co_await house_.committer.run(house_.inbox, std::move(work));
        if (!known) {
            audited.ended = store_ended(known.error());
            co_return audited;
        }
        delivered.insert(delivered.end(), known->delivered.begin(), known->delivered.end());
        undelivered.insert(undelivered.end(), known->undelivered.begin(), known->undelivered.end());
        if (known->count < known_page) break;
        after = known->last;
    }
    auto look_up = [folder = folder_.number](store::Workbench bench) { return bench.store.pending(folder); };
    auto rows = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!rows) {
        audited.ended = store_ended(rows.error());
        co_return audited;
    }
    auto look_up_passed = [folder = folder_.number, validity = uid_validity_](store::Workbench bench) {
        return bench.store.accounting().passed_over(folder, validity);
    };
    auto spans = co_await house_.committer.run(house_.inbox, std::move(look_up_passed));
    if (!spans) {
        audited.ended = store_ended(spans.error());
        co_return audited;
    }
    for (const auto& span : *spans) passed_.add(imap::UidRange{span.first, span.last});
    imap::UidSet pending, awaited;
    for (const auto& row : *rows) {
        if (row.uid_validity == uid_validity_) (row.attempts == 0 ? awaited : pending).add(row.uid);
    }

    const auto done = imap::UidSet::of(std::move(delivered)), waits = imap::UidSet::of(std::move(undelivered));
    auto left = shown;
    const auto take = [&left](const imap::UidSet& some) {
        const auto here = both(left, some);
        left = without(left, here);
        return here.count();
    };
    result.on_server = shown.count();
    result.delivered = take(done);
    result.undelivered = take(waits);
    result.pending = take(pending);
    result.before_start = take(passed_);
    left = without(left, awaited);  // shown since: fetched with the next look
    result.on_server -= both(shown, awaited).count();
    result.awaited = awaited.count();
    result.gone = done.count() + waits.count() - result.delivered - result.undelivered;
    result.unknown = left.count();
    audited.unknown = left.count();
    if (!left.empty()) audited.ended = co_await note_unknown(left.take_front(unknown_at_once, std::string::npos));
    co_return audited;
}

/// They are pending, durably: the next look fetches them.
awaitable<std::optional<Ended>> FolderIntake::note_unknown(imap::UidSet unknown) {
    spdlog::warn("mailbox={} folder={} id=audit-found unknown={} uids={}", facts_.mailbox_id,
                 runtime::value(facts_.folder), unknown.count(), runtime::value(unknown.text().substr(0, 200)));
    house_.counters.messages_missed.fetch_add(unknown.count(), std::memory_order_relaxed);
    store::Pending row;
    row.folder = folder_.number;
    row.uid_validity = uid_validity_;
    row.attempts = 1;
    row.first_seen = std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall());
    row.reason = unknown_reason;
    auto note = [row = std::move(row), unknown = std::move(unknown)](store::Workbench bench) mutable -> Result<void> {
        for (const auto& range : unknown.ranges()) {
            for (auto uid = range.first;; ++uid) {
                row.uid = uid;
                const auto put = bench.store.put_pending(row);
                if (!put) return put;
                if (uid == range.last) break;
            }
        }
        return {};
    };
    auto noted = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!noted) co_return store_ended(noted.error());
    co_return std::nullopt;
}

}  // namespace retriever

// Maildrop: what the server lists compared with the ledger.

#include <algorithm>

#include "engine/retriever/maildrop.hpp"
#include "engine/runtime/log.hpp"

namespace retriever {

namespace {

using Listed = store::Listed;
using State = store::Listed::State;

constexpr std::size_t rows_at_once = 2000;  // other mailboxes' mail waits meanwhile

enum class Account { delivered, undelivered, pending, before_start, unknown };

Result<Account> account_of(store::Store& store, const std::optional<Listed>& row) {
    if (!row) return Account::unknown;
    if (row->state == State::passed_over) return Account::before_start;
    if (row->state == State::pending) return Account::pending;
    const auto known = store.knows(row->folder, own_uid_validity, row->uid);
    if (!known) return known.error();
    if (!*known) return Account::unknown;
    const auto acknowledged = store.is_acknowledged(row->folder, own_uid_validity, row->uid);
    if (!acknowledged) return acknowledged.error();
    return *acknowledged ? Account::delivered : Account::undelivered;
}

}  // namespace

/// A row that says its message is in the ledger, which it is not, is pending from here on.
awaitable<Maildrop::Compared> Maildrop::compare_listing() {
    Compared compared;
    auto& result = compared.result;
    result.folder = folder_name;
    result.on_server = listing_.size();
    for (std::size_t from = 0; from < listing_.size(); from += rows_at_once) {
        const auto to = std::min(listing_.size(), from + rows_at_once);
        std::vector<std::string> keys;
        for (auto at = from; at < to; ++at) keys.push_back(listing_[at].key);
        auto work = [folder = folder_.number,
                     keys = std::move(keys)](store::Workbench bench) -> Result<std::vector<Account>> {
            std::vector<Account> accounts;
            for (const auto& key : keys) {
                auto row = bench.store.listings().find(folder, key);
                if (!row) return row.error();
                const auto account = account_of(bench.store, *row);
                if (!account) return account.error();
                accounts.push_back(*account);
                if (*account != Account::unknown || !*row) continue;
                (*row)->state = State::pending;
                const auto put = bench.store.listings().put(**row);
                if (!put) return put.error();
            }
            return accounts;
        };
        auto accounts = co_await house_.committer.run(house_.inbox, std::move(work));
        if (!accounts) {
            compared.ended = store_ended(accounts.error());
            co_return compared;
        }
        for (auto at = from; at < to; ++at) {
            const auto account = (*accounts)[at - from];
            result.delivered += account == Account::delivered ? 1 : 0;
            result.undelivered += account == Account::undelivered ? 1 : 0;
            result.pending += account == Account::pending ? 1 : 0;
            result.before_start += account == Account::before_start ? 1 : 0;
            if (account == Account::unknown) compared.unknown.push_back(listing_[at]);
        }
    }
    result.unknown = compared.unknown.size();
    auto look_up = [mailbox = facts_.mailbox](store::Workbench bench) {
        return bench.store.folder(mailbox, folder_name);
    };
    auto folder = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!folder) {
        compared.ended = store_ended(folder.error());
        co_return compared;
    }
    // UIDs are ours, one for each message that was taken in or is pending.
    const auto here = result.delivered + result.undelivered + result.pending;
    result.gone = folder->cursor > here ? folder->cursor - here : 0;
    co_return compared;
}

awaitable<Maildrop::Audited> Maildrop::audit(pop3::Client& client, const bool& stop) {
    Audited audited;
    auto compared = co_await compare_listing();
    audited.found = compared.unknown.size();
    audited.ended = std::move(compared.ended);
    if (!audited.ended && !compared.unknown.empty()) {
        spdlog::warn("mailbox={} id=audit-found unknown={}", facts_.mailbox_id, audited.found);
        house_.counters.messages_missed.fetch_add(audited.found, std::memory_order_relaxed);
        fetch_.assign(std::make_move_iterator(compared.unknown.begin()),
                      std::make_move_iterator(compared.unknown.end()));
        Taken taken;
        audited.ended = co_await fetch(client, stop, taken);
        audited.stored = taken.stored;
        if (!audited.ended) {
            compared = co_await compare_listing();
            audited.ended = std::move(compared.ended);
        }
    }
    audited.result = std::move(compared.result);
    co_return audited;
}

}  // namespace retriever

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "protocols/base/clock.hpp"
#include "queue/store/records.hpp"

namespace dispatcher {

/// Whose turn comes when: mailboxes in the order of their times, those of one time in the order in which they got it.
/// Pure.
class Agenda {
public:
    /// Once for each mailbox: a later call moves it.
    void put(store::MailboxNumber mailbox, Monotonic when) {
        const auto [at, fresh] = keys_.try_emplace(mailbox, Key{});
        if (!fresh) {
            if (at->second.when == when) return;  // it keeps its place among those of that time
            order_.erase(at->second);
        }
        at->second = {when, ++puts_, mailbox};
        order_.insert(at->second);
    }
    void remove(store::MailboxNumber mailbox) {
        const auto found = keys_.find(mailbox);
        if (found == keys_.end()) return;
        order_.erase(found->second);
        keys_.erase(found);
    }
    [[nodiscard]] std::optional<Monotonic> next() const {
        if (order_.empty()) return std::nullopt;
        return order_.begin()->when;
    }
    /// Whose time has come first; nullopt: nobody's has.
    [[nodiscard]] std::optional<store::MailboxNumber> due(Monotonic now) const {
        if (order_.empty() || order_.begin()->when > now) return std::nullopt;
        return order_.begin()->mailbox;
    }
    /// Those whose time has come, in their order, at most `limit`.
    [[nodiscard]] std::vector<store::MailboxNumber> all_due(Monotonic now, std::size_t limit) const {
        std::vector<store::MailboxNumber> found;
        for (auto at = order_.begin(); at != order_.end() && at->when <= now && found.size() < limit; ++at)
            found.push_back(at->mailbox);
        return found;
    }
    /// The first time after `now`.
    [[nodiscard]] std::optional<Monotonic> next_after(Monotonic now) const {
        const auto at = order_.upper_bound(Key{now, UINT64_MAX, INT64_MAX});
        if (at == order_.end()) return std::nullopt;
        return at->when;
    }

private:
    struct Key {
        Monotonic when{};
        std::uint64_t put = 0;
        store::MailboxNumber mailbox = 0;
        auto operator<=>(const Key&) const = default;
    };
    std::map<store::MailboxNumber, Key> keys_;
    std::set<Key> order_;
    std::uint64_t puts_ = 0;
};

}  // namespace dispatcher

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "queue/store/errc.hpp"
#include "queue/store/records.hpp"

namespace store {

/// A message that a server lists under a key of its own (POP3: its UIDL), and the UID that stands for it in the ledger.
struct Listed {
    enum class State {
        pending,      // to be fetched (again)
        stored,       // its ledger row is there
        passed_over,  // there before the first contact, and not wanted
    };
    enum class Where {
        there,    // listed when it was last looked
        gone,     // not listed any more
        removed,  // by us
    };
    FolderNumber folder = 0;
    std::string key;
    std::uint32_t uid = 0;
    State state = State::pending;
    Where where = Where::there;
    std::uint64_t bytes = 0;  // as the server says
    Digest fingerprint{};     // all zero: not known

    bool operator==(const Listed&) const = default;
};

/// When a mailbox that is visited now and then is visited next.
struct Visit {
    Millis due{};
    Millis not_before{};  // the provider's word; due is ours
    std::chrono::milliseconds interval{0};

    bool operator==(const Visit&) const = default;
};

/// What servers without UIDs list. A part of the Store, in its transactions. No row is ever forgotten: a key, or a
/// fingerprint, that comes back is known.
class Listings {
public:
    virtual ~Listings() = default;

    /// What is there, in order of key, beginning after `after`.
    virtual Result<std::vector<Listed>> there(FolderNumber folder, std::string_view after, std::size_t limit) = 0;
    virtual Result<std::optional<Listed>> find(FolderNumber folder, std::string_view key) = 0;
    /// One that is gone, has this fingerprint, and was not removed by us.
    virtual Result<std::optional<Listed>> gone_with(FolderNumber folder, const Digest& fingerprint) = 0;
    /// Inserts or replaces the row of its key.
    virtual Result<void> put(const Listed& row) = 0;
    /// The row of `from` is that of `to` from now on, whatever row `to` had. unknown_id: there is no `from`.
    virtual Result<void> rename(FolderNumber folder, std::string_view from, std::string_view to) = 0;

    virtual Result<std::optional<Visit>> visit(FolderNumber folder) = 0;
    virtual Result<void> put_visit(FolderNumber folder, const Visit& visit) = 0;
};

}  // namespace store

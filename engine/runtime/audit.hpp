#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocols/base/clock.hpp"

namespace runtime {

/// A folder of the server compared with the ledger. What is on the server adds up: delivered + undelivered + pending +
/// before_start + unknown.
struct FolderAudit {
    std::string folder;
    std::uint64_t on_server = 0;
    std::uint64_t delivered = 0;     // every consumer has acknowledged it
    std::uint64_t undelivered = 0;   // in the ledger, not yet acknowledged by all
    std::uint64_t pending = 0;       // could not be fetched so far, with a reason
    std::uint64_t before_start = 0;  // there before the first contact, and not wanted
    std::uint64_t unknown = 0;       // nothing is known of it, and it could not be fetched so far
    std::uint64_t awaited = 0;       // not on the server (yet): looked for
    std::uint64_t gone = 0;          // in the ledger, and not on the server any more
    std::string not_compared;        // why not; empty: it was

    bool operator==(const FolderAudit&) const = default;
};

/// The last comparison of all folders of a mailbox.
struct Audit {
    WallTime at{};
    std::uint64_t found = 0;      // unknown ones that it found, and had fetched
    std::uint64_t set_aside = 0;  // of the mailbox: taken in, and damaged before they could be handed off
    std::vector<FolderAudit> folders;

    [[nodiscard]] std::uint64_t unknown() const noexcept {
        std::uint64_t all = 0;
        for (const auto& folder : folders) all += folder.unknown;
        return all;
    }
};

}  // namespace runtime

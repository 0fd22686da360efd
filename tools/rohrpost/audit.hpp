#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tools/rohrpost/caller.hpp"

namespace cli {

/// Has mailboxes compared with their servers, all of them when none is named, and prints what came of it. EX_OK: every
/// message is accounted for; EX_DATAERR: some are not; EX_TEMPFAIL: some folders could not be compared, or not in time.
struct AuditWish {
    std::vector<std::string> ids;
    std::chrono::seconds patience{60};
    bool json = false;
};
int audit_mailboxes(Caller& caller, AuditWish wish);

}  // namespace cli

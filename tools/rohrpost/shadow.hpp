#pragma once

#include <string>
#include <vector>

#include "tools/rohrpost/caller.hpp"

namespace cli {

struct ShadowWish {
    std::string mailbox;
    std::vector<std::string> lists;  // files, Maildirs, - for standard input
    std::string since, until;
    bool json = false;
};

/// Prints what another product missed, doubled or took late. EX_OK when it neither missed nor doubled anything,
/// EX_DATAERR when it did.
int shadow_report(Caller& caller, const ShadowWish& wish);

}  // namespace cli

#pragma once

#include <string>

#include "tools/rohrpost/caller.hpp"

namespace cli {

struct DrainWish {
    std::string reason;
    bool wait = true;
    bool json = false;
};
/// Lets no more mail in and, with `wait`, tells on standard error how much is left until nothing leaves any more by
/// itself. EX_OK: nothing waits; EX_TEMPFAIL: what is held waits for an operator, or no daemon sends.
int drain(Caller& caller, const DrainWish& wish);

}  // namespace cli

#pragma once

#include "protocols/base/clock.hpp"
#include "protocols/base/random.hpp"
#include "protocols/net/dial.hpp"
#include "protocols/wait/timers.hpp"

/// What a shard gets from outside instead of reaching for it. All of it outlives whoever holds a Seams.
/// A simulated world hands down its own; files have their own seam in queue/store/file.hpp.
struct Seams {
    Timers& timers;  // and the clock: timers.clock()
    Random& random;
    net::Dialer& dialer;
};

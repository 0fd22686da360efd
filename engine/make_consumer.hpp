#pragma once

#include <memory>

#include "engine/hand_offs.hpp"

/// A consumer that is reached over the network or runs a program: lives on that shard, which it never blocks. How its
/// hand-off works goes into `options`.
std::unique_ptr<consumers::Consumer> make_consumer(const HandOffs::Served& served, runtime::Shard& shard,
                                                   consumers::HandOff::Options& options);

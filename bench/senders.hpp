#pragma once

#include <string>

#include "queue/store/store.hpp"

namespace bench {

/// The address of a mailbox that sends: "box7@bench.test".
std::string address_of(std::size_t mailbox);
/// So many of them, from 0 on.
Result<void> make_senders(store::Store& store, std::size_t count);

}  // namespace bench

#pragma once

#include "engine/dispatcher/house.hpp"
#include "engine/dispatcher/sent_items.hpp"

namespace dispatcher {

/// Looks in a mailbox's Sent Items for what may have left and is due for it, a page of it at most, and writes down what
/// it found. What is due of the mailbox from then on. Waits while the disk is full.
awaitable<Result<store::Outbox::Due>> resolve_doubts(House& house, Sender sender);

}  // namespace dispatcher

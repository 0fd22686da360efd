#pragma once

#include <cstddef>
#include <cstdint>

#include "queue/store/open.hpp"

namespace bench {

/// Puts so many mails of that size into an outbox, as applications would, from those of the pretend provider's
/// mailboxes in turn. The store must know these.
Result<void> queue_mails(store::OpenedStore& opened, std::size_t messages, std::size_t bytes, std::uint32_t mailboxes);

}  // namespace bench

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "protocols/wait/asio.hpp"
#include "queue/store/bodies.hpp"
#include "queue/store/records.hpp"

namespace consumers {

/// One message on its way to a consumer. Lives as long as the deliver() it is handed to.
struct Mail {
    store::Message record;
    std::string_view mailbox;               // its id
    const store::Bodies* bodies = nullptr;  // where the bytes are: read with BodyReader
    bool possible_repeat = false;           // an earlier attempt may have delivered it without our knowing
};

/// How many of a batch, counted from the front, are safely with the consumer, and why not more.
struct Delivered {
    std::size_t count = 0;
    std::string reason;  // what was done, to whom, what came back; empty when it is the whole batch
    /// Whose fault it is: `message` says that the bytes of the first mail that is not counted are damaged, so that
    /// another attempt is of no use; nothing behind it was attempted.
    enum class Fault { consumer, message } fault = Fault::consumer;
};

/// Whoever receives mail. One shard; several batches may be under way at the same time, of different mailboxes.
class Consumer {
public:
    virtual ~Consumer() = default;
    /// Hands off a batch, which may hold mails of several mailboxes, in order. What is counted as delivered survives a
    /// crash of either side, and is never delivered a second time as another mail. A failure is an answer with a
    /// reason, and leaves the rest for a later attempt.
    virtual awaitable<Delivered> deliver(std::span<const Mail> batch) = 0;
};

}  // namespace consumers

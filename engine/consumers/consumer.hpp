#pragma once

#include <chrono>
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
    std::string_view address{};             // of the mailbox
    std::string_view folder{};              // its name; empty when the hand-off does not ask for it
    const store::Bodies* bodies = nullptr;  // where the bytes are: read with BodyReader
    bool possible_repeat = false;           // an earlier attempt may have delivered it without our knowing
};

/// How many of a batch, counted from the front, are safely with the consumer, and why not more.
struct Delivered {
    static constexpr std::size_t all = static_cast<std::size_t>(-1);

    std::size_t count = 0;
    std::string reason{};  // what was done, to whom, what came back; empty: the whole batch, or the rest comes next
    /// Whose fault it is, which says what becomes of the first mail that is not counted. Nothing behind it was
    /// attempted, unless `attempted` says so.
    enum class Fault {
        consumer,  // it takes nothing now: everything waits
        mailbox,   // it takes nothing of this mailbox now: that waits, other mailboxes go on
        mail,      // it failed with this mail: another attempt may go well, but not any number of them
        refused,   // it will never take this mail: set aside
        message,   // the bytes of the mail are damaged: set aside
    } fault = Fault::consumer;
    std::chrono::milliseconds pause{};  // that the consumer asked for
    std::size_t attempted = all;        // so many of the batch, counted from the front, may be with the consumer
};

/// Whoever receives mail. One shard; several batches may be under way at the same time, of different mailboxes.
class Consumer {
public:
    virtual ~Consumer() = default;
    /// Hands off a batch, which may hold mails of several mailboxes, in order. What is counted as delivered survives a
    /// crash of either side, and is never delivered a second time as another mail. A failure is an answer with a
    /// reason, and leaves the rest for a later attempt. One mail at least, unless it is winding up.
    virtual awaitable<Delivered> deliver(std::span<const Mail> batch) = 0;
    /// No further mail is begun: deliver() ends with what is done.
    virtual void wind_up() noexcept {}
};

}  // namespace consumers

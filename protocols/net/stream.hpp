#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/wait/asio.hpp"

namespace net {

class TlsClient;

/// How long the step that begins now may take. When `bytes_per_second_min` is 0, the step must end within `within`.
/// Otherwise `within` is the grace, and bytes received or sent keep the step alive as long as they move at that rate
/// (long transfers): the due time moves ahead by bytes / rate, never further than `within` from now. Over: timed_out,
/// or too_slow when some bytes had moved.
struct Pace {
    std::chrono::milliseconds within{};
    std::uint32_t bytes_per_second_min = 0;
};

/// An open connection to one peer and the bytes received from it that nobody has consumed yet. Used by one coroutine
/// on one shard. TCP, TLS over TCP, or an in-memory pipe of a test.
///
/// An idle stream holds no buffer. Views from unread() live until the next read_more(), consume() or close().
/// One watchdog per connection (no timer per read): each dialogue step calls allow() first.
class Stream {
public:
    virtual ~Stream() = default;

    /// Received and not consumed.
    [[nodiscard]] virtual std::string_view unread() const noexcept = 0;
    virtual void consume(std::size_t bytes) = 0;

    /// Waits until unread() has grown. Errors: closed, truncated, reset, timed_out, too_slow.
    /// What is unread stays; the view may move. Look at unread() first: a greeting may have come with the handshake.
    virtual awaitable<Result<void>> read_more() = 0;
    /// Writes all of `bytes` (which live until this ends). Errors as read_more().
    virtual awaitable<Result<void>> write(std::string_view bytes) = 0;

    /// Starts the clock of the next step; replaces the previous one.
    virtual void allow(Pace pace) = 0;

    /// Upgrades a plain connection (STARTTLS). Unread bytes at this point are an attack: bytes_before_tls.
    virtual awaitable<Result<void>> start_tls(const TlsClient& tls, std::string host) = 0;
    [[nodiscard]] virtual bool encrypted() const noexcept = 0;

    /// Sends close_notify when possible and closes the socket; never waits. A pending read or write ends with stopped.
    virtual void close() noexcept = 0;
    /// "host:port (address)", for messages to people.
    [[nodiscard]] virtual std::string peer() const = 0;

    struct Traffic {
        std::uint64_t received_bytes = 0;  // of application data
        std::uint64_t sent_bytes = 0;
    };
    [[nodiscard]] virtual Traffic traffic() const noexcept = 0;
};

}  // namespace net

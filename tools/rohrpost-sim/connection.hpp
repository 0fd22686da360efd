#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/base/clock.hpp"
#include "protocols/wait/asio.hpp"

namespace sim {

/// The server's end of a connection: lines in, bytes out, and the time that passes on it. Reading is one coroutine's;
/// sending goes on beside it. Small when idle. One thread; lives as long as an operation is under way.
class Connection {
public:
    virtual ~Connection() = default;

    virtual awaitable<bool> handshake() = 0;
    /// Without its CRLF. What was sent before goes out first. nullopt: the connection or the client's manners ended.
    awaitable<std::optional<std::string>> read_line(std::size_t bytes_max);
    awaitable<std::optional<std::string>> read_bytes(std::size_t bytes);

    /// Gathers; goes out with flush(), room() or the next read.
    void send(std::string_view bytes) { out_ += bytes; }
    virtual void flush() = 0;
    /// Waits until little is gathered. False: the connection is gone.
    virtual awaitable<bool> room() = 0;
    /// Waits until all is with the operating system.
    virtual awaitable<bool> sent() = 0;

    /// Ends in order, after what was sent.
    virtual void end() = 0;
    /// Breaks off.
    virtual void cut() noexcept = 0;
    [[nodiscard]] bool over() const noexcept { return over_; }

    /// Lets time pass.
    virtual awaitable<void> pause(std::chrono::milliseconds span) = 0;
    /// Rings once at that time; a later call moves it, and an empty `ring` takes it back.
    virtual void alarm_at(Monotonic when, std::function<void()> ring) = 0;

protected:
    static constexpr std::size_t gathered_bytes_max = 256 * 1024;

    /// Sends what was gathered, and waits for more input. False: there is no more.
    virtual awaitable<bool> read_some() = 0;

    std::string in_;
    std::string out_;
    bool over_ = false;
};

}  // namespace sim

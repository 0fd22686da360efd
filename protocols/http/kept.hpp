#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocols/http/message.hpp"
#include "protocols/net/stream.hpp"

namespace http {

/// The body of a request, piece by piece.
class Body {
public:
    virtual ~Body() = default;
    [[nodiscard]] virtual std::uint64_t size_bytes() const noexcept = 0;
    /// The next bytes, which live until the next call; empty: that was all. An error ends the connection.
    virtual awaitable<Result<std::string_view>> next() = 0;
};

/// A connection that serves one request after the other, for receivers whose answers count by their head alone: of a
/// body no more than `limits.body_bytes_max` is read, and what is missing of it is no error. Redirects are answers.
/// Used by one coroutine.
class KeptConnection {
public:
    struct Paces {
        net::Pace sending{std::chrono::seconds(30), 1024};
        net::Pace answer{std::chrono::seconds(30)};  // from the last byte that was sent
    };
    explicit KeptConnection(std::unique_ptr<net::Stream> stream);
    ~KeptConnection();

    /// Sends a request with this body, and reads its answer; one that comes before the body is sent ends the sending.
    /// Errors: those of the stream and of the body, malformed, header_too_long, incomplete, bad_argument.
    awaitable<Result<Response>> ask(Request request, Body& body, Limits limits, Paces paces);
    /// Whether a connection that rested is still good. Never waits.
    awaitable<bool> check_idle();

    /// Another request makes sense.
    [[nodiscard]] bool usable() const noexcept { return usable_; }
    /// After an error: all of the request was sent, and perhaps it was heard.
    [[nodiscard]] bool sent_whole() const noexcept { return sent_whole_; }

private:
    awaitable<Result<void>> send(std::string head, Body& body, net::Pace pace);
    awaitable<Result<Response>> read_answer(Limits limits, net::Pace pace);
    /// Whether an answer has begun to come.
    awaitable<bool> look();

    std::unique_ptr<net::Stream> stream_;
    bool usable_ = true;
    bool sent_whole_ = false;
};

}  // namespace http

#pragma once
/// Bytes in, messages out: no socket, no clock. Splits of the input do not matter.

#include <cstddef>
#include <memory>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/http/message.hpp"

namespace http {

/// Reads one request. RFC 9112.
class RequestReader {
public:
    explicit RequestReader(Limits limits);
    ~RequestReader();
    RequestReader(const RequestReader&) = delete;
    RequestReader& operator=(const RequestReader&) = delete;

    /// Takes what it can from the front of `input` and returns how much that is. What is left over comes again, with
    /// more behind it; once finished() it belongs to the next request.
    /// Errors: malformed (also an HTTP/1.1 request without exactly one Host), header_too_long, body_too_long.
    Result<std::size_t> take_in(std::string_view input);
    [[nodiscard]] bool finished() const;
    /// Whether all but the body is there.
    [[nodiscard]] bool head_done() const;
    /// The request without its body, once the head is done. Errors: malformed (its target).
    [[nodiscard]] Result<Request> head() const;
    /// Takes no more of the body than that. Errors: body_too_long, when it is announced to be longer.
    Result<void> limit_body(std::size_t bytes_max);
    /// The sender waits for "100 Continue" before it sends the body.
    [[nodiscard]] bool wants_continue() const;
    [[nodiscard]] Persistence persistence() const;
    /// Once, when finished. Errors: malformed (its target).
    Result<Request> take();

private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

/// Reads one response; interim ones (1xx) before it are dropped, at most eight. RFC 9112.
class ResponseReader {
public:
    enum class To { head, other };  // the method that is answered: a response to HEAD has no body

    ResponseReader(Limits limits, To to);
    ~ResponseReader();
    ResponseReader(const ResponseReader&) = delete;
    ResponseReader& operator=(const ResponseReader&) = delete;

    /// As RequestReader::take_in. Errors: malformed, header_too_long, body_too_long, too_many_interim.
    Result<std::size_t> take_in(std::string_view input);
    /// The connection ended, in order: the end of a body without length. Errors: incomplete.
    Result<void> end_of_input();
    [[nodiscard]] bool finished() const;
    /// Whether all but the body of the response is there.
    [[nodiscard]] bool head_done() const;
    [[nodiscard]] std::size_t body_bytes() const;  // that came so far
    /// Whether the connection serves another request when it is finished.
    [[nodiscard]] Persistence persistence() const;
    /// Once, when the head is done: with as much of the body as there is.
    Response take();

private:
    struct Parser;
    void start();

    Limits limits_;
    To to_;
    int interim_ = 0;
    std::unique_ptr<Parser> parser_;
};

}  // namespace http

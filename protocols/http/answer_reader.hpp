#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string_view>

#include "protocols/http/wire.hpp"

namespace http {

/// Reads one answer from bytes, within limits. Answers 1xx in front of it are skipped (RFC 9110 §15.2), a few of them.
class AnswerReader {
public:
    AnswerReader(Limits limits, std::string_view method);

    /// Takes `bytes` and says how many were used; the rest comes again, longer. Errors: malformed, header_too_long,
    /// body_too_long.
    Result<std::size_t> feed(std::string_view bytes);
    [[nodiscard]] bool done() const { return parser_->is_done(); }
    Response take() { return taken(parser_->release()); }
    /// When the connection has ended in order: an answer without a length ends there. Errors: incomplete.
    Result<Response> take_at_end();

private:
    void begin();

    Limits limits_;
    bool head_;
    int interim_left_ = 8;
    std::optional<beast_http::response_parser<beast_http::string_body>> parser_;
};

}  // namespace http

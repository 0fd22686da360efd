#include "protocols/pop3/response_reader.hpp"

#include "protocols/base/text.hpp"
#include "protocols/pop3/errc.hpp"

namespace pop3 {
namespace {

constexpr std::string_view line_end = "\r\n";

bool accepts(std::string_view status_line) noexcept {
    constexpr std::string_view ok = "+OK";
    return text::starts_with_same(status_line, ok) &&
           (status_line.size() == ok.size() || status_line[ok.size()] == ' ' || status_line[ok.size()] == '\t');
}

}  // namespace

void ResponseReader::expect(Shape shape) noexcept {
    shape_ = shape;
    state_ = State::status;
    lines_ = 0;
    body_bytes_ = 0;
    place_ = Place::line_begin;
}

Result<ResponseReader::Event> ResponseReader::read(std::string_view bytes) {
    switch (state_) {
        case State::status:
            return read_status(bytes);
        case State::lines:
            return read_listed(bytes);
        case State::body:
            break;
    }
    return read_body(bytes);
}

Result<std::size_t> ResponseReader::find_line(std::string_view bytes) {
    const std::size_t lf = bytes.find('\n', scanned_);
    const bool whole = lf != std::string_view::npos;
    scanned_ = whole ? 0 : bytes.size();
    if ((whole ? lf + 1 : bytes.size()) > limits_.line_bytes_max) return errc::line_too_long;
    if (!whole) return not_all_there;
    if (lf == 0 || bytes[lf - 1] != '\r') return errc::malformed_response;
    return lf - 1;
}

Result<ResponseReader::Event> ResponseReader::read_status(std::string_view bytes) {
    const auto length = find_line(bytes);
    if (!length) return length.error();
    if (*length == not_all_there) return Event{};
    const std::string_view line = bytes.substr(0, *length);
    if (accepts(line)) {
        if (shape_ == Shape::lines) state_ = State::lines;
        if (shape_ == Shape::body) state_ = State::body;
    }
    return Event{Event::Kind::status, *length + line_end.size(), line};
}

Result<ResponseReader::Event> ResponseReader::read_listed(std::string_view bytes) {
    const auto length = find_line(bytes);
    if (!length) return length.error();
    if (*length == not_all_there) return Event{};
    std::string_view line = bytes.substr(0, *length);
    const std::size_t used_bytes = *length + line_end.size();
    if (line == ".") {
        state_ = State::status;
        return Event{Event::Kind::end, used_bytes};
    }
    if (++lines_ > limits_.listing_lines_max) return errc::too_many_lines;
    if (line.starts_with('.')) line.remove_prefix(1);
    return Event{Event::Kind::line, used_bytes, line};
}

Result<ResponseReader::Event> ResponseReader::read_body(std::string_view bytes) {
    std::size_t dots = 0;
    if (place_ == Place::line_begin && bytes.starts_with('.')) {
        if (bytes.size() < 3 && std::string_view(".\r\n").starts_with(bytes)) return Event{};
        if (bytes.starts_with(".\r\n")) {
            state_ = State::status;
            return Event{Event::Kind::end, 3};
        }
        dots = 1;
        place_ = Place::within;
    }
    std::string_view chunk = bytes.substr(dots);
    if (chunk.empty()) return Event{.used_bytes = dots};
    if (place_ == Place::behind_cr && chunk.starts_with("\n.")) {
        chunk = chunk.substr(0, 1);
    } else if (const auto dotted = chunk.find("\r\n."); dotted != std::string_view::npos) {
        chunk = chunk.substr(0, dotted + line_end.size());
    }
    const bool line_begins =
        chunk.ends_with(line_end) || (place_ == Place::behind_cr && chunk.size() == 1 && chunk.front() == '\n');
    place_ = line_begins ? Place::line_begin : chunk.ends_with('\r') ? Place::behind_cr : Place::within;
    body_bytes_ += chunk.size();
    if (body_bytes_ > limits_.body_bytes_max) return errc::body_too_long;
    return Event{Event::Kind::body_bytes, dots + chunk.size(), chunk};
}

}  // namespace pop3

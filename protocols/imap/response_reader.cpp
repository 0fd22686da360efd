#include "protocols/imap/response_reader.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/text.hpp"
#include "protocols/imap/cursor.hpp"
#include "protocols/imap/errc.hpp"
#include "protocols/imap/parse.hpp"

namespace imap {
namespace {

constexpr std::string_view search_begin = "* SEARCH";
constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t uid_digits_max = 10;

std::string_view without_line_end(std::string_view line) noexcept {
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool begins_search(std::string_view bytes) noexcept {
    return bytes.size() > search_begin.size() && text::starts_with_same(bytes, search_begin) &&
           blanks.find(bytes[search_begin.size()]) != std::string_view::npos;
}

/// Lines that end in text for people: what looks like a literal in them is none.
bool ends_in_words(std::string_view line) noexcept {
    const Response response = read_response(line);
    return response.kind != Response::Kind::untagged || status_of(response.name) || response.is("BYE") ||
           response.is("PREAUTH");
}

}  // namespace

Result<ResponseReader::Event> ResponseReader::read(std::string_view bytes) {
    std::size_t used_bytes = 0;
    for (;;) {
        auto event = step(bytes.substr(used_bytes));
        if (!event) return event;
        const bool moved = event->used_bytes > 0;
        used_bytes += event->used_bytes;
        event->used_bytes = used_bytes;
        if (event->kind != Event::Kind::more || !moved) return event;
    }
}

UidSet ResponseReader::take_found() { return UidSet::of(std::exchange(found_, {})); }

Result<ResponseReader::Event> ResponseReader::step(std::string_view bytes) {
    switch (state_) {
        case State::line:
            return read_line(bytes);
        case State::fetch_line:
            return read_fetch(bytes);
        case State::quoted_body:
            return read_quoted_body(bytes);
        case State::search:
            return read_search(bytes);
        case State::body:
        case State::skipped_literal:
        case State::gathered_literal:
            break;
    }
    return read_literal(bytes);
}

Result<std::size_t> ResponseReader::find_line(std::string_view bytes) {
    const std::size_t end = bytes.find('\n', scanned_);
    const bool whole = end != std::string_view::npos;
    scanned_ = whole ? 0 : bytes.size();
    if (response_bytes_ + (whole ? end + 1 : bytes.size()) > limits_.line_bytes_max) return errc::line_too_long;
    return whole ? end + 1 : 0;
}

Result<ResponseReader::Event> ResponseReader::read_line(std::string_view bytes) {
    if (response_bytes_ == 0) {
        std::string().swap(gathered_);
        if (begins_search(bytes)) {
            state_ = State::search;
            scanned_ = 0;
            return Event{.used_bytes = search_begin.size()};
        }
    }
    const auto line_bytes = find_line(bytes);
    if (!line_bytes) return line_bytes.error();
    if (*line_bytes == 0) return Event{};
    const std::string_view line = bytes.substr(0, *line_bytes);
    if (response_bytes_ > 0 || !begins_fetch(without_line_end(line))) return read_other(line);
    line_bytes_ = line.size();
    state_ = State::fetch_line;
    return read_fetch(bytes);
}

Result<ResponseReader::Event> ResponseReader::read_other(std::string_view line) {
    const std::string_view text = without_line_end(line);
    const auto announced = literal_announced(text);
    if (announced && (response_bytes_ > 0 || !ends_in_words(text))) {
        const std::size_t room =
            limits_.small_literal_bytes_max - std::min(gathered_.size(), limits_.small_literal_bytes_max);
        if (!announced->bytes || *announced->bytes > room) return errc::literal_too_long;
        gathered_ += text;
        gathered_ += "\r\n";
        response_bytes_ += line.size();
        literal_left_ = *announced->bytes;
        if (literal_left_ > 0) state_ = State::gathered_literal;
        return Event{.used_bytes = line.size()};
    }
    const bool whole = response_bytes_ == 0;
    if (!whole) gathered_ += text;
    response_bytes_ = 0;
    return Event{Event::Kind::response, line.size(), whole ? text : std::string_view(gathered_)};
}

Result<ResponseReader::Event> ResponseReader::read_literal(std::string_view bytes) {
    const std::string_view chunk =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(literal_left_, bytes.size())));
    const State state = state_;
    literal_left_ -= chunk.size();
    if (literal_left_ == 0) state_ = state == State::gathered_literal ? State::line : State::fetch_line;
    if (state == State::gathered_literal) gathered_ += chunk;
    if (state != State::body || chunk.empty()) return Event{.used_bytes = chunk.size()};
    return Event{Event::Kind::body_bytes, chunk.size(), chunk};
}

Result<ResponseReader::Event> ResponseReader::read_search(std::string_view bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        const std::size_t end = bytes.find_first_of(blanks, at);
        const std::string_view word = bytes.substr(at, end == std::string_view::npos ? end : end - at);
        if (word.starts_with('(')) found_all_ = true;  // (MODSEQ 917162500), RFC 7162
        if (found_all_) {
            response_bytes_ += word.size();
            if (response_bytes_ > limits_.line_bytes_max) return errc::line_too_long;
        } else if (word.size() > uid_digits_max) {
            return errc::malformed_response;
        } else if (end == std::string_view::npos) {
            break;
        } else if (!word.empty()) {
            const auto uid = text::number<Uid>(word);
            if (!uid || *uid == 0) return errc::malformed_response;
            if (!found_.empty() && found_.back().last == *uid - 1) {
                found_.back().last = *uid;
            } else {
                if (found_.size() == limits_.ranges_max) return errc::too_many_responses;
                found_.push_back({*uid, *uid});
            }
        }
        at += word.size();
        if (end == std::string_view::npos) break;
        ++at;
        if (bytes[end] != '\n') continue;
        state_ = State::line;
        response_bytes_ = 0;
        found_all_ = false;
        return Event{.kind = Event::Kind::found, .used_bytes = at};
    }
    return Event{.used_bytes = at};
}

}  // namespace imap

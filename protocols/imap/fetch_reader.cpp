// The part of ResponseReader that reads FETCH answers: item by item, so that a body is handed on where it stands.

#include <algorithm>
#include <utility>

#include "protocols/base/text.hpp"
#include "protocols/imap/cursor.hpp"
#include "protocols/imap/errc.hpp"
#include "protocols/imap/response_reader.hpp"

namespace imap {
namespace {

std::string_view without_line_end(std::string_view line) noexcept {
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

/// objectid, and so is what Gmail has. RFC 8474 §7.
bool is_email_id(std::string_view word) noexcept {
    const auto belongs = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
    };
    return !word.empty() && word.size() <= 255 && !text::same(word, "NIL") &&
           std::all_of(word.begin(), word.end(), belongs);
}

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

std::size_t after_blanks(std::string_view line, std::size_t at) noexcept {
    while (at < line.size() && is_blank(line[at])) ++at;
    return at;
}

/// The first blank, parenthesis, or (where asked for) bracket from `at` on. A loop, because find_first_of() costs more
/// than all else of a FETCH answer.
enum class Brackets { end_it, belong_to_it };
std::size_t word_end(std::string_view line, std::size_t at, Brackets brackets) noexcept {
    while (at < line.size()) {
        const char c = line[at];
        if (is_blank(c) || c == '(' || c == ')' || (c == '[' && brackets == Brackets::end_it)) break;
        ++at;
    }
    return at;
}

/// Reads the quoted string at `at` and moves behind it; `text` gets it unescaped when asked for. False: no end.
bool take_quoted(std::string_view line, std::size_t& at, std::string* text) {
    if (text != nullptr) text->clear();
    for (std::size_t from = at + 1;;) {
        const std::size_t special = line.find_first_of("\"\\", from);
        if (special == std::string_view::npos) return false;
        if (text != nullptr) text->append(line.substr(from, special - from));
        if (line[special] == '"') {
            at = special + 1;
            return true;
        }
        if (special + 1 == line.size()) return false;
        if (text != nullptr) text->push_back(line[special + 1]);
        from = special + 2;
    }
}

}  // namespace

bool ResponseReader::begins_fetch(std::string_view line) {
    std::size_t at = 2;
    if (!line.starts_with("* ")) return false;
    const std::size_t digits_end = word_end(line, at, Brackets::belong_to_it);
    const auto number = text::number<std::uint32_t>(line.substr(at, digits_end - at));
    if (!number) return false;
    at = after_blanks(line, digits_end);
    if (!text::starts_with_same(line.substr(at), "FETCH")) return false;
    at = after_blanks(line, at + 5);
    if (at == line.size() || line[at] != '(') return false;

    item_.uid = 0;
    item_.sequence = *number;
    item_.internal_date.clear();
    item_.size = 0;
    item_.has_body = false;
    item_.body_bytes = 0;
    item_.flags.clear();
    item_.email_id.clear();
    origin_.reset();
    value_of_ = Item::none;
    depth_ = 0;
    ended_ = false;
    saw_body_ = false;
    body_is_head_ = false;
    at_ = at + 1;
    return true;
}

Result<ResponseReader::Event> ResponseReader::read_fetch(std::string_view bytes) {
    if (line_bytes_ == 0) {
        const auto found = find_line(bytes);
        if (!found) return found.error();
        if (*found == 0) return Event{};
        line_bytes_ = *found;
        at_ = 0;
    }
    const std::string_view line = without_line_end(bytes.substr(0, line_bytes_));
    for (;;) {
        at_ = after_blanks(line, at_);
        if (at_ == line.size()) break;
        if (value_of_ != Item::none) {
            const auto step = read_value(line);
            if (!step) return step.error();
            if (*step == Step::quoted_body) return Event{.kind = Event::Kind::body_begins};
            if (*step == Step::literal) {
                const auto kind = state_ == State::body ? Event::Kind::body_begins : Event::Kind::more;
                response_bytes_ += line_bytes_;
                return Event{.kind = kind, .used_bytes = std::exchange(line_bytes_, 0)};
            }
        } else if (ended_) {
            return errc::malformed_response;
        } else if (line[at_] == ')') {
            ended_ = true;
            ++at_;
        } else {
            const auto named = read_item_name(line);
            if (!named) return named.error();
        }
    }
    if (!ended_) return errc::malformed_response;
    state_ = State::line;
    response_bytes_ = 0;
    return Event{.kind = Event::Kind::fetched, .used_bytes = std::exchange(line_bytes_, 0)};
}

Result<void> ResponseReader::read_item_name(std::string_view line) {
    const std::size_t end = word_end(line, at_, Brackets::end_it);
    const std::string_view name = line.substr(at_, end - at_);
    if (name.empty()) return errc::malformed_response;
    at_ = end;
    value_of_ = Item::other;
    if (end < line.size() && line[end] == '[') {
        const std::size_t close = line.find(']', end);
        if (close == std::string_view::npos) return errc::malformed_response;
        at_ = close + 1;
        const std::string_view origin = take_word(line);
        const std::string_view section = line.substr(end + 1, close - end - 1);
        const bool is_head = text::starts_with_same(section, "HEADER.FIELDS ");
        if (!text::same(name, "BODY") || !(section.empty() || is_head)) return {};
        if (saw_body_) return errc::malformed_response;
        if (!origin.empty()) {
            if (!origin.starts_with('<') || !origin.ends_with('>')) return errc::malformed_response;
            origin_ = text::number<std::uint64_t>(origin.substr(1, origin.size() - 2));
            if (!origin_) return errc::malformed_response;
        }
        saw_body_ = true;
        body_is_head_ = is_head;
        value_of_ = Item::body;
    } else if (text::same(name, "UID")) {
        value_of_ = Item::uid;
    } else if (text::same(name, "FLAGS")) {
        value_of_ = Item::flags;
    } else if (text::same(name, "INTERNALDATE")) {
        value_of_ = Item::date;
    } else if (text::same(name, "RFC822.SIZE")) {
        value_of_ = Item::size;
    } else if (text::same(name, "X-GM-MSGID") || text::same(name, "EMAILID")) {
        value_of_ = Item::email_id;
    }
    return {};
}

Result<ResponseReader::Step> ResponseReader::read_value(std::string_view line) {
    switch (value_of_) {
        case Item::body:
            return read_body_value(line);
        case Item::uid: {
            const auto uid = text::number<Uid>(take_word(line));
            if (!uid || *uid == 0) return errc::malformed_response;
            item_.uid = *uid;
            break;
        }
        case Item::size:
            // Exchange 2026-11: an estimate, and once seen negative.
            item_.size = text::number<std::uint64_t>(take_word(line)).value_or(0);
            break;
        case Item::date:
            if (line[at_] != '"') return skip_unfit(line);
            if (!take_quoted(line, at_, &item_.internal_date)) return errc::malformed_response;
            break;
        case Item::email_id: {  // 1278455344230334865, or (M6d99ac3275bb4e)
            const auto from = at_ + (line[at_] == '(' ? 1 : 0);
            const auto end = word_end(line, from, Brackets::belong_to_it);
            const auto id = line.substr(from, end - from);
            const bool whole = from == at_ || (end < line.size() && line[end] == ')');
            if (!whole || !is_email_id(id)) return skip_unfit(line);
            item_.email_id = id;
            at_ = end + (from - at_);
            break;
        }
        case Item::flags:
            if (line[at_] != '(') return skip_unfit(line);
            for (++at_;;) {
                at_ = after_blanks(line, at_);
                if (at_ < line.size() && line[at_] == ')') break;
                const std::string_view flag = take_word(line);
                if (flag.empty()) return errc::malformed_response;
                item_.flags.emplace_back(flag);
            }
            ++at_;
            break;
        case Item::other:
        case Item::none:
            return skip_value(line);
    }
    value_of_ = Item::none;
    return Step::go_on;
}

Result<ResponseReader::Step> ResponseReader::read_body_value(std::string_view line) {
    if (line[at_] == '{' || line[at_] == '~') {
        auto begun = begin_literal(line, State::body, limits_.body_bytes_max);
        item_.body_bytes = literal_left_;
        item_.has_body = literal_left_ > 0;
        return begun;
    }
    value_of_ = Item::none;
    if (line[at_] == '"') {
        if (!take_quoted(line, at_, &unquoted_)) return errc::malformed_response;
        if (unquoted_.size() > limits_.body_bytes_max) return errc::literal_too_long;
        item_.body_bytes = unquoted_.size();
        item_.has_body = !unquoted_.empty();
        if (!item_.has_body) return Step::go_on;
        state_ = State::quoted_body;
        return Step::quoted_body;
    }
    if (!text::same(take_word(line), "NIL")) return errc::malformed_response;
    return Step::go_on;
}

Result<ResponseReader::Event> ResponseReader::read_quoted_body(std::string_view) {
    state_ = State::fetch_line;
    return Event{.kind = Event::Kind::body_bytes, .text = unquoted_};
}

/// A value that is not of the item's form. What it holds, if it is a list, is no value of the item either.
Result<ResponseReader::Step> ResponseReader::skip_unfit(std::string_view line) {
    value_of_ = Item::other;
    return skip_value(line);
}

/// One step into, through or out of a value that nobody wants, lists included.
Result<ResponseReader::Step> ResponseReader::skip_value(std::string_view line) {
    const char c = line[at_];
    if (c == '(') {
        if (++depth_ > limits_.nesting_max) return errc::nesting_too_deep;
        ++at_;
    } else if (c == ')') {
        if (depth_ == 0) return errc::malformed_response;
        --depth_;
        ++at_;
    } else if (c == '"') {
        if (!take_quoted(line, at_, nullptr)) return errc::malformed_response;
    } else if (c == '{' || c == '~') {
        return begin_literal(line, State::skipped_literal, limits_.small_literal_bytes_max);
    } else {
        take_word(line);
    }
    if (depth_ == 0) value_of_ = Item::none;
    return Step::go_on;
}

Result<ResponseReader::Step> ResponseReader::begin_literal(std::string_view line, State state,
                                                           std::uint64_t bytes_max) {
    const auto announced = literal_announced(line);
    if (!announced || line.size() - announced->text_bytes != at_) return errc::malformed_response;
    if (!announced->bytes || *announced->bytes > bytes_max) return errc::literal_too_long;
    literal_left_ = *announced->bytes;
    if (literal_left_ > 0) state_ = state;
    if (depth_ == 0) value_of_ = Item::none;
    return Step::literal;
}

/// Up to a blank or parenthesis; may be empty.
std::string_view ResponseReader::take_word(std::string_view line) noexcept {
    const std::size_t end = word_end(line, at_, Brackets::belong_to_it);
    const std::string_view word = line.substr(at_, end - at_);
    at_ = end;
    return word;
}

}  // namespace imap

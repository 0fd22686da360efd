#include "protocols/smtp/data.hpp"

#include <algorithm>
#include <cstring>

namespace smtp {
namespace {

constexpr std::size_t npos = std::string_view::npos;

bool has_eight_bit(std::string_view bytes) noexcept {
    std::uint64_t bits = 0;
    for (std::uint64_t word = 0; bytes.size() >= sizeof word; bytes.remove_prefix(sizeof word)) {
        std::memcpy(&word, bytes.data(), sizeof word);
        bits |= word;
    }
    for (const char c : bytes) bits |= static_cast<unsigned char>(c);
    return (bits & 0x8080808080808080U) != 0;
}

}  // namespace

Result<void> DotStuffing::put(std::string_view chunk, std::string& out) {
    if (chunk.empty()) return {};
    if (at_ == At::after_cr) {
        if (chunk.front() != '\n') return errc::body_not_canonical;
        out += "\r\n";
        at_ = At::line_begin;
        chunk.remove_prefix(1);
    }
    std::size_t copied = 0;  // what lies before is in `out`
    std::size_t begin = 0;   // of the line
    while (begin < chunk.size()) {
        if (at_ == At::line_begin && chunk[begin] == '.') {
            out.append(chunk, copied, begin - copied);
            out += '.';
            copied = begin;
        }
        const std::size_t end = chunk.find('\n', begin);
        const bool ends = end != npos;
        std::string_view line = chunk.substr(begin, ends ? end - begin : npos);
        const bool after_cr = line.ends_with('\r');
        if (after_cr) line.remove_suffix(1);
        if (line.find('\r') != npos || (ends && !after_cr)) return errc::body_not_canonical;
        if (!ends) {
            out.append(chunk, copied, begin + line.size() - copied);
            at_ = after_cr ? At::after_cr : At::line;
            return {};
        }
        at_ = At::line_begin;
        begin = end + 1;
    }
    out.append(chunk, copied);
    return {};
}

Result<void> DotStuffing::finish(std::string& out) {
    if (at_ == At::after_cr) return errc::body_not_canonical;
    out += at_ == At::line ? "\r\n.\r\n" : ".\r\n";
    at_ = At::line_begin;
    return {};
}

void BodyInspection::take(std::string_view chunk) {
    if (chunk.empty()) return;
    facts_.bytes += chunk.size();
    facts_.nul = facts_.nul || chunk.find('\0') != npos;
    facts_.eight_bit = facts_.eight_bit || has_eight_bit(chunk);

    while (!chunk.empty()) {
        const std::size_t end = chunk.find('\n');
        const std::string_view line = chunk.substr(0, end);
        if (after_cr_ && !line.empty()) facts_.bare_cr = true;  // the CR at the end of the last chunk
        const bool ends_with_cr = line.empty() ? after_cr_ : line.back() == '\r';
        facts_.bare_cr = facts_.bare_cr || line.substr(0, line.empty() ? 0 : line.size() - 1).find('\r') != npos;
        line_bytes_ += line.size();
        after_cr_ = ends_with_cr;
        if (end == npos) break;
        facts_.bare_lf = facts_.bare_lf || !ends_with_cr;
        facts_.line_bytes_max = std::max(facts_.line_bytes_max, line_bytes_ - (ends_with_cr ? 1 : 0));
        line_bytes_ = 0;
        after_cr_ = false;
        facts_.ends_with_crlf = ends_with_cr;
        chunk.remove_prefix(end + 1);
    }
}

BodyFacts BodyInspection::facts() const noexcept {
    BodyFacts facts = facts_;
    facts.line_bytes_max = std::max(facts.line_bytes_max, line_bytes_);
    facts.bare_cr = facts.bare_cr || after_cr_;
    facts.ends_with_crlf = facts.ends_with_crlf && line_bytes_ == 0;
    return facts;
}

void Canonicalisation::put(std::string_view chunk, std::string& out) {
    if (chunk.empty()) return;
    if (after_cr_) {
        line_begin_ = chunk.front() == '\n';
        out += line_begin_ ? "\r\n" : " ";
        if (line_begin_) chunk.remove_prefix(1);
        after_cr_ = false;
    }
    std::size_t copied = 0;  // what lies before is in `out`
    std::size_t begin = 0;   // of the line, or of what is left of it
    while (begin < chunk.size()) {
        const std::size_t end = chunk.find('\n', begin);
        const std::string_view line = chunk.substr(begin, end == npos ? npos : end - begin);
        const std::size_t cr = line.find('\r');
        const bool last = cr + 1 == line.size() && cr != npos;
        if (end != npos && last) {
            begin = end + 1;
            line_begin_ = true;
        } else if (end != npos && cr == npos) {
            out.append(chunk, copied, end - copied);
            out += "\r\n";
            copied = begin = end + 1;
            line_begin_ = true;
        } else if (cr == npos) {
            begin = chunk.size();
            line_begin_ = false;
        } else {
            out.append(chunk, copied, begin + cr - copied);
            copied = begin += cr + 1;
            after_cr_ = last;  // the chunk's last byte, then
            if (!last) out += ' ';
            line_begin_ = line_begin_ && cr == 0 && last;
        }
    }
    out.append(chunk, copied);
}

void Canonicalisation::finish(std::string& out) {
    if (after_cr_) out += ' ';
    if (after_cr_ || !line_begin_) out += "\r\n";
    after_cr_ = false;
    line_begin_ = true;
}

}  // namespace smtp

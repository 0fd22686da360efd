#include "engine/submission/preparation.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "engine/submission/record.hpp"
#include "protocols/base/text.hpp"
#include "protocols/base/utf8.hpp"
#include "protocols/mime/addresses.hpp"
#include "protocols/mime/folding.hpp"
#include "protocols/mime/headers.hpp"
#include "protocols/smtp/address.hpp"

namespace submission {
namespace {

constexpr std::size_t subject_bytes_max = 200;
constexpr std::size_t header_piece_bytes = 1024;

bool is_ascii(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto point = text::first_code_point(bytes);
        if (!point) return false;
        bytes.remove_prefix(point->bytes);
    }
    return true;
}

/// RFC 5322 §3.6.8: printable ASCII but the colon.
bool is_field_name(std::string_view name) {
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

/// Where the header section of canonical bytes ends, its empty line included; npos: not in sight.
std::size_t section_end(std::string_view bytes) {
    if (bytes.starts_with("\r\n")) return 2;
    const auto blank = bytes.find("\r\n\r\n");
    return blank == std::string_view::npos ? blank : blank + 4;
}

}  // namespace

std::string date_of(WallTime time) {
    return fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

/// NUL and line ends, as they came.
Result<void> Preparation::judged(const smtp::BodyFacts& facts) const {
    if (facts.nul) return errc::nul_byte;
    const bool strict = options_.line_ends == Options::LineEnds::crlf_only;
    if (strict && (facts.bare_lf || facts.bare_cr)) return errc::bare_line_end;
    return {};
}

Result<void> Preparation::put(std::string_view chunk, std::string& out) {
    inspection_.take(chunk);
    const auto sound = judged(inspection_.so_far());
    if (!sound) return sound.error();
    // In pieces, so that little of the body is copied with the section.
    while (!in_body_ && !chunk.empty()) {
        const auto piece = chunk.substr(0, header_piece_bytes);
        chunk.remove_prefix(piece.size());
        const auto taken = put_header(piece, out);
        if (!taken) return taken.error();
    }
    const auto before = out.size();
    canonical_.put(chunk, out);
    facts_.bytes += out.size() - before;
    return {};
}

Result<void> Preparation::put_header(std::string_view piece, std::string& out) {
    const std::size_t seen = headers_.size() < 3 ? 0 : headers_.size() - 3;  // no section ends there
    canonical_.put(piece, headers_);
    if (headers_.starts_with("\r\n") || headers_.find("\r\n\r\n", seen) != std::string::npos) return end_headers(out);
    if (headers_.size() > header_bytes_max) return errc::headers_too_long;
    return {};
}

Result<Preparation::Facts> Preparation::finish(std::string& out) {
    const auto facts = inspection_.facts();
    const auto sound = judged(facts);
    if (!sound) return sound.error();
    facts_.eight_bit = facts.eight_bit;
    facts_.long_lines = facts.line_bytes_max > mime::line_bytes_max;
    const auto before = out.size();
    if (in_body_) {
        canonical_.finish(out);
        facts_.bytes += out.size() - before;
        return std::move(facts_);
    }
    canonical_.finish(headers_);
    if (headers_.empty()) return errc::empty;
    headers_ += "\r\n";  // a message without a body
    const auto ended = end_headers(out);
    if (!ended) return ended.error();
    return std::move(facts_);
}

/// `headers_` holds the whole section, and perhaps the beginning of the body.
Result<void> Preparation::end_headers(std::string& out) {
    const auto before = out.size();
    std::string_view section = headers_;
    const auto end = section_end(section);
    const std::string_view body = section.substr(end);
    section = section.substr(0, end - 2);
    if (section.size() > header_bytes_max) return errc::headers_too_long;
    if (!options_.received.empty()) out += fmt::format("Received: {}\r\n", options_.received);
    if (!options_.mark.empty()) out += fmt::format("{}: {}\r\n", mark_header, options_.mark);
    while (!section.empty()) {
        std::size_t length = section.find("\r\n");
        while (length + 2 < section.size() && (section[length + 2] == ' ' || section[length + 2] == '\t'))
            length = section.find("\r\n", length + 2);
        const auto taken = take_field(section.substr(0, length + 2), out);
        if (!taken) return taken.error();
        section.remove_prefix(length + 2);
    }
    if (received_ > received_max) return errc::loop;
    if (from_addresses_ > 1 && !has_sender_) return errc::several_from;
    if (!has_from_ && !options_.from.empty()) out += fmt::format("From: <{}>\r\n", options_.from);
    if (!has_date_) out += fmt::format("Date: {}\r\n", date_of(options_.now));
    if (facts_.message_id.empty()) {
        const auto at = facts_.from ? facts_.from->rfind('@') : std::string::npos;
        const auto domain = at == std::string::npos ? std::string() : facts_.from->substr(at + 1);
        facts_.message_id =
            fmt::format("<{}@{}>", options_.mark, smtp::is_domain(domain) ? domain : options_.id_domain);
        out += fmt::format("Message-ID: {}\r\n", facts_.message_id);
    }
    out += "\r\n";
    out += body;
    facts_.bytes += out.size() - before;
    headers_.clear();
    headers_.shrink_to_fit();
    in_body_ = true;
    return {};
}

/// True: it was one. Each stands once, with a value.
Result<bool> Preparation::take_wish(std::string_view name, std::string_view value) {
    std::string* wish = text::same(name, "X-Rohrpost-Key")          ? &facts_.wishes.key
                        : text::same(name, "X-Rohrpost-Lane")       ? &facts_.wishes.lane
                        : text::same(name, "X-Rohrpost-Not-Before") ? &facts_.wishes.not_before
                                                                    : nullptr;
    if (wish == nullptr) return false;
    if (!wish->empty() || value.empty()) return errc::bad_wish;
    *wish = mime::unfolded(value);
    return true;
}

Result<void> Preparation::take_field(std::string_view field, std::string& out) {
    const auto colon = field.find(':');
    if (colon == std::string_view::npos) return errc::header_malformed;
    const std::string_view name = text::trimmed(field.substr(0, colon));
    if (!is_field_name(name) || field.front() == ' ' || field.front() == '\t') return errc::header_malformed;
    if (!is_ascii(field)) {
        if (!is_utf8(field)) return errc::header_not_utf8;
        facts_.utf8_headers = true;
    }
    const std::string_view value = text::trimmed(field.substr(colon + 1));
    if (options_.takes_wishes) {
        const auto wish = take_wish(name, value);
        if (!wish) return wish.error();
        if (*wish) return {};
    }
    const bool is_to = text::same(name, "To"), is_cc = text::same(name, "Cc"), is_bcc = text::same(name, "Bcc");
    if (is_to || is_cc || is_bcc) {
        const auto addresses = mime::addresses_in(value);
        if (addresses) facts_.recipients.insert(facts_.recipients.end(), addresses->begin(), addresses->end());
        facts_.recipients_readable = facts_.recipients_readable && addresses.has_value();
    }
    if (is_bcc || text::same(name, "Resent-Bcc")) return {};  // nobody else learns of them
    if (text::same(name, mark_header)) return {};             // ours is the only one
    if (text::same(name, "Received")) ++received_;
    if (text::same(name, "Date")) has_date_ = true;
    if (text::same(name, "Subject")) facts_.subject = mime::unfolded(value).substr(0, subject_bytes_max);
    if (text::same(name, "Message-ID")) {
        const auto id = mime::unfolded(value);
        if (id.size() < 3 || id.front() != '<' || id.back() != '>' || id.find_first_of(" \"\\") != std::string::npos)
            return {};
        if (!facts_.message_id.empty()) return {};  // a second one is dropped
        facts_.message_id = id;
    }
    const bool is_from = text::same(name, "From"), is_sender = text::same(name, "Sender");
    if (is_from || is_sender) {
        const auto addresses = mime::addresses_in(value);
        if (!addresses || addresses->empty()) return errc::header_malformed;
        if (is_from) from_addresses_ += addresses->size();
        (is_from ? has_from_ : has_sender_) = true;
        if (is_sender || !facts_.from) facts_.from = addresses->front();
    }
    out += field;
    return {};
}

}  // namespace submission

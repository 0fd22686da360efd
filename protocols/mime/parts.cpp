#include "protocols/mime/parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocols/base/text.hpp"
#include "protocols/mime/headers.hpp"
#include "protocols/mime/transfer_decoding.hpp"

namespace mime {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::size_t name_bytes_max = 200;

/// The line at the front of `bytes`, with its end.
std::string_view line_at(std::string_view bytes) noexcept {
    const auto end = bytes.find('\n');
    return bytes.substr(0, end == npos ? npos : end + 1);
}

bool is_empty_line(std::string_view line) noexcept { return line == "\r\n" || line == "\n"; }
bool is_indented(std::string_view line) noexcept { return line.starts_with(' ') || line.starts_with('\t'); }

/// Where the colon of a field stands; npos: the line is none.
std::size_t colon_of(std::string_view line) noexcept {
    const auto colon = line.substr(0, name_bytes_max).find(':');
    if (colon == npos || colon == 0) return npos;
    const auto name = text::trimmed(line.substr(0, colon));
    const bool good =
        !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
    return good ? colon : npos;
}

/// How many bytes of `bytes` are lines that go on with the line before.
std::size_t continued_bytes(std::string_view bytes) noexcept {
    std::size_t at = 0;
    while (at < bytes.size() && is_indented(bytes.substr(at))) at += line_at(bytes.substr(at)).size();
    return at;
}

Entity::Encoding encoding_of(std::string_view value) {
    auto word = text::lowered(text::trimmed(unfolded(value)));
    word = word.substr(0, word.find_first_of(" ;("));
    using Encoding = Entity::Encoding;
    if (word == "base64") return Encoding::base64;
    if (word == "quoted-printable") return Encoding::quoted_printable;
    if (word.empty() || word == "7bit" || word == "8bit" || word == "binary") return Encoding::identity;
    return Encoding::unknown;
}

bool is_type(std::string_view text) noexcept {
    const auto slash = text.find('/');
    return slash != npos && slash > 0 && slash + 1 < text.size() && text.find_first_of(" \t;") == npos;
}

/// Goes through a mail once.
class Reader {
public:
    Reader(std::string_view mail, const Limits& limits) : mail_(mail), limits_(limits) {}

    Parts read() {
        open_part();
        while (parts_.unreadable_because.empty() && at_ < mail_.size()) {
            const auto found = next_boundary();
            if (!found) break;
            close_parts(*found);
            if (!found->closing) open_part();
        }
        while (!open_.empty()) close_part(mail_.size());
        parts_.unended = !levels_.empty();
        return std::move(parts_);
    }

private:
    struct Level {
        std::string boundary;
        std::size_t part;  // the multipart
    };
    struct Boundary {
        std::size_t level;
        bool closing;
        std::size_t body_end;  // of what stands before it
    };

    /// The header section at at_ is that of a part, and of what begins in it.
    void open_part() {
        bool digest = !levels_.empty() && parts_.all[levels_.back().part].type.value == "multipart/digest";
        for (;;) {
            if (parts_.all.size() == limits_.parts_max)
                return give_up(fmt::format("more than {} parts", limits_.parts_max));
            if (open_.size() > limits_.depth_max)
                return give_up(fmt::format("parts in parts, more than {} deep", limits_.depth_max));
            Part part;
            part.parent = open_.empty() ? 0 : open_.back();
            part.depth = open_.size();
            part.head = head();
            describe(part, digest);
            const bool first = parts_.all.empty();
            open_.push_back(parts_.all.size());
            at_ += part.head.bytes;
            part.body = mail_.substr(std::min(at_, mail_.size()));
            const auto kind = part.kind;
            const bool too_long = part.head.too_long;
            const auto boundary = std::string(part.type.at("boundary"));
            parts_.all.push_back(std::move(part));
            if (too_long)
                return give_up(first ? fmt::format("a header section of more than {} bytes or {} fields",
                                                   limits_.header_bytes_max, limits_.fields_max)
                                     : fmt::format("a part's header section of more than {} bytes or {} fields",
                                                   limits_.part_header_bytes_max, limits_.fields_max));
            if (kind == Part::Kind::multipart) levels_.push_back({boundary, open_.back()});
            if (kind != Part::Kind::message) return;
            digest = false;  // what lies in a message/rfc822 begins right away
        }
    }

    /// The section at at_: it ends at a boundary at the latest.
    HeaderSection head() {
        auto limits = limits_;
        if (!parts_.all.empty()) limits.header_bytes_max = limits_.part_header_bytes_max;
        auto section = mail_.substr(at_);
        if (levels_.empty()) return read_header_section(section, limits);
        const auto window = section.substr(0, limits.header_bytes_max + 1);
        for (std::size_t line = 0; line < window.size();) {
            const auto text = line_at(window.substr(line));
            if (is_empty_line(text)) break;
            if (boundary_at(at_ + line)) {
                section = section.substr(0, line);
                break;
            }
            line += text.size();
        }
        return read_header_section(section, limits);
    }

    void describe(Part& part, bool digest) const {
        part.type.value = digest ? "message/rfc822" : "text/plain";
        const auto type = part.head.value("Content-Type");
        if (!type.empty()) {
            auto named = read_parameters(type);
            // Anything else is text/plain (RFC 2045 §5.2), also what some wrote as "text".
            if (!is_type(named.value)) named.value = "text/plain";
            part.type = std::move(named);
        }
        if (const auto disposition = part.head.value("Content-Disposition"); !disposition.empty())
            part.disposition = read_parameters(disposition);
        part.encoding = encoding_of(part.head.value("Content-Transfer-Encoding"));
        const auto boundary = part.type.at("boundary");
        const bool identity = part.encoding == Entity::Encoding::identity;
        // An encoding of a multipart means nothing; readers look at the boundary alone.
        if (part.type.value.starts_with("multipart/") && !boundary.empty() && boundary.size() <= boundary_bytes_max)
            part.kind = Part::Kind::multipart;
        else if ((part.type.value == "message/rfc822" || part.type.value == "message/global") && identity)
            part.kind = Part::Kind::message;
    }

    /// The boundary of an open level in the line at `at`.
    [[nodiscard]] std::optional<Boundary> boundary_at(std::size_t at) const {
        const auto text = mail_.substr(at);
        if (!text.starts_with("--")) return std::nullopt;
        auto line = line_at(text.substr(0, boundary_bytes_max + 500)).substr(2);
        while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
        std::optional<Boundary> loose;
        for (std::size_t level = levels_.size(); level-- > 0;) {
            const auto& boundary = levels_[level].boundary;
            if (!line.starts_with(boundary)) continue;
            auto rest = line.substr(boundary.size());
            const bool closing = rest.starts_with("--");
            if (closing) rest.remove_prefix(2);
            const Boundary found{level, closing, at};
            if (text::trimmed(rest).empty()) return found;
            // What begins alike may be the boundary of an outer part; if it is nobody's, RFC 2046 §5.1.1 lets it be.
            if (closing && !loose) loose = found;
        }
        return loose;
    }

    /// From at_ on, which is the begin of a line; at_ is behind it then.
    std::optional<Boundary> next_boundary() {
        if (levels_.empty()) return std::nullopt;
        auto line = at_;
        for (;;) {
            if (auto found = boundary_at(line)) {
                found->body_end = line;
                if (found->body_end > 0 && mail_[found->body_end - 1] == '\n') --found->body_end;
                if (found->body_end > 0 && found->body_end < line && mail_[found->body_end - 1] == '\r')
                    --found->body_end;
                at_ = line + line_at(mail_.substr(line)).size();
                return found;
            }
            const auto next = mail_.find("\n--", line);
            if (next == npos) return std::nullopt;
            line = next + 1;
        }
    }

    void close_part(std::size_t end) {
        auto& part = parts_.all[open_.back()];
        const auto begin = static_cast<std::size_t>(part.body.data() - mail_.data());
        part.body = mail_.substr(std::min(begin, end), end > begin ? end - begin : 0);
        open_.pop_back();
    }

    /// What is open within the multipart that the boundary belongs to; with its last one, the multipart itself.
    void close_parts(const Boundary& found) {
        const auto multipart = levels_[found.level].part;
        while (open_.back() != multipart) close_part(found.body_end);
        levels_.erase(levels_.begin() + static_cast<std::ptrdiff_t>(found.level) + 1, levels_.end());
        if (!found.closing) return;
        levels_.pop_back();
        close_part(found.body_end);
    }

    void give_up(std::string why) { parts_.unreadable_because = std::move(why); }

    std::string_view mail_;
    Limits limits_;
    std::size_t at_ = 0;
    Parts parts_;
    std::vector<Level> levels_;
    std::vector<std::size_t> open_;  // places of the parts that have not ended
};

}  // namespace

const HeaderField* HeaderSection::field(std::string_view name) const noexcept {
    for (const auto& one : fields) {
        if (one.name.size() == name.size() && text::same(one.name, name)) return &one;
    }
    return nullptr;
}

std::string_view HeaderSection::value(std::string_view name) const noexcept {
    const auto* found = field(name);
    return found == nullptr ? std::string_view() : found->value;
}

HeaderSection read_header_section(std::string_view bytes, const Limits& limits) {
    HeaderSection section;
    const auto window = bytes.substr(0, limits.header_bytes_max);
    auto& at = section.bytes;
    while (at < window.size()) {
        const auto line = line_at(window.substr(at));
        if (is_empty_line(line)) {
            at += line.size();
            section.complete = true;
            return section;
        }
        const auto colon = colon_of(line);
        const auto size = line.size() + continued_bytes(window.substr(at + line.size()));
        if (colon == npos || is_indented(line)) {
            section.broken = true;
            const auto follows = line_at(window.substr(std::min(at + size, window.size())));
            const bool goes_on = is_empty_line(follows) || (colon_of(follows) != npos && !is_indented(follows));
            if (!goes_on) return section;  // a body without an empty line before it
            at += size;
            continue;
        }
        if (section.fields.size() == limits.fields_max) {
            section.too_long = true;
            return section;
        }
        HeaderField field;
        field.name = text::trimmed(line.substr(0, colon));
        field.value = text::trimmed(window.substr(at + colon + 1, size - colon - 1));
        section.fields.push_back(field);
        at += size;
    }
    section.too_long = bytes.size() > window.size();
    return section;
}

Parts read_parts(std::string_view mail, const Limits& limits) { return Reader(mail, limits).read(); }

std::string decoded_body(const Part& part, std::size_t bytes_max) {
    switch (part.encoding) {
        case Entity::Encoding::base64:
            return decoded_base64(part.body, bytes_max);
        case Entity::Encoding::quoted_printable:
            return decoded_quoted_printable(part.body, bytes_max);
        case Entity::Encoding::identity:
        case Entity::Encoding::unknown:
            break;
    }
    return std::string(part.body.substr(0, bytes_max));
}

std::size_t decoded_body_bytes(const Part& part) {
    if (part.encoding == Entity::Encoding::base64) return decoded_base64_bytes(part.body);
    if (part.encoding == Entity::Encoding::quoted_printable) return decoded_quoted_printable(part.body).size();
    return part.body.size();
}

}  // namespace mime

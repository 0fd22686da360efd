#include "protocols/mime/entity.hpp"

#include <algorithm>
#include <vector>

#include "protocols/base/text.hpp"
#include "protocols/mime/headers.hpp"

namespace mime {
namespace {

constexpr std::size_t parameters_max = 100;

/// A value without its comments, and its pieces between ";" outside of quotes. nullopt: a quote or comment without end,
/// or too many pieces.
std::optional<std::vector<std::string>> pieces_of(std::string_view value) {
    std::vector<std::string> pieces(1);
    std::size_t depth = 0;
    bool quoted = false;
    for (std::size_t at = 0; at < value.size(); ++at) {
        const char c = value[at];
        if (c == '\\' && (quoted || depth > 0)) {
            if (depth == 0) pieces.back() += c;
            if (++at < value.size() && depth == 0) pieces.back() += value[at];
            continue;
        }
        if (c == '"' && depth == 0) quoted = !quoted;
        if (c == '(' && !quoted) ++depth;
        if (depth == 0 && c == ';' && !quoted) {
            if (pieces.size() == parameters_max) return std::nullopt;
            pieces.emplace_back();
        } else if (depth == 0) {
            pieces.back() += c;
        }
        if (c == ')' && depth > 0) --depth;
    }
    if (quoted || depth > 0) return std::nullopt;
    return pieces;
}

std::string unquoted(std::string_view text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
    std::string plain;
    text = text.substr(1, text.size() - 2);
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        plain += text[at];
    }
    return plain;
}

bool is_boundary(std::string_view text) {
    return !text.empty() && text.size() <= boundary_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

bool is_type(std::string_view text) {
    const auto slash = text.find('/');
    return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return c > ' ' && c < 0x7f && std::string_view("()<>@,;:\\\"[]?=").find(c) == std::string_view::npos;
           });
}

void read_type(std::string_view value, Entity& entity) {
    const auto pieces = pieces_of(unfolded(value));
    if (!pieces) {
        entity.readable = false;
        return;
    }
    const auto type = text::lowered(text::trimmed(pieces->front()));
    // Anything else is text/plain. RFC 2045 §5.2.
    entity.type = is_type(type) ? type : "text/plain";
    bool has_boundary = false;
    for (std::size_t at = 1; at < pieces->size(); ++at) {
        const std::string_view piece = (*pieces)[at];
        const auto equals = piece.find('=');
        const auto name = text::trimmed(piece.substr(0, equals));
        if (text::starts_with_same(name, "boundary*")) entity.readable = false;  // RFC 2231: few read that
        if (equals == std::string_view::npos || !text::same(name, "boundary")) continue;
        if (has_boundary) entity.readable = false;
        has_boundary = true;
        entity.boundary = unquoted(text::trimmed(piece.substr(equals + 1)));
        entity.boundary.erase(entity.boundary.find_last_not_of(' ') + 1);
    }
    const bool multipart = entity.type.starts_with("multipart/");
    if (multipart && !is_boundary(entity.boundary)) entity.readable = false;
}

void read_encoding(std::string_view value, Entity& entity) {
    const auto pieces = pieces_of(unfolded(value));
    const auto word = pieces ? text::lowered(text::trimmed(pieces->front())) : std::string("?");
    using Encoding = Entity::Encoding;
    entity.labelled_beyond_seven_bit = word == "8bit" || word == "binary";
    if (entity.labelled_beyond_seven_bit || word == "7bit" || word.empty())
        entity.encoding = Encoding::identity;
    else if (word == "quoted-printable")
        entity.encoding = Encoding::quoted_printable;
    else
        entity.encoding = word == "base64" ? Encoding::base64 : Encoding::unknown;
}

}  // namespace

std::optional<Field> take_field(std::string_view& section) {
    if (section.empty() || section.starts_with("\r\n")) return std::nullopt;
    std::size_t end = section.find('\n');
    while (end != std::string_view::npos && end + 1 < section.size() &&
           (section[end + 1] == ' ' || section[end + 1] == '\t'))
        end = section.find('\n', end + 1);
    Field field;
    field.whole = section.substr(0, end == std::string_view::npos ? end : end + 1);
    section.remove_prefix(field.whole.size());
    const auto colon = std::min(field.whole.find(':'), field.whole.size());
    field.name = text::trimmed(field.whole.substr(0, colon));
    field.value = field.whole.substr(std::min(colon + 1, field.whole.size()));
    return field;
}

Entity entity_of(std::string_view section, DefaultType standard) {
    Entity entity;
    if (standard == DefaultType::message_rfc822) entity.type = "message/rfc822";
    while (const auto field = take_field(section)) {
        if (text::same(field->name, "MIME-Version")) entity.has_version = true;
        if (text::same(field->name, "Content-Type")) {
            if (entity.has_type) entity.readable = false;
            if (!entity.has_type) read_type(field->value, entity);
            entity.has_type = true;
        }
        if (text::same(field->name, "Content-Transfer-Encoding")) {
            if (entity.has_encoding) entity.readable = false;
            if (!entity.has_encoding) read_encoding(field->value, entity);
            entity.has_encoding = true;
        }
    }
    if (!entity.readable || entity.encoding != Entity::Encoding::identity) return entity;
    if (entity.type.starts_with("multipart/")) entity.kind = Entity::Kind::multipart;
    if (entity.type == "message/rfc822") entity.kind = Entity::Kind::message;
    return entity;
}

}  // namespace mime

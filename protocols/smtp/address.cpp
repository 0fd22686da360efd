#include "protocols/smtp/address.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "protocols/base/text.hpp"
#include "protocols/base/utf8.hpp"

namespace smtp {
namespace {

constexpr std::size_t label_bytes_max = 63;

bool is_letter_or_digit(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_atom_text(char c) noexcept {
    return is_letter_or_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_ascii(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// How many bytes of a character beyond ASCII stand at the front; 0: none that is printable.
std::size_t foreign_bytes(std::string_view text) noexcept {
    const auto point = text::first_code_point(text);
    return point && point->bytes > 1 && text::is_printable(point->value) ? point->bytes : 0;
}

/// The bytes of `text` up to the "@" behind a quoted string; 0: it does not begin with one.
std::size_t quoted_bytes(std::string_view text) noexcept {
    for (std::size_t at = 1; at < text.size();) {
        const char c = text[at];
        if (c == '"') return at + 1;
        if (c == '\\') {
            if (at + 1 == text.size() || text[at + 1] < 0x20 || text[at + 1] > 0x7e) return 0;
            at += 2;
        } else if (c >= 0x20 && c <= 0x7e) {
            ++at;
        } else {
            const std::size_t bytes = foreign_bytes(text.substr(at));
            if (bytes == 0) return 0;
            at += bytes;
        }
    }
    return 0;
}

/// The bytes of the dot-string that `text` begins with; 0: none.
std::size_t dot_string_bytes(std::string_view text) noexcept {
    std::size_t at = 0;
    bool in_atom = false;
    while (at < text.size()) {
        const std::size_t bytes = is_atom_text(text[at]) ? 1 : foreign_bytes(text.substr(at));
        if (bytes > 0) {
            in_atom = true;
            at += bytes;
        } else if (text[at] == '.' && in_atom) {
            in_atom = false;
            ++at;
        } else {
            break;
        }
    }
    return in_atom ? at : 0;
}

bool is_label(std::string_view label) noexcept {
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    for (std::size_t at = 0; at < label.size();) {
        const bool plain = is_letter_or_digit(label[at]) || label[at] == '-';
        const std::size_t bytes = plain ? 1 : foreign_bytes(label.substr(at));
        if (bytes == 0) return false;
        at += bytes;
    }
    return label.size() <= label_bytes_max || !is_ascii(label);  // how long the latter is in the DNS is not known here
}

}  // namespace

bool is_domain(std::string_view text) noexcept {
    if (text.size() > Address::domain_bytes_max) return false;
    for (;;) {
        const std::size_t dot = text.find('.');
        if (!is_label(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

bool is_address_literal(std::string_view text) noexcept {
    if (text.size() < 3 || text.front() != '[' || text.back() != ']') return false;
    std::string_view inner = text.substr(1, text.size() - 2);
    constexpr std::string_view mark = "IPv6:";
    const bool six = text::starts_with_same(inner, mark);
    if (six) inner.remove_prefix(mark.size());
    char terminated[INET6_ADDRSTRLEN] = {};
    if (inner.size() >= sizeof terminated || inner.find('\0') != std::string_view::npos) return false;
    inner.copy(terminated, inner.size());
    unsigned char bytes[16];
    return inet_pton(six ? AF_INET6 : AF_INET, terminated, bytes) == 1;
}

Result<Address> Address::of(std::string_view text) {
    if (text.size() > bytes_max) return errc::address_too_long;
    const bool quoted = !text.empty() && text.front() == '"';
    const std::size_t at = quoted ? quoted_bytes(text) : dot_string_bytes(text);
    if (at == 0 || at == text.size() || text[at] != '@') return errc::bad_address;
    const std::string_view domain = text.substr(at + 1);
    if (at > local_part_bytes_max) return errc::address_too_long;
    if (!is_domain(domain) && !is_address_literal(domain)) return errc::bad_address;
    return Address(text, at, !is_ascii(text));
}

}  // namespace smtp

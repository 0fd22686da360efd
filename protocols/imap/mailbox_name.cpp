#include "protocols/imap/mailbox_name.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "protocols/base/base64.hpp"
#include "protocols/base/utf8.hpp"

namespace imap {
namespace {

constexpr char32_t replacement = 0xfffd;

bool stands_for_itself(char c) noexcept { return c >= 0x20 && c <= 0x7e && c != '&'; }

/// Takes one code point off the front of `utf8`, one byte of what is no UTF-8.
char32_t take_code_point(std::string_view& utf8) noexcept {
    const auto first = text::first_code_point(utf8);
    utf8.remove_prefix(first ? first->bytes : 1);
    return first ? first->value : replacement;
}

void put_utf8(char32_t point, std::string& out) {
    const auto put = [&](char32_t bits) { out += static_cast<char>(bits); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xc0 | (point >> 6));
        put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        put(0xe0 | (point >> 12));
        put(0x80 | ((point >> 6) & 0x3f));
        put(0x80 | (point & 0x3f));
    } else {
        put(0xf0 | (point >> 18));
        put(0x80 | ((point >> 12) & 0x3f));
        put(0x80 | ((point >> 6) & 0x3f));
        put(0x80 | (point & 0x3f));
    }
}

void put_utf16(char32_t unit, std::string& out) {
    out += static_cast<char>((unit >> 8) & 0xff);
    out += static_cast<char>(unit & 0xff);
}

/// The text of one "&…-" run, without its ends; nullopt: no such run.
std::optional<std::string> run_decoded(std::string_view run) {
    std::string padded(run);
    std::replace(padded.begin(), padded.end(), ',', '/');
    padded.append((4 - padded.size() % 4) % 4, '=');
    const auto utf16 = base64_decoded(padded);
    if (!utf16 || utf16->empty() || utf16->size() % 2 != 0) return std::nullopt;
    const auto unit = [&](std::size_t at) -> char32_t {
        return static_cast<char32_t>(static_cast<unsigned char>((*utf16)[at]) << 8U) |
               static_cast<unsigned char>((*utf16)[at + 1]);
    };
    std::string text;
    for (std::size_t at = 0; at < utf16->size(); at += 2) {
        char32_t point = unit(at);
        if (point >= 0xdc00 && point <= 0xdfff) return std::nullopt;
        if (point >= 0xd800 && point <= 0xdbff) {
            at += 2;
            if (at == utf16->size() || unit(at) < 0xdc00 || unit(at) > 0xdfff) return std::nullopt;
            point = 0x10000 + ((point - 0xd800) << 10) + (unit(at) - 0xdc00);
        }
        put_utf8(point, text);
    }
    return text;
}

}  // namespace

std::string mailbox_name_to_utf7(std::string_view utf8) {
    std::string wire;
    while (!utf8.empty()) {
        if (stands_for_itself(utf8.front())) {
            wire += utf8.front();
            utf8.remove_prefix(1);
            continue;
        }
        if (utf8.front() == '&') {
            wire += "&-";
            utf8.remove_prefix(1);
            continue;
        }
        std::string utf16;
        while (!utf8.empty() && !stands_for_itself(utf8.front()) && utf8.front() != '&') {
            const char32_t point = take_code_point(utf8);
            if (point >= 0x10000) {
                put_utf16(0xd800 + ((point - 0x10000) >> 10), utf16);
                put_utf16(0xdc00 + ((point - 0x10000) & 0x3ff), utf16);
            } else {
                put_utf16(point, utf16);
            }
        }
        std::string run = base64_encoded(utf16);
        run.resize(std::min(run.find('='), run.size()));
        std::replace(run.begin(), run.end(), '/', ',');
        wire += '&' + run + '-';
    }
    return wire;
}

std::string mailbox_name_from_utf7(std::string_view wire) {
    std::string utf8;
    while (!wire.empty()) {
        const std::size_t plain = std::min(wire.find('&'), wire.size());
        utf8 += wire.substr(0, plain);
        wire.remove_prefix(plain);
        if (wire.empty()) break;
        const std::size_t end = wire.find_first_of("&-", 1);
        if (end == 1 && wire[end] == '-') {
            utf8 += '&';
            wire.remove_prefix(2);
            continue;
        }
        const bool is_run = end != std::string_view::npos && wire[end] == '-';
        const auto text = is_run ? run_decoded(wire.substr(1, end - 1)) : std::nullopt;
        if (!text) {
            utf8 += '&';
            wire.remove_prefix(1);
            continue;
        }
        utf8 += *text;
        wire.remove_prefix(end + 1);
    }
    return utf8;
}

}  // namespace imap

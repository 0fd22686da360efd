#include "engine/consumers/path_segment.hpp"

#include <openssl/sha.h>

#include <array>

namespace consumers {

namespace {

constexpr std::size_t segment_bytes_max = 200;
constexpr std::string_view hex = "0123456789ABCDEF";

bool stays(char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || std::string_view("@._+=-").find(c) != std::string_view::npos;
}

void append_hex(std::string& to, unsigned char byte) {
    to += hex[byte >> 4U];
    to += hex[byte & 15U];
}

}  // namespace

std::string path_segment(std::string_view name) {
    std::string segment;
    segment.reserve(name.size());
    for (const char c : name) {
        if (stays(c) && !(c == '.' && segment.empty())) {
            segment += c;
        } else {
            segment += '%';
            append_hex(segment, static_cast<unsigned char>(c));
        }
    }
    if (name.empty()) return "%";  // no other name gives this
    if (segment.size() <= segment_bytes_max) return segment;

    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest.data());
    segment.resize(segment_bytes_max - 2 - 2 * 16);
    segment += "%%";  // nor does a short name hold this
    for (std::size_t i = 0; i < 16; ++i) append_hex(segment, digest[i]);
    return segment;
}

std::string place_for(std::string_view path, std::string_view mailbox) {
    constexpr std::string_view mark = "{mailbox}";
    std::string place;
    for (;;) {
        const auto at = path.find(mark);
        place += path.substr(0, at);
        if (at == std::string_view::npos) return place;
        place += path_segment(mailbox);
        path.remove_prefix(at + mark.size());
    }
}

}  // namespace consumers

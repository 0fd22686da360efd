#include "tools/rohrpost-sim/message.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "protocols/base/ensure.hpp"
#include "protocols/base/text.hpp"

namespace sim {

namespace {

constexpr std::size_t line_bytes = 74;  // with CRLF
constexpr std::size_t pool_lines = 4096;

std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
}

std::uint64_t seed_of(std::string_view mailbox, std::uint32_t number) {
    std::uint64_t seed = 0xcbf29ce484222325U;
    for (const char c : mailbox) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return mixed(seed ^ (std::uint64_t{number} << 20U));
}

/// Lines of made-up words that all bodies are cut from.
const std::string& pool() {
    static const std::string lines = [] {
        constexpr std::string_view alphabet = "etaoinshrdlcumwfgypbvk";
        std::string text;
        std::uint64_t state = 1;
        for (std::size_t line = 0; line < pool_lines; ++line) {
            for (std::size_t at = 0; at < line_bytes - 2; ++at) {
                state = mixed(state);
                const bool blank = at % 8 == state % 5 + 3 && at + 3 < line_bytes;
                text += blank ? ' ' : alphabet[state % alphabet.size()];
            }
            text += "\r\n";
        }
        return text;
    }();
    return lines;
}

/// `bytes` of text, the last line ended.
std::string body_of(std::string_view mailbox, std::uint32_t number, std::size_t bytes) {
    std::string body = fmt::format("Message {} of {}.\r\n\r\n", number, mailbox);
    ensure(bytes >= body.size() + 2, "a body has room for its first line");
    std::size_t from = seed_of(mailbox, number) % pool_lines * line_bytes;
    while (body.size() < bytes) {
        const std::size_t taken = std::min(bytes - body.size(), pool().size() - from);
        body.append(pool(), from, taken);
        from = 0;
    }
    // A cut may leave half a line end.
    if (body[bytes - 3] == '\r') body[bytes - 3] = '.';
    body[bytes - 2] = '\r';
    body[bytes - 1] = '\n';
    return body;
}

std::string_view field_of(std::string_view message, std::string_view name) {
    const std::size_t end = message.find("\r\n\r\n");
    const std::size_t at = message.substr(0, end).find(name);
    if (end == message.npos || at == message.npos) return {};
    const std::size_t from = at + name.size();
    return message.substr(from, message.find("\r\n", from) - from);
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, 32> digest{};
    ensure(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1, "SHA-256 works");
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string message_of(std::string_view mailbox, std::uint32_t number, std::size_t size) {
    constexpr std::size_t hash_bytes = 64;
    const std::time_t sent = 1'767'225'600 + std::time_t{number} * 60;  // from 2026-01-01
    std::string message = fmt::format(
        "From: Customer {0} <customer{0}@example.test>\r\n"
        "To: {1}\r\n"
        "Subject: Request {0} for {1}\r\n"
        "Date: {2:%a, %d %b %Y %H:%M:%S} +0000\r\n"
        "Message-ID: <{0}.{1}>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n"
        "X-Sim: {1} {0} ",
        number, mailbox, fmt::gmtime(sent));
    const std::size_t whole = std::max(size, message_bytes_min);
    const std::string body = body_of(mailbox, number, whole - message.size() - hash_bytes - 4);
    message.reserve(whole);
    message += sha256_hex(body);
    message += "\r\n\r\n";
    message += body;
    return message;
}

std::optional<Mark> mark_of(std::string_view message) {
    const std::vector<std::string_view> words = text::split(field_of(message, "\r\nX-Sim: "), ' ');
    if (words.size() != 3 || words[0].size() > message_bytes_min / 8) return std::nullopt;
    const auto number = text::number<std::uint32_t>(words[1]);
    if (!number || message.size() < message_bytes_min) return std::nullopt;
    if (message != message_of(words[0], *number, message.size())) return std::nullopt;
    return Mark{std::string(words[0]), *number};
}

std::size_t Sizes::of(std::string_view mailbox, std::uint32_t number) const {
    if (fixed_bytes != 0) return std::max(fixed_bytes, message_bytes_min);
    const std::uint64_t percent = mixed(seed_of(mailbox, number)) % 100;
    if (percent < 70) return 4096;
    return percent < 95 ? 40'960 : 1'048'576;
}

}  // namespace sim

#pragma once
/// The mail of the pretend provider: every message follows from its mailbox, number and size alone, so that none is
/// kept in memory and any receiver can be checked byte for byte.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sim {

constexpr std::size_t message_bytes_min = 512;

/// A correct RFC 5322 message of exactly max(size, message_bytes_min) bytes, lines end in CRLF, text in US-ASCII.
/// Message-ID is `<number.mailbox>`; `X-Sim: mailbox number sha256` carries the hash of the body in hex.
std::string message_of(std::string_view mailbox, std::uint32_t number, std::size_t size);

struct Mark {
    std::string mailbox;
    std::uint32_t number = 0;
};
/// Whose message this is; nullopt unless every byte is as message_of() made it.
std::optional<Mark> mark_of(std::string_view message);

/// How large the messages are: all alike, or 70 % 4 KB, 25 % 40 KB and 5 % 1 MB.
struct Sizes {
    std::size_t fixed_bytes = 4096;  // 0: mixed
    /// The same answer each time for the same message.
    [[nodiscard]] std::size_t of(std::string_view mailbox, std::uint32_t number) const;
};

/// `bytes` hashed with SHA-256, in hex.
std::string sha256_hex(std::string_view bytes);

}  // namespace sim

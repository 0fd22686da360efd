#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

/// How a client without queue, store or retries hands mails over.
enum class Bare { chunks, pipelined_data };

struct BareSpent {
    double cpu_us_per_message = 0;
    double messages_per_second = 0;
};

/// Hands mails of that many bytes to a submission server at that port of loopback, over so many blocking TLS
/// connections with a thread each: what nobody can go below. Handshakes are left out. Throws std::runtime_error.
BareSpent hand_over_bare(Bare how, std::uint16_t port, std::size_t sessions, std::size_t messages, std::size_t bytes);

/// A mail of that many bytes, canonical and without dots, as all are that are measured.
std::string mail_of(const std::string& from, std::size_t bytes);

}  // namespace bench

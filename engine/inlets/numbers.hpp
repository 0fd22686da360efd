#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/runtime/metrics.hpp"
#include "protocols/smtp/server_command.hpp"

namespace inlets {

/// Why applications were told no: by the status codes that smtp_answers.cpp and smtp::ServerSession give.
enum class Refusal : std::uint8_t { sender, recipient, message, size, room, store, login, command, leaving };
inline constexpr std::size_t refusals = 9;

/// Of a reply whose code is 400 or above.
Refusal refusal_in(const smtp::Answer& answer) noexcept;

/// What the inlet has counted since its start. Its shard writes, any thread reads.
struct Numbers {
    std::atomic<std::uint64_t> open{0};  // connections now
    std::atomic<std::uint64_t> connections{0};
    std::atomic<std::uint64_t> too_many{0}, too_many_of_peer{0};  // connections that were turned away
    std::atomic<std::uint64_t> accepted{0}, accepted_bytes{0}, known_before{0};
    std::atomic<std::uint64_t> accept_ns{0};  // from the last byte of accepted mail to the commit, in all
    std::array<std::atomic<std::uint64_t>, refusals> refused{};
};
std::vector<runtime::Metric> metrics_of(const Numbers& numbers);

}  // namespace inlets

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// Milliseconds that Exchange Online asks to stay away, in whatever protocol: "Suggested Backoff Time: 300000".
std::optional<std::uint64_t> back_off_in(std::string_view server_text);

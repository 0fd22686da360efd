#include "protocols/base/back_off.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"

std::optional<std::uint64_t> back_off_in(std::string_view server_text) {
    constexpr std::string_view before = "Suggested Backoff Time:";
    const std::size_t at = text::find_same(server_text, before);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view after = text::trimmed(server_text.substr(at + before.size()));
    const std::size_t digits = std::min(after.find_first_not_of("0123456789"), after.size());
    return text::number<std::uint64_t>(after.substr(0, digits));
}

#pragma once

#include <cstdint>
#include <string_view>

#include "protocols/base/text.hpp"

namespace simulation {

/// By which mail that was handed in is known everywhere.
inline constexpr std::string_view order_subject = "Subject: order-";

/// The number in "Subject: order-12"; 0: none.
inline std::uint32_t order_in(std::string_view text) {
    const auto found = text.find(order_subject);
    if (found == std::string_view::npos) return 0;
    text.remove_prefix(found + order_subject.size());
    return text::number<std::uint32_t>(text.substr(0, text.find_first_of("\r\n"))).value_or(0);
}

}  // namespace simulation

#pragma once

#include <optional>
#include <string_view>

namespace jose {

/// The signatures that are made and taken. RFC 7518 §3.1. `none` and the symmetric ones are not among them.
enum class Algorithm { rs256, ps256, es256 };

/// The smallest and the largest RSA keys that are used. RFC 7518 §3.3.
inline constexpr int rsa_bits_min = 2048;
inline constexpr int rsa_bits_max = 8192;

constexpr std::string_view name_of(Algorithm algorithm) noexcept {
    return algorithm == Algorithm::rs256 ? "RS256" : algorithm == Algorithm::ps256 ? "PS256" : "ES256";
}

/// nullopt: any other. Names differ by case. RFC 7515 §4.1.1.
constexpr std::optional<Algorithm> algorithm_of(std::string_view name) noexcept {
    for (const auto known : {Algorithm::rs256, Algorithm::ps256, Algorithm::es256}) {
        if (name == name_of(known)) return known;
    }
    return std::nullopt;
}

}  // namespace jose

#include "engine/doctor/sasl_error.hpp"

#include <algorithm>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/jose/json.hpp"

namespace doctor {
namespace {

constexpr std::size_t challenge_bytes_max = 8192;
constexpr std::size_t shown_bytes_max = 400;

bool is_base64(char c) noexcept {
    const char low = text::lower(c);
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

}  // namespace

std::optional<std::string> sasl_error_in(std::string_view text) {
    constexpr std::string_view begins = "eyJ";  // {"
    for (auto at = text.find(begins); at != std::string_view::npos; at = text.find(begins, at + 1)) {
        if (at > 0 && is_base64(text[at - 1])) continue;
        const auto rest = text.substr(at, challenge_bytes_max);
        const auto end = std::find_if_not(rest.begin(), rest.end(), is_base64);
        const auto decoded = base64_decoded(rest.substr(0, static_cast<std::size_t>(end - rest.begin())));
        if (!decoded) continue;
        const auto object = jose::read_object(*decoded, challenge_bytes_max);
        if (object && object->contains("status")) return text::printable(*decoded, shown_bytes_max);
    }
    return std::nullopt;
}

}  // namespace doctor

#include "protocols/sasl/field.hpp"

namespace sasl {

bool is_field(std::string_view text) noexcept {
    constexpr std::string_view ends_a_field("\0\x01\r\n", 4);
    return !text.empty() && text.find_first_of(ends_a_field) == std::string_view::npos;
}

std::string saslname(std::string_view user) {
    std::string name;
    for (const char c : user) {
        if (c == '=')
            name += "=3D";
        else if (c == ',')
            name += "=2C";
        else
            name += c;
    }
    return name;
}

}  // namespace sasl

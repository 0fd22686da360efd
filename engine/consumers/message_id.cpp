#include "engine/consumers/message_id.hpp"

#include <string_view>

namespace consumers {

std::string text_of(const store::Digest& id) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * id.size());
    for (const unsigned char byte : id) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

}  // namespace consumers

#include "protocols/oauth2/form.hpp"

namespace oauth2 {
namespace {

bool stays(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '*';
}

void append_encoded(std::string& out, std::string_view bytes, std::string_view blank) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    for (const char c : bytes) {
        const auto code = static_cast<unsigned char>(c);
        if (stays(c)) {
            out += c;
        } else if (c == ' ') {
            out += blank;
        } else {
            out.append({'%', hex[code >> 4U], hex[code & 15U]});
        }
    }
}

std::string encoded(std::span<const Field> fields, std::string_view blank) {
    // Reserved for the worst case: growing would leave copies of the secrets in freed memory.
    std::size_t bytes_max = 0;
    for (const auto& [name, value] : fields) bytes_max += 3 * name.size() + 3 * value.size() + 2;
    std::string form;
    form.reserve(bytes_max);
    for (const auto& [name, value] : fields) {
        if (!form.empty()) form += '&';
        append_encoded(form, name, blank);
        form += '=';
        append_encoded(form, value, blank);
    }
    return form;
}

}  // namespace

void append_encoded(std::string& out, std::string_view bytes) { append_encoded(out, bytes, "+"); }

Secret form_of(std::span<const Field> fields) { return Secret(encoded(fields, "+")); }

std::string query_of(std::span<const Field> fields) { return encoded(fields, "%20"); }

}  // namespace oauth2

#include "protocols/oauth2/request.hpp"

#include <array>
#include <utility>
#include <vector>

namespace oauth2 {
namespace {

using Field = std::pair<std::string_view, std::string_view>;

bool stays(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '*';
}

void append_encoded(std::string& out, std::string_view bytes) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    for (const char c : bytes) {
        const auto code = static_cast<unsigned char>(c);
        if (stays(c)) {
            out += c;
        } else if (c == ' ') {
            out += '+';
        } else {
            out.append({'%', hex[code >> 4U], hex[code & 15U]});
        }
    }
}

}  // namespace

Secret form_of(const Refresh& refresh) {
    std::vector<Field> fields{{"grant_type", "refresh_token"}, {"client_id", refresh.client_id}};
    if (refresh.client_secret) fields.emplace_back("client_secret", refresh.client_secret->reveal());
    if (!refresh.scope.empty()) fields.emplace_back("scope", refresh.scope);
    fields.emplace_back("refresh_token", refresh.refresh_token.reveal());

    // Reserved for the worst case: growing would leave copies of the secrets in freed memory.
    std::size_t bytes_max = 0;
    for (const auto& [name, value] : fields) bytes_max += name.size() + 3 * value.size() + 2;
    std::string form;
    form.reserve(bytes_max);
    for (const auto& [name, value] : fields) {
        if (!form.empty()) form += '&';
        form.append(name).append("=");
        append_encoded(form, value);
    }
    return Secret(std::move(form));
}

}  // namespace oauth2

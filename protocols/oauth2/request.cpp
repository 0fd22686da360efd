#include "protocols/oauth2/request.hpp"

namespace oauth2 {

namespace {

bool unreserved(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

std::string joined(const std::vector<std::string>& scopes) {
    std::string out;
    for (const auto& scope : scopes) {
        if (!out.empty()) out += ' ';
        out += scope;
    }
    return out;
}

}  // namespace

std::string form_encoded(std::string_view text) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size() * 3);  // no copy is left behind by growing
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (unreserved(c)) {
            out += c;
        } else if (c == ' ') {
            out += '+';
        } else {
            out += {'%', hex[byte >> 4U], hex[byte & 15U]};
        }
    }
    return out;
}

Secret form(const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
    std::size_t bytes = 0;
    for (const auto& [name, value] : fields) bytes += name.size() + 2 + 3 * value.size();
    std::string out;
    out.reserve(bytes);
    for (const auto& [name, value] : fields) {
        if (value.empty()) continue;
        if (!out.empty()) out += '&';
        out += name;
        out += '=';
        const Secret encoded(form_encoded(value));
        out += encoded.reveal();
    }
    return Secret(std::move(out));
}

Secret form_of(const Refresh& refresh) {
    const std::string scope = joined(refresh.scopes);
    return form({{"grant_type", "refresh_token"},
                 {"client_id", refresh.client_id},
                 {"client_secret", refresh.client_secret.reveal()},
                 {"refresh_token", refresh.refresh_token.reveal()},
                 {"scope", scope}});
}

Secret form_of(const ClientCredentials& grant) {
    const std::string scope = joined(grant.scopes);
    return form({{"grant_type", "client_credentials"},
                 {"client_id", grant.client_id},
                 {"client_secret", grant.client_secret.reveal()},
                 {"scope", scope}});
}

}  // namespace oauth2

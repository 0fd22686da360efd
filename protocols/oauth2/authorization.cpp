#include "protocols/oauth2/authorization.hpp"

#include <algorithm>
#include <vector>

#include "protocols/base/ensure.hpp"
#include "protocols/base/text.hpp"
#include "protocols/oauth2/form.hpp"

namespace oauth2 {
namespace {

std::string_view word_of(Authorization::Prompt prompt) {
    switch (prompt) {
        case Authorization::Prompt::none:
            return {};
        case Authorization::Prompt::select_account:
            return "select_account";
        case Authorization::Prompt::consent:
            return "consent";
        case Authorization::Prompt::select_account_and_consent:
            return "select_account consent";
        case Authorization::Prompt::sign_in:
            return "login";
    }
    return {};
}

bool has_prompt(std::string_view query) {
    const auto pieces = text::split(query, '&');
    return std::any_of(pieces.begin(), pieces.end(), [](auto piece) { return piece.starts_with("prompt="); });
}

}  // namespace

std::string url_of(std::string_view authorize_url, const Authorization& authorization) {
    ensure(!authorization.state.empty() && !authorization.code_challenge.empty(), "a sign-in has state and PKCE");
    std::string url(authorize_url.substr(0, authorize_url.find('#')));
    const auto query = url.find('?');
    std::vector<Field> fields{{"response_type", "code"}};
    const auto append = [&fields](std::string_view name, std::string_view value) {
        if (!value.empty()) fields.emplace_back(name, value);
    };
    append("client_id", authorization.client_id);
    append("redirect_uri", authorization.redirect_uri);
    if (authorization.response_mode == Authorization::ResponseMode::query) append("response_mode", "query");
    append("scope", authorization.scope);
    append("state", authorization.state);
    append("nonce", authorization.nonce);
    append("code_challenge", authorization.code_challenge);
    append("code_challenge_method", "S256");
    if (query == std::string::npos || !has_prompt(std::string_view(url).substr(query + 1)))
        append("prompt", word_of(authorization.prompt));
    append("login_hint", authorization.login_hint);
    append("domain_hint", authorization.domain_hint);
    if (authorization.access == Authorization::Access::offline) append("access_type", "offline");

    if (query == std::string::npos) {
        url += '?';
    } else if (!url.ends_with('?') && !url.ends_with('&')) {
        url += '&';
    }
    return url + query_of(fields);
}

}  // namespace oauth2

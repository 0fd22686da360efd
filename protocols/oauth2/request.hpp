#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/secret.hpp"

/// What is asked at a token endpoint: form bodies. RFC 6749.
namespace oauth2 {

/// Percent-encoded for application/x-www-form-urlencoded: all but letters, digits and -._~ escaped, a blank is '+'.
std::string form_encoded(std::string_view text);
/// `name=value&…`, encoded; empty values are left out. A secret, for it holds secrets.
Secret form(const std::vector<std::pair<std::string_view, std::string_view>>& fields);

/// A new access token for a refresh token. RFC 6749 §6.
struct Refresh {
    std::string client_id;
    Secret client_secret;  // empty: a public client
    Secret refresh_token;
    std::vector<std::string> scopes;  // empty: as granted
};
Secret form_of(const Refresh& refresh);

/// An access token for the application itself. RFC 6749 §4.4.
struct ClientCredentials {
    std::string client_id;
    Secret client_secret;
    std::vector<std::string> scopes;
};
Secret form_of(const ClientCredentials& grant);

}  // namespace oauth2

#pragma once

#include <string>
#include <string_view>

#include "protocols/base/secret.hpp"

namespace oauth2 {

/// What a person's browser is sent to the sign-in page with. RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1. What is
/// empty is left out.
struct Authorization {
    enum class Prompt {
        none,            // as the provider likes: it may sign in whoever is signed in at the workstation
        select_account,  // let the person choose
        consent,         // show what is asked for; Google, and whoever keeps to OpenID Connect Core §11, gives refresh
                         // tokens only then
        select_account_and_consent,
        sign_in,  // ask for the password again
    };
    std::string client_id;
    std::string redirect_uri;
    std::string scope;
    std::string state;
    std::string nonce;
    std::string code_challenge;  // S256
    std::string login_hint;      // whom we expect; it binds nobody
    std::string domain_hint;     // Entra: skips the search for the home realm
    Prompt prompt = Prompt::select_account;
    enum class Access { unstated, offline } access = Access::unstated;  // Google: offline for a refresh token
    enum class ResponseMode { unstated, query } response_mode = ResponseMode::query;
};

/// The URL of the sign-in page with the request in it. A query that `authorize_url` has already stays, and a prompt in
/// it is sent instead of this one: not every provider knows every prompt. RFC 6749 §3.1.
std::string url_of(std::string_view authorize_url, const Authorization& authorization);

}  // namespace oauth2

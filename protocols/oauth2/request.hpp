#pragma once
/// What is asked of a token endpoint, one struct for each grant.

#include <optional>
#include <string>

#include "protocols/base/secret.hpp"

namespace oauth2 {

/// Where a client's secret stands: among the fields of the form, or in a header. RFC 6749 §2.3.1; the words of
/// OpenID Connect Core §9.
enum class ClientAuth { client_secret_post, client_secret_basic };

/// Who asks. Neither secret nor assertion: a public client; at most one of them. RFC 6749 §2.3.1, RFC 7521 §4.2.
struct Client {
    std::string client_id;
    ClientAuth auth = ClientAuth::client_secret_post;
    std::optional<Secret> client_secret;     // of a confidential client
    std::optional<Secret> client_assertion;  // signed with the client's certificate: see assertion.hpp
};

/// What a grant is refreshed with. RFC 6749 §6.
struct Refresh : Client {
    std::string scope;  // empty: as granted
    Secret refresh_token;
};

/// What a code is redeemed with. RFC 6749 §4.1.3, RFC 7636 §4.5.
struct Redemption : Client {
    Secret code;
    std::string redirect_uri;  // as in the authorization request, byte for byte
    Secret code_verifier;
    std::string scope;  // Entra: of one resource; empty: as asked (Google)
};

/// How a device code is polled for. RFC 8628 §3.4.
struct DevicePoll : Client {
    Secret device_code;
};

/// An application on its own behalf. RFC 6749 §4.4.2.
struct OwnBehalf : Client {
    std::string scope;  // Entra: RESOURCE/.default
};

/// An assertion instead of a client: Google's service accounts. RFC 7523 §2.1. The scope stands in the assertion.
struct JwtBearer {
    Secret assertion;
};

/// What is posted to a token or device endpoint.
struct Post {
    Secret form;             // the body
    Secret authorization{};  // the value of that header; empty: none
};

/// The header that a client shows its secret in; empty: it does not. RFC 6749 §2.3.1.
Secret authorization_of(const Client& client);

/// The body of the request, application/x-www-form-urlencoded. RFC 6749 appendix B.
Secret form_of(const Refresh& refresh);
Secret form_of(const Redemption& redemption);
Secret form_of(const DevicePoll& poll);
Secret form_of(const OwnBehalf& own_behalf);
Secret form_of(const JwtBearer& bearer);

}  // namespace oauth2

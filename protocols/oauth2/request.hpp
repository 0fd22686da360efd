#pragma once

#include <optional>
#include <string>

#include "protocols/base/secret.hpp"

namespace oauth2 {

/// What a grant is refreshed with. RFC 6749 §6.
struct Refresh {
    std::string client_id;
    std::optional<Secret> client_secret;  // of a confidential client, sent in the body
    std::string scope;                    // empty: as granted
    Secret refresh_token;
};

/// The body of the request, application/x-www-form-urlencoded. RFC 6749 appendix B.
Secret form_of(const Refresh& refresh);

}  // namespace oauth2

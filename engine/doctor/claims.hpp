#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/clock.hpp"

namespace doctor {

/// What an access token shows of itself. For diagnosis alone: nobody has checked its signature, its form is the
/// provider's own affair, and many tokens show nothing. Texts are printable; empty: not said.
struct Claims {
    std::string audience, tenant, object_id, client_id;
    std::vector<std::string> names;          // upn, unique_name, preferred_username, email
    std::vector<std::string> scopes, roles;  // delegated, and an application's own
    bool application = false;                // idtyp: app
    std::optional<WallTime> issued_at;
};

/// nullopt: it is no JWT that can be read.
std::optional<Claims> read_claims(std::string_view access_token);

}  // namespace doctor

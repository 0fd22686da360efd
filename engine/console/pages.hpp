#pragma once
/// The content of each page: JSON of the API and facts in, markup out.

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "engine/console/html.hpp"

namespace console {

/// 2026-01-31T12:00:00.000Z → 2026-01-31 12:00 UTC; anything else as it is.
std::string short_time(std::string_view time);

struct LoginForm {
    std::string csrf, next;
    std::string wrong{};  // why the last attempt failed
};
Html login_content(const LoginForm& form);

/// `credentials` and `mailboxes` are answers of /v1/credentials and /v1/mailboxes?state=needs%20help.
Html home_content(const boost::json::object& credentials, const boost::json::object& mailboxes);

struct CredentialPage {
    const boost::json::object& credential;  // of /v1/credentials/{id}
    std::string external_url;
    std::string csrf;
    std::string refused{};  // why the last attempt to begin failed
};
Html credential_content(const CredentialPage& page);

/// `sign_in` is an answer of /v1/sign-ins/{id}.
Html sign_in_content(const std::string& id, const boost::json::object& sign_in);
/// Where a browser's last address is pasted.
struct AddressForm {
    std::string sign_in, redirect_uri, csrf;
    std::string wrong{};  // why the last one was not taken
};
Html address_content(const AddressForm& form);

/// A path of ours for that credential, that sign-in.
std::string credential_path(std::string_view id);
std::string sign_in_path(std::string_view id);

}  // namespace console

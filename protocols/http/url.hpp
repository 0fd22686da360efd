#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"

namespace http {

/// Whom an https URL names, and what it asks for there.
struct Url {
    std::string host;  // for dialling: a name, or an address without brackets
    std::uint16_t port = 443;
    std::string authority;  // for the Host header: with brackets and a port that is not 443
    std::string path = "/";
    std::map<std::string, std::string, std::less<>> query;
};

/// Reads an https URL. Errors: bad_url (no URL, no host, user names in it), not_https. RFC 3986.
Result<Url> read_https_url(std::string_view address);

/// For one segment of a path, or one value of a query. RFC 3986 §2.3.
std::string encoded(std::string_view text);

}  // namespace http

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "protocols/base/secret.hpp"
#include "protocols/http/message.hpp"
#include "protocols/http/url.hpp"
#include "protocols/net/dial.hpp"
#include "protocols/net/reach.hpp"
#include "protocols/net/tls.hpp"

namespace webhook {

/// Whom something is posted to.
struct Receiver {
    std::string url;  // https, or http on this machine
    Secret key;       // that signs; see key_of()
    std::shared_ptr<const net::TlsClient> tls;
    std::shared_ptr<const net::Reach> reach{};  // where the URL may lead; nullptr: anywhere
};

/// A receiver's URL, read.
struct Place {
    http::Url url;
    net::Security security = net::Security::implicit_tls;
};
/// Errors: http::errc::bad_url, not_https.
Result<Place> place_of(const std::string& url);

/// The call to it: the addresses of its name are checked against its reach, and connected to as checked.
net::Dial dial_to(const Place& place, const Receiver& receiver, std::chrono::milliseconds within);

/// What is posted there, without its body: path, query, and the headers of Standard Webhooks.
http::Request request_to(const Place& place, const std::string& id, const std::string& timestamp,
                         std::string signature);

/// What an answer that takes nothing says, for people. Its body is not shown: a URL must be no window into a network.
std::string words_of(const http::Response& response);
/// The same of a call that failed.
std::string words_of(error_code failed);

}  // namespace webhook

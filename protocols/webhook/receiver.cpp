#include "protocols/webhook/receiver.hpp"

#include <fmt/format.h>

#include "protocols/net/errc.hpp"

namespace webhook {
namespace {

constexpr std::uint16_t https_port = 443;
constexpr std::uint16_t http_port = 80;

}  // namespace

Result<Place> place_of(const std::string& url) {
    constexpr std::string_view plainly = "http://";
    const bool plain = url.starts_with(plainly);
    auto read = http::read_https_url(plain ? "https://" + url.substr(plainly.size()) : url);
    if (!read) return read.error();
    Place place{std::move(*read), plain ? net::Security::plain : net::Security::implicit_tls};
    if (plain && place.url.port == https_port) place.url.port = http_port;
    return place;
}

net::Dial dial_to(const Place& place, const Receiver& receiver, std::chrono::milliseconds within) {
    return {.host = place.url.host,
            .port = place.url.port,
            .security = place.security,
            .tls = receiver.tls,
            .within = within,
            .reach = receiver.reach};
}

http::Request request_to(const Place& place, const std::string& id, const std::string& timestamp,
                         std::string signature) {
    http::Request request;
    request.method = "POST";
    request.host = place.url.authority;
    request.path = place.url.path;
    request.query = place.url.query;
    request.headers = {{"User-Agent", "Rohrpost"},
                       {"webhook-id", id},
                       {"webhook-timestamp", timestamp},
                       {"webhook-signature", std::move(signature)}};
    return request;
}

std::string words_of(const http::Response& response) {
    auto says = fmt::format("HTTP {}", response.status);
    if (response.status >= 300 && response.status < 400) says += ": redirects are not followed; set the final URL";
    return says;
}

std::string words_of(error_code failed) {
    auto says = failed.message();
    if (failed == net::errc::out_of_reach) says += "; --webhook-networks names networks for webhooks";
    return says;
}

}  // namespace webhook

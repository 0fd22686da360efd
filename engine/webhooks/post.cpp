#include "engine/webhooks/post.hpp"

#include <fmt/format.h>

#include "engine/webhooks/signature.hpp"
#include "protocols/base/text.hpp"
#include "protocols/http/client.hpp"
#include "protocols/http/url.hpp"
#include "protocols/net/errc.hpp"

namespace webhooks {
namespace {

constexpr std::size_t answer_bytes_max = 64U << 10U;
constexpr std::uint16_t https_port = 443;
constexpr std::uint16_t http_port = 80;

struct Place {
    http::Url url;
    net::Security security = net::Security::implicit_tls;
};

Result<Place> place_of(const std::string& url) {
    constexpr std::string_view plainly = "http://";
    const bool plain = url.starts_with(plainly);
    auto read = http::read_https_url(plain ? "https://" + url.substr(plainly.size()) : url);
    if (!read) return read.error();
    Place place{std::move(*read), plain ? net::Security::plain : net::Security::implicit_tls};
    if (plain && place.url.port == https_port) place.url.port = http_port;
    return place;
}

http::Request request_of(http::Url url, const Receiver& receiver, Parcel parcel, WallTime now) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    const auto timestamp = std::to_string(seconds);
    http::Request request;
    request.method = "POST";
    request.host = std::move(url.authority);
    request.path = std::move(url.path);
    request.query = std::move(url.query);
    request.headers = {{"Content-Type", "application/cloudevents+json"},
                       {"User-Agent", "Rohrpost"},
                       {"webhook-id", parcel.id},
                       {"webhook-timestamp", timestamp},
                       {"webhook-signature", signature_of(receiver.key, parcel.id, timestamp, parcel.body)}};
    request.body = std::move(parcel.body);
    return request;
}

/// The first words of an answer that is not 2xx.
std::string said_in(const http::Response& response) {
    auto says = fmt::format("HTTP {}", response.status);
    if (response.status >= 300 && response.status < 400)
        return says + ": redirects are not followed; set the final URL";
    if (!response.body.empty()) says += ": " + text::printable(response.body, 200);
    return says;
}

}  // namespace

awaitable<Taken> post(Seams& seams, Receiver receiver, Parcel parcel, std::chrono::milliseconds within) {
    auto place = place_of(receiver.url);
    if (!place) co_return Taken{.says = fmt::format("{}: {}", receiver.url, place.error().message())};
    net::Dial dial{.host = place->url.host,
                   .port = place->url.port,
                   .security = place->security,
                   .tls = receiver.tls,
                   .within = within,
                   .reach = receiver.reach};
    auto request = request_of(std::move(place->url), receiver, std::move(parcel), seams.timers.clock().wall());
    const http::Limits limits{.header_bytes_max = answer_bytes_max, .body_bytes_max = answer_bytes_max};
    auto response = co_await http::call(seams, std::move(dial), std::move(request), limits);
    if (!response) {
        auto says = fmt::format("{}: {}", receiver.url, response.error().message());
        if (response.error() == net::errc::out_of_reach) says += "; --webhook-networks names networks for webhooks";
        co_return Taken{.says = std::move(says)};
    }
    if (response->status >= 200 && response->status < 300) co_return Taken{.taken = true, .says = {}};
    Taken refused{.says = fmt::format("{}: {}", receiver.url, said_in(*response))};
    refused.retry_after = response->retry_after();
    co_return refused;
}

}  // namespace webhooks

#include "engine/doctor/probes.hpp"
#include "protocols/http/client.hpp"
#include "protocols/http/date.hpp"
#include "protocols/http/url.hpp"

namespace doctor {
namespace {

using namespace std::chrono_literals;

constexpr auto connecting_within = 20s;
constexpr auto answer_within = 15s;
constexpr std::size_t body_bytes_max = 256 * 1024;

}  // namespace

awaitable<PageFacts> probe_page(Surroundings here, Page page, Place place, std::shared_ptr<const net::TlsClient> tls) {
    PageFacts facts;
    facts.place = place;
    auto url = http::read_https_url(page.url);
    if (!url) {
        facts.fault = url.error();
        co_return facts;
    }
    net::Dial to;
    to.host = url->host;
    to.port = url->port;
    to.tls = std::move(tls);
    to.within = connecting_within;
    auto stream = co_await here.seams.dialer.dial(std::move(to));
    if (!stream) {
        facts.fault = stream.error();
        co_return facts;
    }
    http::Request request;
    request.host = std::move(url->authority);
    request.path = std::move(url->path);
    request.query = std::move(url->query);
    request.headers = {{"Accept", "application/json"}};
    http::Limits limits;
    limits.body_bytes_max = body_bytes_max;
    const net::Pace pace{.within = answer_within, .bytes_per_second_min = 0};
    facts.asked_at = here.seams.timers.clock().wall();
    auto response = co_await http::call(**stream, std::move(request), limits, pace);
    facts.answered_at = here.seams.timers.clock().wall();
    (*stream)->close();
    if (!response) {
        facts.fault = response.error();
        co_return facts;
    }
    facts.status = response->status;
    facts.content_type = response->header("Content-Type").value_or(response->content_type);
    if (const auto date = response->header("Date")) facts.date = http::read_date(*date);
    facts.body = std::move(response->body);
    co_return facts;
}

}  // namespace doctor

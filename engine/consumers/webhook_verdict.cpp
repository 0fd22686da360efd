#include "engine/consumers/webhook_verdict.hpp"

#include <algorithm>

#include "protocols/http/date.hpp"

namespace consumers {
namespace {

using Fault = Delivered::Fault;
using std::chrono::milliseconds;

constexpr milliseconds pause_max = std::chrono::hours(1);

/// Retry-After in seconds or as a date. RFC 9110 §10.2.3.
milliseconds asked_pause(const http::Response& response, WallTime now) {
    milliseconds asked{0};
    if (const auto seconds = response.retry_after()) {
        asked = std::min<std::chrono::seconds>(*seconds, std::chrono::duration_cast<std::chrono::seconds>(pause_max));
    } else if (const auto written = response.header("Retry-After")) {
        const auto until = http::read_date(*written);
        if (until && *until > now) asked = std::chrono::duration_cast<milliseconds>(*until - now);
    }
    return std::clamp(asked, milliseconds(0), pause_max);
}

Fault fault_of(int status) {
    switch (status) {
        case 408:  // too slow
        case 425:  // too early
            return Fault::mail;
        case 429:
        case 502:
        case 503:
        case 504:
            return Fault::consumer;
        default:
            break;
    }
    if (status >= 400 && status < 500) return Fault::refused;
    return status >= 500 && status < 600 ? Fault::mail : Fault::consumer;
}

}  // namespace

WebhookVerdict verdict_of(const http::Response& response, WallTime now) {
    WebhookVerdict verdict;
    verdict.delivered = response.status >= 200 && response.status < 300;
    if (verdict.delivered) return verdict;
    verdict.fault = fault_of(response.status);
    verdict.pause = asked_pause(response, now);
    return verdict;
}

}  // namespace consumers

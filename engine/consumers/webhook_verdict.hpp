#pragma once

#include <chrono>
#include <string>

#include "engine/consumers/consumer.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/http/message.hpp"

namespace consumers {

/// What a webhook's answer says about the mail that was posted.
struct WebhookVerdict {
    bool delivered = false;
    Delivered::Fault fault = Delivered::Fault::consumer;  // when not
    std::chrono::milliseconds pause{};                    // that it asked for (Retry-After), clamped
};

/// 2xx takes the mail. 4xx refuses it for good, but for 408, 425 and 429, which ask for another attempt. 429, 502, 503,
/// 504 and redirects are about the receiver as a whole; any other answer may be due to the mail: tried again, not for
/// ever. RFC 9110 §15, RFC 6585 §4.
WebhookVerdict verdict_of(const http::Response& response, WallTime now);

}  // namespace consumers

#pragma once
/// The device flow: a person signs in at another machine while we ask again and again. RFC 8628.

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

#include "protocols/base/secret.hpp"
#include "protocols/oauth2/request.hpp"
#include "protocols/oauth2/response.hpp"

namespace oauth2 {

/// What a device code is asked for with. RFC 8628 §3.1.
struct DeviceRequest : Client {
    std::string scope;
};
Secret form_of(const DeviceRequest& request);

/// What a person is told, and what we poll with. RFC 8628 §3.2.
struct DeviceCode {
    Secret device_code;
    std::string user_code;                  // visible ASCII and blanks, at most 64 bytes
    std::string verification_uri;           // https
    std::string verification_uri_complete;  // https; empty: not given (Entra never does)
    std::string message;                    // the provider's own words; empty: none
    std::chrono::seconds expires_in{};      // 1 s to 1 day
    std::chrono::seconds interval{5};       // 1 s to 5 min
};

using DeviceAnswer = std::variant<DeviceCode, Refusal>;

/// Whatever the device endpoint said. What lacks a part, leads elsewhere than to https, or names a member twice is a
/// refusal without an error name.
DeviceAnswer read_device_answer(int http_status, std::string_view body,
                                std::optional<std::chrono::seconds> retry_after);

/// What to do after a poll.
struct PollStep {
    enum class What {
        redeem,     // the answer is a grant
        ask_again,  // after `wait`
        declined,   // the person said no
        expired,    // too late: a new code is needed
        give_up,    // another refusal: its advice says what to do
    } what = What::give_up;
    std::chrono::seconds wait{};
    std::chrono::seconds interval{};  // from now on
};

/// The step after an answer; `interval` is the one in force, `left` the time until the code expires.
PollStep after_poll(const Answer& answer, std::chrono::seconds interval, std::chrono::seconds left);
/// The step after no answer at all (name, connection, TLS, time): twice the interval. RFC 8628 §3.5.
PollStep after_no_answer(std::chrono::seconds interval, std::chrono::seconds left);

}  // namespace oauth2

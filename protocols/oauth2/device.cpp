#include "protocols/oauth2/device.hpp"

#include <algorithm>
#include <vector>

#include "protocols/http/url.hpp"
#include "protocols/jose/errc.hpp"
#include "protocols/oauth2/answer_parts.hpp"
#include "protocols/oauth2/client_fields.hpp"

namespace oauth2 {
namespace {

using std::chrono::seconds;
using What = PollStep::What;

constexpr std::size_t user_code_bytes_max = 64;
constexpr std::size_t device_code_bytes_max = 8U << 10U;
constexpr std::size_t uri_bytes_max = 2048;
constexpr seconds life_max = std::chrono::hours(24);
constexpr seconds interval_max = std::chrono::minutes(5);
constexpr seconds backed_off_max = std::chrono::minutes(1);
constexpr seconds slower{5};  // RFC 8628 §3.5

bool is_plain(std::string_view text, char least) {
    return std::all_of(text.begin(), text.end(), [least](char c) { return c >= least && c < 0x7f; });
}

/// A person opens it: nothing but https.
bool is_page(std::string_view uri) {
    return uri.size() <= uri_bytes_max && is_plain(uri, '!') && http::read_https_url(uri).has_value();
}

/// Why a success is none; empty when it is one.
std::string_view flaw_in(const DeviceCode& code) {
    const auto device_code = code.device_code.reveal();
    if (device_code.empty() || device_code.size() > device_code_bytes_max || !is_plain(device_code, '!'))
        return "the device endpoint answered with success, but without a device code";
    if (code.user_code.empty() || code.user_code.size() > user_code_bytes_max || !is_plain(code.user_code, ' '))
        return "the device endpoint answered with success, but without a code to type in";
    if (!is_page(code.verification_uri))
        return "the device endpoint answered with success, but without an https page to sign in at";
    if (code.expires_in <= seconds(0)) return "the device endpoint issued a code that has expired already";
    return {};
}

DeviceCode code_in(const boost::json::object& object) {
    DeviceCode code;
    code.device_code = Secret(std::string(text_at(object, "device_code")));
    code.user_code = words_at(object, "user_code");
    code.verification_uri = words_at(object, "verification_uri");
    if (code.verification_uri.empty()) code.verification_uri = words_at(object, "verification_url");  // Google
    code.verification_uri_complete = words_at(object, "verification_uri_complete");
    if (!is_page(code.verification_uri_complete)) code.verification_uri_complete.clear();
    code.message = words_at(object, "message");
    code.expires_in = std::min(seconds_at(object, "expires_in").value_or(seconds(0)), life_max);
    const auto interval = seconds_at(object, "interval").value_or(code.interval);
    code.interval = std::clamp(interval, seconds(1), interval_max);
    return code;
}

PollStep again(seconds wait, seconds interval, seconds left) {
    if (wait >= left) return {.what = What::expired, .wait = {}, .interval = interval};
    return {.what = What::ask_again, .wait = wait, .interval = interval};
}

}  // namespace

Secret form_of(const DeviceRequest& request) {
    std::vector<Field> fields;
    append_client(fields, request);
    if (!request.scope.empty()) fields.emplace_back("scope", request.scope);
    return form_of(fields);
}

DeviceAnswer read_device_answer(int http_status, std::string_view body, std::optional<seconds> retry_after) {
    const bool success = http_status >= 200 && http_status < 300;
    const auto object = object_in(body);
    Refusal refusal = refusal_in(http_status, body, object, retry_after);
    if (!object || !success || !refusal.error.empty()) return refusal;
    const auto strict = jose::read_object(body, answer_bytes_max);
    if (!strict) {
        refusal.error_description = "the device endpoint's answer is malformed: " + strict.error().message();
        return refusal;
    }
    DeviceCode code = code_in(*strict);
    const auto flaw = flaw_in(code);
    if (flaw.empty()) return code;
    refusal.error_description = flaw;
    return refusal;
}

PollStep after_poll(const Answer& answer, seconds interval, seconds left) {
    if (std::holds_alternative<Grant>(answer)) return {.what = What::redeem, .wait = {}, .interval = interval};
    const auto& refusal = std::get<Refusal>(answer);
    const bool passes = refusal.http_status == 429 || refusal.http_status == 408 || refusal.http_status >= 500 ||
                        refusal.error.empty() || refusal.error == "server_error" ||
                        refusal.error == "temporarily_unavailable";
    if (passes) {
        PollStep step = after_no_answer(interval, left);
        if (refusal.retry_after && *refusal.retry_after > step.wait)
            step = again(*refusal.retry_after, step.interval, left);
        return step;
    }
    if (refusal.error == "authorization_pending") return again(interval, interval, left);
    if (refusal.error == "slow_down") return again(interval + slower, interval + slower, left);
    if (refusal.error == "expired_token") return {.what = What::expired, .wait = {}, .interval = interval};
    const bool declined = refusal.error == "access_denied" || refusal.error == "authorization_declined";
    return {.what = declined ? What::declined : What::give_up, .wait = {}, .interval = interval};
}

PollStep after_no_answer(seconds interval, seconds left) {
    const auto doubled = std::max(std::min(interval * 2, backed_off_max), interval);
    return again(doubled, doubled, left);
}

}  // namespace oauth2

#include "protocols/oauth2/response.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "protocols/base/text.hpp"

namespace oauth2 {
namespace {

namespace json = boost::json;

constexpr std::size_t depth_max = 16;
constexpr std::size_t text_bytes_max = 4U << 10U;
constexpr std::size_t excerpt_bytes_max = 300;
constexpr std::size_t error_codes_max = 16;
constexpr std::int64_t seconds_max = 366LL * 24 * 3600;

std::optional<json::object> object_in(std::string_view body) {
    if (body.size() > answer_bytes_max) return std::nullopt;
    if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
    json::parse_options options;
    options.max_depth = depth_max;
    json::error_code error;
    auto value = json::parse(body, error, {}, options);
    if (error || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

std::string_view text_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    const auto* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::string words_at(const json::object& object, std::string_view key) {
    return std::string(text_at(object, key).substr(0, text_bytes_max));
}

std::optional<Secret> secret_at(const json::object& object, std::string_view key) {
    const auto text = text_at(object, key);
    if (text.empty()) return std::nullopt;
    return Secret(std::string(text));
}

std::optional<std::chrono::seconds> seconds_in(const json::value* value) {
    if (value == nullptr) return std::nullopt;
    if (const auto* number = value->if_int64()) {
        return std::chrono::seconds(std::clamp(*number, -seconds_max, seconds_max));
    }
    if (value->is_uint64()) return std::chrono::seconds(seconds_max);  // above what fits in the signed one
    if (const auto* number = value->if_double()) {
        if (std::isnan(*number)) return std::nullopt;  // Boost.JSON 1.81 reads 0e380 as that
        const double most = static_cast<double>(seconds_max);
        return std::chrono::seconds(static_cast<std::int64_t>(std::clamp(std::trunc(*number), -most, most)));
    }
    const auto* text = value->if_string();
    if (text == nullptr) return std::nullopt;
    const auto number = text::number<std::int64_t>(text::trimmed(*text));
    if (!number) return std::nullopt;
    return std::chrono::seconds(std::min(*number, seconds_max));
}

/// What goes between the separators of a SASL response and nowhere else. RFC 6749 appendix A.12.
bool is_visible(std::string_view token) {
    return !token.empty() && std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::vector<std::int64_t> codes_in(const json::value* value) {
    std::vector<std::int64_t> codes;
    const auto* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr) return codes;
    for (const auto& code : *list) {
        if (codes.size() == error_codes_max) break;
        if (const auto* number = code.if_int64()) codes.push_back(*number);
    }
    return codes;
}

Grant grant_in(const json::object& object) {
    Grant grant;
    grant.access_token = Secret(std::string(text_at(object, "access_token")));
    grant.expires_in = seconds_in(object.if_contains("expires_in"));
    grant.refresh_token = secret_at(object, "refresh_token");
    grant.id_token = secret_at(object, "id_token");
    grant.scope = words_at(object, "scope");
    grant.token_type = words_at(object, "token_type");
    return grant;
}

/// Why a success is none; empty when it is one. Nothing of the body is quoted: it may hold a token.
std::string_view flaw_in(const json::object& object) {
    const auto type = text_at(object, "token_type");
    if (text_at(object, "access_token").empty()) return "the token endpoint answered with success, but without a token";
    if (!is_visible(text_at(object, "access_token"))) return "the access token holds characters that no token may hold";
    if (!type.empty() && !text::same(type, "Bearer"))
        return "the token endpoint issued a token that is no bearer token";
    return {};
}

}  // namespace

Answer read_answer(int http_status, std::string_view body, std::optional<std::chrono::seconds> retry_after) {
    Refusal refusal;
    refusal.http_status = http_status;
    refusal.retry_after = retry_after;
    const bool success = http_status >= 200 && http_status < 300;
    const auto object = object_in(body);
    if (!object) {
        refusal.error_description = success ? "the token endpoint answered with success, but not with JSON"
                                            : text::printable(text::trimmed(body), excerpt_bytes_max);
        return refusal;
    }
    refusal.error = words_at(*object, "error");
    refusal.suberror = words_at(*object, "suberror");
    refusal.error_description = words_at(*object, "error_description");
    refusal.error_codes = codes_in(object->if_contains("error_codes"));
    refusal.timestamp = words_at(*object, "timestamp");
    refusal.trace_id = words_at(*object, "trace_id");
    refusal.correlation_id = words_at(*object, "correlation_id");
    if (!success || !refusal.error.empty()) return refusal;

    const auto flaw = flaw_in(*object);
    if (flaw.empty()) return grant_in(*object);
    refusal.error_description = flaw;
    return refusal;
}

}  // namespace oauth2

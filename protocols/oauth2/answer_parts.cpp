#include "protocols/oauth2/answer_parts.hpp"

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

}  // namespace

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

std::string words_at(const json::object& object, std::string_view key) {
    return std::string(text_at(object, key).substr(0, text_bytes_max));
}

std::optional<std::chrono::seconds> seconds_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
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

Refusal refusal_in(int http_status, std::string_view body, const std::optional<json::object>& object,
                   std::optional<std::chrono::seconds> retry_after) {
    Refusal refusal;
    refusal.http_status = http_status;
    refusal.retry_after = retry_after;
    const bool success = http_status >= 200 && http_status < 300;
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
    return refusal;
}

}  // namespace oauth2

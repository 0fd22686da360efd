#include "protocols/oauth2/response.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "protocols/base/text.hpp"

namespace oauth2 {

namespace {

namespace json = boost::json;

constexpr std::size_t depth_max = 8;
constexpr std::size_t text_bytes_max = 4096;  // of words for people
constexpr std::size_t token_bytes_max = 64 * 1024;
constexpr std::size_t error_codes_max = 16;
constexpr std::chrono::seconds life_unsaid = std::chrono::hours(1);
constexpr std::chrono::seconds life_max = std::chrono::hours(24 * 30);
constexpr std::chrono::seconds retry_after_max = std::chrono::hours(24);

std::optional<json::object> read_object(std::string_view body) {
    json::parse_options options;
    options.max_depth = depth_max;
    json::error_code failed;
    auto value = json::parse(body, failed, {}, options);
    if (failed || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

std::string text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return std::string(value->get_string());
}

/// For people: what cannot be printed is escaped, and it ends somewhere.
std::string words_of(const json::object& object, std::string_view name) {
    return text::printable(text_of(object, name), text_bytes_max);
}

/// A number, or digits in a string (PROVIDERS: some servers send "3599"); a fraction is cut off.
std::chrono::seconds life_of(const json::object& object) {
    const auto* value = object.if_contains("expires_in");
    if (value == nullptr) return life_unsaid;
    double seconds = static_cast<double>(life_unsaid.count());
    if (value->is_int64()) {
        seconds = static_cast<double>(value->get_int64());
    } else if (value->is_uint64()) {
        seconds = static_cast<double>(value->get_uint64());
    } else if (value->is_double()) {
        seconds = value->get_double();
    } else if (value->is_string()) {
        const std::string_view digits = text::trimmed(std::string_view(value->get_string()));
        const bool all_digits = !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
        if (digits.starts_with('-')) {
            seconds = 0;
        } else if (all_digits) {
            const auto number = text::number<std::int64_t>(digits);
            seconds = static_cast<double>(number.value_or(life_max.count()));
        }
    }
    const double clamped = std::clamp(seconds, 0.0, static_cast<double>(life_max.count()));
    return std::chrono::seconds(static_cast<std::int64_t>(clamped));
}

/// Nothing that could break out of a header or a SASL response.
bool usable_token(std::string_view token) {
    return !token.empty() && token.size() <= token_bytes_max &&
           std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::optional<Tokens> tokens_of(const json::object& object) {
    const std::string kind = text_of(object, "token_type");
    if (!kind.empty() && !text::same(kind, "bearer")) return std::nullopt;
    Tokens tokens;
    tokens.access_token = Secret(text_of(object, "access_token"));
    if (!usable_token(tokens.access_token.reveal())) return std::nullopt;
    tokens.expires_in = life_of(object);
    Secret refresh(text_of(object, "refresh_token"));
    if (usable_token(refresh.reveal())) tokens.refresh_token = std::move(refresh);
    tokens.scope = words_of(object, "scope");
    tokens.id_token = text_of(object, "id_token");
    return tokens;
}

std::vector<std::int64_t> codes_of(const json::object& object) {
    std::vector<std::int64_t> codes;
    const auto* value = object.if_contains("error_codes");
    if (value == nullptr || !value->is_array()) return codes;
    for (const auto& code : value->get_array()) {
        if (codes.size() == error_codes_max) break;
        if (code.is_int64()) codes.push_back(code.get_int64());
    }
    return codes;
}

}  // namespace

TokenAnswer read_answer(const http::Response& response, WallTime now) {
    auto object = response.body.size() <= answer_limits.body_bytes_max ? read_object(response.body) : std::nullopt;
    if (response.status == 200 && object) {
        if (auto tokens = tokens_of(*object)) return std::move(*tokens);
    }
    Refusal refusal;
    refusal.http_status = response.status;
    refusal.retry_after = http::retry_after(response.headers, now);
    if (refusal.retry_after) refusal.retry_after = std::min(*refusal.retry_after, retry_after_max);
    if (!object && response.status != 200) refusal.error_description = text::printable(response.body, 200);
    if (!object) return refusal;
    refusal.error = words_of(*object, "error");
    refusal.suberror = words_of(*object, "suberror");
    refusal.error_description = words_of(*object, "error_description");
    refusal.error_codes = codes_of(*object);
    refusal.trace_id = words_of(*object, "trace_id");
    refusal.correlation_id = words_of(*object, "correlation_id");
    refusal.timestamp = words_of(*object, "timestamp");
    return refusal;
}

}  // namespace oauth2

#include "protocols/oauth2/response.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"
#include "protocols/oauth2/answer_parts.hpp"

namespace oauth2 {
namespace {

namespace json = boost::json;

std::optional<Secret> secret_at(const json::object& object, std::string_view key) {
    const auto text = text_at(object, key);
    if (text.empty()) return std::nullopt;
    return Secret(std::string(text));
}

/// What goes between the separators of a SASL response and nowhere else. RFC 6749 appendix A.12.
bool is_visible(std::string_view token) {
    return !token.empty() && std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Grant grant_in(const json::object& object) {
    Grant grant;
    grant.access_token = Secret(std::string(text_at(object, "access_token")));
    grant.expires_in = seconds_at(object, "expires_in");
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

std::string said_in(const Refusal& refusal) {
    constexpr std::size_t shown_bytes_max = 300;
    std::string line;
    for (const char c : refusal.error_description) {
        const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!blank) line += c;
        if (blank && !line.empty() && line.back() != ' ') line += ' ';
    }
    return text::printable(text::trimmed(line), shown_bytes_max);
}

Answer read_answer(int http_status, std::string_view body, std::optional<std::chrono::seconds> retry_after) {
    const bool success = http_status >= 200 && http_status < 300;
    const auto object = object_in(body);
    Refusal refusal = refusal_in(http_status, body, object, retry_after);
    if (!object || !success || !refusal.error.empty()) return refusal;

    const auto flaw = flaw_in(*object);
    if (flaw.empty()) return grant_in(*object);
    refusal.error_description = flaw;
    return refusal;
}

}  // namespace oauth2

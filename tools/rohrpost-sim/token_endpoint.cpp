#include <fmt/format.h>

#include <boost/json.hpp>

#include "tools/rohrpost-sim/http_endpoint.hpp"

namespace sim {

namespace json = boost::json;

namespace {

constexpr std::uint64_t huge_bytes = 64 * 1024 * 1024;

HttpReply refusal(unsigned status, std::string_view error, int code, std::string_view words) {
    json::object body{{"error", error},
                      {"error_description", fmt::format("AADSTS{}: {} Trace ID: 0\r\nCorrelation ID: 0", code, words)},
                      {"error_codes", json::array{code}},
                      {"trace_id", "0"},
                      {"correlation_id", "0"}};
    return {.status = status, .body = json::serialize(body)};
}

HttpReply grant(const TokenBook::Pair& pair) {
    json::object body{{"token_type", "Bearer"},
                      {"scope", "https://outlook.office.com/IMAP.AccessAsUser.All"},
                      {"expires_in", pair.expires_in.count()},
                      {"ext_expires_in", pair.expires_in.count()},
                      {"access_token", pair.access_token}};
    if (!pair.refresh_token.empty()) body["refresh_token"] = pair.refresh_token;
    return {.body = json::serialize(body)};
}

std::string field(const HttpRequest& request, const std::string& name) {
    const auto found = request.fields.find(name);
    return found == request.fields.end() ? std::string() : found->second;
}

/// The answer of a healthy endpoint.
HttpReply honest_answer(World& world, const HttpRequest& request) {
    const std::string grant_type = field(request, "grant_type");
    if (field(request, "client_id").empty()) return refusal(400, "invalid_request", 900144, "client_id is missing.");
    if (grant_type == "client_credentials") return grant(world.tokens.issue_alone(world.population().shared_user));
    if (grant_type != "refresh_token") return refusal(400, "unsupported_grant_type", 70003, "Not this grant type.");
    const auto pair = world.tokens.refresh(field(request, "refresh_token"));
    if (!pair) return refusal(400, "invalid_grant", 50173, "The provided grant has expired due to it being revoked.");
    return grant(*pair);
}

}  // namespace

HttpReply answer_token(World& world, const HttpRequest& request) {
    ++world.counters.token_requests;
    if (request.method != "POST") return {.status = 405, .body = "{}"};
    const std::string user = world.tokens.user_of(field(request, "refresh_token"));
    const auto struck = [&](FaultKind kind) { return world.faults.strike(kind, user); };
    if (struck(FaultKind::token_drop)) return {.dropped = true};
    if (struck(FaultKind::token_html))
        return {.status = 500,
                .type = "text/html",
                .body = "<html><body><h1>Our services aren't available</h1></body></html>"};
    if (struck(FaultKind::token_invalid_grant))
        return refusal(400, "invalid_grant", 50173, "The provided grant has expired due to it being revoked.");
    if (const auto throttled = struck(FaultKind::token_throttled))
        return {.status = 429,
                .type = "text/plain",
                .body = "Too Many Requests",
                .retry_after = std::chrono::seconds(throttled->value == 0 ? 5 : throttled->value)};
    if (const auto huge = struck(FaultKind::token_huge))
        return {.body = std::string(huge->value == 0 ? huge_bytes : huge->value, ' ')};
    HttpReply reply = honest_answer(world, request);
    if (const auto slow = struck(FaultKind::token_slow))
        reply.after = std::chrono::milliseconds(slow->value == 0 ? 5000 : slow->value);
    return reply;
}

HttpReply answer_introspection(World& world, const HttpRequest& request) {
    ++world.counters.introspections;
    const std::string token = request.bearer.empty() ? field(request, "token") : request.bearer;
    const auto holder = world.tokens.holder_of(token);
    if (!holder) return {.body = R"({"active":false})"};
    const json::object body{
        {"active", true}, {"username", holder->user}, {"email", holder->user}, {"token_type", "Bearer"}};
    return {.body = json::serialize(body)};
}

}  // namespace sim

#include "engine/network_door.hpp"

#include <fmt/format.h>

#include "engine/config/import.hpp"
#include "protocols/base/text.hpp"

namespace {

constexpr std::size_t page_body_bytes_max = 64U << 10U;

/// Nothing of mail or configuration.
bool is_public(std::string_view path) {
    return path == "/healthz" || path == "/readyz" || path == "/metrics" || path == "/v1/openapi.json";
}
bool is_api(std::string_view path) { return path == "/v1" || path.starts_with("/v1/"); }

/// Whether it may be read before anybody asks who sends it.
bool is_small(const http::Request& head) {
    const auto length = text::number<std::uint64_t>(head.header("Content-Length").value_or("0"));
    return length && *length <= page_body_bytes_max && !head.header("Transfer-Encoding");
}

/// RFC 6750 §2.1; empty: none.
std::string_view bearer_of(const http::Request& request) {
    constexpr std::string_view scheme = "Bearer ";
    const auto authorization = request.header("Authorization");
    if (!authorization || !text::starts_with_same(*authorization, scheme)) return {};
    return text::trimmed(authorization->substr(scheme.size()));
}

http::Response refused(unsigned status, std::string_view sentence) {
    return response_of(control::refusal(status, sentence));
}

}  // namespace

http::Response response_of(control::Response answer) {
    http::Response response;
    response.status = static_cast<int>(answer.status);
    response.content_type = std::move(answer.type);
    response.body = std::move(answer.body);
    response.headers = std::move(answer.headers);
    return response;
}

awaitable<http::Response> answer_call(control::Surroundings* here, control::From from, http::Request request) {
    control::Request call;
    call.from = from;
    call.method = std::move(request.method);
    call.target = std::move(request.target);
    call.type = std::string(request.header("Content-Type").value_or(""));
    call.body = std::move(request.body);
    auto answer = co_await control::handle(*here, std::move(call));
    co_return response_of(std::move(answer));
}

std::size_t NetworkDoor::body_bytes_max(const http::Request& head) {
    if (is_small(head) || !is_api(head.path)) return page_body_bytes_max;
    return stop(head, Count::this_one) ? page_body_bytes_max : config::document_bytes_max;
}

std::optional<http::Response> NetworkDoor::stop(const http::Request& request, Count count) {
    const auto peer = pages_.peer_of(request);
    const auto shown = bearer_of(request);
    if (shown.empty()) {
        auto response = refused(401, "show the API token: Authorization: Bearer TOKEN");
        response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"rohrpost\"");
        return response;
    }
    if (const auto wait = attempts_.must_wait(peer)) {
        auto response = refused(429, "too many wrong tokens were shown: wait");
        response.headers.emplace_back("Retry-After", fmt::format("{}", wait->count()));
        return response;
    }
    if (!token_.admits(shown)) {
        if (count == Count::this_one) attempts_.failed(peer);
        auto response = refused(401, "that is not the API token; rohrpost api-token makes a new one");
        response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"rohrpost\", error=\"invalid_token\"");
        return response;
    }
    attempts_.succeeded(peer);
    return std::nullopt;
}

awaitable<http::Response> NetworkDoor::answer(http::Request request) {
    if (is_public(request.path)) {
        auto response = co_await answer_call(&here_, control::From::network, std::move(request));
        co_return response;
    }
    if (!is_api(request.path)) {
        auto page = co_await pages_.answer(std::move(request));
        co_return page;
    }
    const auto count = is_small(request) ? Count::this_one : Count::was_counted;
    if (auto no = stop(request, count)) co_return std::move(*no);
    // Whoever has stolen the token must not be able to lock its owner out.
    if (request.path == "/v1/api-token") {
        co_return refused(403, "a new token is made on the services server alone: rohrpost api-token");
    }
    auto response = co_await answer_call(&here_, control::From::network, std::move(request));
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    co_return response;
}

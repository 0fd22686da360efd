#include "engine/tokens/https_endpoint.hpp"

#include <fmt/format.h>

#include "protocols/base/text.hpp"
#include "protocols/oauth2/endpoint.hpp"
#include "protocols/oauth2/request.hpp"

namespace tokens {

namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string line;
    for (const auto& word : words) line += (line.empty() ? "" : " ") + word;
    return line;
}

TokenReply reply_of(oauth2::Grant grant) {
    TokenReply reply;
    reply.answer.status = 200;
    reply.answer.has_token = true;
    reply.access_token = std::move(grant.access_token);
    if (grant.refresh_token) reply.refresh_token = std::move(*grant.refresh_token);
    reply.expires_in = grant.expires_in;
    return reply;
}

/// What support asks for stands in the words: error, description, trace and correlation id.
TokenReply reply_of(const oauth2::Refusal& refusal) {
    TokenReply reply;
    reply.answer = answer_of(refusal);
    const auto description = text::printable(refusal.error_description, 300);
    reply.says = refusal.error.empty() ? fmt::format("HTTP {}: {}", refusal.http_status, description)
                                       : fmt::format("{}: {}", refusal.error, description);
    if (!refusal.trace_id.empty()) reply.says += fmt::format(" (trace {})", text::printable(refusal.trace_id, 80));
    return reply;
}

}  // namespace

awaitable<TokenReply> HttpsEndpoint::ask(TokenRequest request) {
    if (request.grant != TokenRequest::Grant::refresh_token) {
        TokenReply reply;
        reply.answer.error = "unsupported_grant_type";
        reply.says = "this version refreshes tokens only; use the flow refresh_token";
        co_return reply;
    }
    oauth2::Refresh refresh;
    refresh.client_id = std::move(request.client_id);
    if (!request.client_secret.empty()) refresh.client_secret = std::move(request.client_secret);
    refresh.scope = joined(request.scopes);
    refresh.refresh_token = std::move(request.refresh_token);
    auto answer = co_await oauth2::ask(seams_, std::move(request.tls), request.url, oauth2::form_of(refresh), within_);
    if (!answer) {
        TokenReply reply;
        reply.says = fmt::format("{}: {}", request.url, answer.error().message());
        co_return reply;
    }
    if (auto* grant = std::get_if<oauth2::Grant>(&*answer)) co_return reply_of(std::move(*grant));
    co_return reply_of(std::get<oauth2::Refusal>(*answer));
}

}  // namespace tokens

#include "engine/tokens/https_endpoint.hpp"

#include <fmt/format.h>

#include "protocols/base/text.hpp"
#include "protocols/oauth2/endpoint.hpp"

namespace tokens {

namespace {

TokenReply reply_of(oauth2::Grant grant) {
    TokenReply reply;
    reply.answer.status = 200;
    reply.answer.has_token = true;
    reply.access_token = std::move(grant.access_token);
    if (grant.refresh_token) reply.refresh_token = std::move(*grant.refresh_token);
    if (grant.id_token) reply.id_token = std::move(*grant.id_token);
    reply.expires_in = grant.expires_in;
    reply.scope = std::move(grant.scope);
    return reply;
}

/// What support asks for stands in the words: error, description, trace and correlation id.
TokenReply reply_of(oauth2::Refusal refusal) {
    TokenReply reply;
    reply.answer = answer_of(refusal);
    const auto description = oauth2::said_in(refusal);
    reply.says = refusal.error.empty() ? fmt::format("HTTP {}: {}", refusal.http_status, description)
                                       : fmt::format("{}: {}", refusal.error, description);
    if (!refusal.trace_id.empty()) reply.says += fmt::format(" (trace {})", text::printable(refusal.trace_id, 80));
    reply.refusal = std::move(refusal);
    return reply;
}

template <class What>
oauth2::Post post_of(const What& what) {
    oauth2::Post post{.form = oauth2::form_of(what)};
    if constexpr (std::is_base_of_v<oauth2::Client, What>) post.authorization = oauth2::authorization_of(what);
    return post;
}

}  // namespace

awaitable<TokenReply> HttpsEndpoint::ask(TokenRequest request) {
    auto post = std::visit([](const auto& what) { return post_of(what); }, request.what);
    auto answer = co_await oauth2::ask(seams_, std::move(request.tls), request.url, std::move(post), within_);
    if (!answer) {
        TokenReply reply;
        reply.says = fmt::format("{}: {}", request.url, answer.error().message());
        co_return reply;
    }
    if (auto* grant = std::get_if<oauth2::Grant>(&*answer)) co_return reply_of(std::move(*grant));
    co_return reply_of(std::move(std::get<oauth2::Refusal>(*answer)));
}

awaitable<Result<oauth2::DeviceAnswer>> HttpsEndpoint::ask_device(std::string url,
                                                                  std::shared_ptr<const net::TlsClient> tls,
                                                                  oauth2::Post post) {
    auto answer = co_await oauth2::ask_device(seams_, std::move(tls), std::move(url), std::move(post), within_);
    co_return answer;
}

awaitable<Result<jose::KeySet>> HttpsEndpoint::keys(std::string url, std::shared_ptr<const net::TlsClient> tls) {
    auto keys = co_await oauth2::fetch_keys(seams_, std::move(tls), std::move(url), within_);
    co_return keys;
}

}  // namespace tokens

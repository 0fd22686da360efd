#include "protocols/oauth2/endpoint.hpp"

#include "protocols/http/client.hpp"
#include "protocols/http/errc.hpp"
#include "protocols/http/url.hpp"
#include "protocols/net/tls.hpp"

namespace oauth2 {
namespace {

constexpr std::size_t header_bytes_max = 64U << 10U;

http::Request request_to(http::Url url, const Post& post) {
    http::Request request;
    request.method = "POST";
    request.host = std::move(url.authority);
    request.path = std::move(url.path);
    request.query = std::move(url.query);
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    if (!post.authorization.empty()) request.headers.emplace_back("Authorization", post.authorization.reveal());
    request.body = post.form.reveal();
    return request;
}

http::Request request_to(http::Url url) {
    http::Request request;
    request.host = std::move(url.authority);
    request.path = std::move(url.path);
    request.query = std::move(url.query);
    request.headers = {{"Accept", "application/json"}};
    return request;
}

/// One request on a connection of its own. An empty one is a GET.
awaitable<Result<http::Response>> exchange(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url,
                                           Post post, std::size_t body_bytes_max, std::chrono::milliseconds within) {
    auto to = http::read_https_url(url);
    if (!to) co_return to.error();
    net::Dial dial{.host = to->host,
                   .port = to->port,
                   .security = net::Security::implicit_tls,
                   .tls = std::move(tls),
                   .within = within};
    const http::Limits limits{.header_bytes_max = header_bytes_max, .body_bytes_max = body_bytes_max};
    auto request = post.form.empty() ? request_to(std::move(*to)) : request_to(std::move(*to), post);
    auto response = co_await http::call(seams, std::move(dial), std::move(request), limits);
    co_return response;
}

}  // namespace

awaitable<Result<Answer>> ask(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url, Post post,
                              std::chrono::milliseconds within) {
    auto response = co_await exchange(seams, std::move(tls), std::move(url), std::move(post), answer_bytes_max, within);
    if (!response) co_return response.error();
    const Secret body(std::move(response->body));
    co_return read_answer(response->status, body.reveal(), response->retry_after());
}

awaitable<Result<DeviceAnswer>> ask_device(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url,
                                           Post post, std::chrono::milliseconds within) {
    auto response = co_await exchange(seams, std::move(tls), std::move(url), std::move(post), answer_bytes_max, within);
    if (!response) co_return response.error();
    const Secret body(std::move(response->body));
    co_return read_device_answer(response->status, body.reveal(), response->retry_after());
}

awaitable<Result<jose::KeySet>> fetch_keys(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url,
                                           std::chrono::milliseconds within) {
    auto response = co_await exchange(seams, std::move(tls), std::move(url), Post(), jose::key_set_bytes_max, within);
    if (!response) co_return response.error();
    if (response->status != 200) co_return http::errc::malformed;
    co_return jose::read_key_set(response->body);
}

}  // namespace oauth2

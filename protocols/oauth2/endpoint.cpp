#include "protocols/oauth2/endpoint.hpp"

#include "protocols/http/client.hpp"
#include "protocols/http/errc.hpp"

namespace oauth2 {

awaitable<Result<TokenAnswer>> ask(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url,
                                   Secret form, std::chrono::milliseconds within) {
    auto read = http::read_url(url);
    if (!read) co_return read.error();
    if (!read->secure) co_return http::errc::not_encrypted;
    http::Request request;
    request.method = "POST";
    request.target = read->target;
    request.query = read->query;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    request.body = form.reveal();
    const http::Bounds bounds{.limits = answer_limits, .within = within};
    const auto response = co_await http::call(seams, std::move(tls), std::move(*read), std::move(request), bounds);
    if (!response) co_return response.error();
    co_return read_answer(*response, seams.timers.clock().wall());
}

awaitable<Result<TokenAnswer>> ask(Seams& seams, std::shared_ptr<const net::TlsClient> tls, std::string url,
                                   Secret form) {
    constexpr auto within = std::chrono::seconds(30);
    auto answer = co_await ask(seams, std::move(tls), std::move(url), std::move(form), within);
    co_return answer;
}

}  // namespace oauth2

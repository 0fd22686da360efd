#include "engine/tokens/identity_keys.hpp"

#include "protocols/jose/errc.hpp"

namespace tokens {

namespace {

constexpr auto kept_for = std::chrono::hours(24);
constexpr auto between_fetches = std::chrono::minutes(1);  // whatever tokens name

}  // namespace

awaitable<Result<void>> IdentityKeys::fetch(std::string url, std::shared_ptr<const net::TlsClient> tls) {
    auto keys = co_await endpoint_.keys(url, std::move(tls));
    if (!keys) co_return keys.error();
    fetched_[url] = {.keys = std::move(*keys), .at = clock_.now()};
    co_return Result<void>();
}

awaitable<Result<oauth2::IdToken>> IdentityKeys::read(std::string url, std::shared_ptr<const net::TlsClient> tls,
                                                      Secret id_token, oauth2::IdTokenDemand demand) {
    const auto age = [this, &url]() -> std::optional<Monotonic::duration> {
        const auto known = fetched_.find(url);
        if (known == fetched_.end()) return std::nullopt;
        return clock_.now() - known->second.at;
    };
    if (const auto old = age(); !old || *old > kept_for) {
        auto fetched = co_await fetch(url, tls);
        if (!fetched && !old) co_return fetched.error();  // the old ones may do
    }
    auto token = oauth2::read_id_token(id_token.reveal(), fetched_[url].keys, demand, clock_.wall());
    if (!token && token.error() == jose::errc::unknown_key && *age() > between_fetches) {
        auto fetched = co_await fetch(url, tls);
        if (!fetched) co_return fetched.error();
        token = oauth2::read_id_token(id_token.reveal(), fetched_[url].keys, demand, clock_.wall());
    }
    co_return token;
}

}  // namespace tokens

#include "engine/control/api_token.hpp"

#include <array>
#include <boost/json/object.hpp>

#include "engine/control/surroundings.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/base/sha256.hpp"

namespace control {

Secret ApiToken::fresh(Random& random) {
    for (;;) {
        std::array<std::byte, 32> bits{};
        random.fill(bits);
        Secret token(base64url_encoded({reinterpret_cast<const char*>(bits.data()), bits.size()}));
        if (token.reveal().front() != '-') return token;  // programs would take it for a flag
    }
}

std::string ApiToken::kept_of(std::string_view token) { return sha256_of(token); }

bool ApiToken::admits(std::string_view shown) const noexcept {
    return !kept_.empty() && Secret(kept_of(shown)) == kept_;
}

awaitable<Response> renew_api_token(Surroundings& here) {
    if (here.random == nullptr) co_return refusal(500, "there is nothing to make a token from");
    const Secret token = ApiToken::fresh(*here.random);
    std::string kept = ApiToken::kept_of(token.reveal());
    auto work = [kept](store::Workbench bench) { return bench.store.put_meta(ApiToken::row, kept); };
    auto written = co_await here.committer.run(here.home, std::move(work));
    if (!written) co_return failure(written.error());
    if (here.api_token != nullptr) here.api_token->is_now(std::move(kept));
    co_return answer(boost::json::object{{"token", token.reveal()}});
}

}  // namespace control

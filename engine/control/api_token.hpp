#pragma once

#include <string>
#include <string_view>

#include "engine/control/message.hpp"
#include "protocols/base/random.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

struct Surroundings;

/// What the network shows to use the API. The store keeps a hash of it, so nobody can read it there. One shard.
class ApiToken {
public:
    /// Its row among Store::meta; the value is kept_of(token).
    static constexpr std::string_view row = "api_token";
    /// 256 random bits as 43 characters.
    static Secret fresh(Random& random);
    static std::string kept_of(std::string_view token);

    void is_now(std::string kept) {
        kept_ = Secret(std::move(kept));
        ++generation_;
    }
    /// Takes the same time for every wrong one. False as long as there is none.
    [[nodiscard]] bool admits(std::string_view shown) const noexcept;
    /// Another one for each token.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

private:
    Secret kept_;
    std::uint64_t generation_ = 0;
};

/// {"token": a new one}: shown this once. The old one ends, and with it whoever logged in with it.
awaitable<Response> renew_api_token(Surroundings& here);

}  // namespace control

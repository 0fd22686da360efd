#pragma once

#include "engine/console/api.hpp"
#include "engine/control/routes.hpp"

/// The API of this very process, for its own pages. The shard of its surroundings.
class LocalApi final : public console::Api {
public:
    LocalApi(control::Surroundings& here, const control::ApiToken& token) : here_(here), token_(token) {}

    awaitable<Reply> call(std::string method, std::string target, std::string body) override;
    [[nodiscard]] bool admits(std::string_view token) const override { return token_.admits(token); }
    [[nodiscard]] std::uint64_t generation() const override { return token_.generation(); }

private:
    control::Surroundings& here_;
    const control::ApiToken& token_;
};

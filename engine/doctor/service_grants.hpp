#pragma once

#include "engine/doctor/grant.hpp"
#include "queue/inbox.hpp"

namespace doctor {

/// The grants of the token service, on its shard, whose inbox and timers these are.
class ServiceGrants final : public Grants {
public:
    ServiceGrants(tokens::TokenService& service, queue::Inbox& home, Timers& timers)
        : service_(service), home_(home), timers_(timers) {}

    awaitable<GrantFacts> of(std::string credential, std::chrono::milliseconds within) override;

private:
    tokens::TokenService& service_;
    queue::Inbox& home_;
    Timers& timers_;
};

}  // namespace doctor

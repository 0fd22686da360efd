#pragma once

#include "engine/config/flags.hpp"
#include "engine/doctor/doctor.hpp"
#include "engine/doctor/service_grants.hpp"
#include "engine/outside.hpp"

/// The doctor with what it looks through. Lives on the shard of the token service, and ends before both.
class Consulting {
public:
    Consulting(Outside& outside, const config::RunFlags& flags, runtime::Shard& shard, tokens::TokenService& tokens);

    [[nodiscard]] doctor::Doctor& doctor() noexcept { return doctor_; }

private:
    std::unique_ptr<net::Resolver> resolver_;
    doctor::ServiceGrants grants_;
    doctor::Doctor doctor_;
};

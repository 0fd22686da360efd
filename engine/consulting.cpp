#include "engine/consulting.hpp"

#include "engine/ip_family.hpp"

Consulting::Consulting(Outside& outside, const config::RunFlags& flags, runtime::Shard& shard,
                       tokens::TokenService& tokens)
    : resolver_(outside.make_resolver(shard.context(), shard.timers())),
      grants_(tokens, shard.inbox(), shard.timers()),
      doctor_({.shard = shard.executor(),
               .surroundings = {.seams = shard.seams(),
                                .resolver = *resolver_,
                                .family = family_of(flags.ip_family),
                                .proxied = !flags.proxy.empty()},
               .grants = grants_}) {}

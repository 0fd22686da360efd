#pragma once
/// What is done to see: each probe ends in bounded time, changes nothing at the server, and brings back facts.

#include <memory>

#include "engine/doctor/grant.hpp"
#include "engine/doctor/greeting.hpp"
#include "engine/doctor/login.hpp"
#include "engine/doctor/page.hpp"
#include "engine/doctor/way.hpp"
#include "protocols/net/resolver.hpp"
#include "protocols/net/seams.hpp"

namespace doctor {

/// What probes get from outside. All of it outlives them; one shard.
struct Surroundings {
    Seams& seams;
    net::Resolver& resolver;
    net::Family family = net::Family::any;  // of the addresses that may be used
    bool proxied = false;                   // the dialler goes through a proxy
};

/// Resolves, connects to one address of each family, and looks at the certificate.
awaitable<WayFacts> probe_way(Surroundings here, Place place);

awaitable<GreetingFacts> probe_greeting(Surroundings here, Place place, std::shared_ptr<const net::TlsClient> tls);

awaitable<PageFacts> probe_page(Surroundings here, Page page, Place place, std::shared_ptr<const net::TlsClient> tls);

/// Logs in and opens each folder read-only.
awaitable<LoginFacts> probe_login(Surroundings here, Place place, std::shared_ptr<const net::TlsClient> tls,
                                  config::Mailbox mailbox, tokens::Token token);

/// Logs in and counts the messages.
awaitable<LoginFacts> probe_pop3_login(Surroundings here, Place place, std::shared_ptr<const net::TlsClient> tls,
                                       config::Mailbox mailbox, tokens::Token token);

}  // namespace doctor

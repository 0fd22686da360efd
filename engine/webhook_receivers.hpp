#pragma once

#include "engine/roster.hpp"
#include "engine/secrets/keyring.hpp"
#include "engine/webhooks/feeds.hpp"

/// Public addresses, and those of `networks`.
std::shared_ptr<const net::Reach> reach_of(const std::vector<std::string>& networks);

/// The webhooks with their keys and authorities; they may go to public addresses and to `networks`. One that cannot be
/// used is left out, and the log says why.
awaitable<std::vector<webhooks::Feeds::Served>> read_webhooks(store::Committer& committer, queue::Inbox& inbox,
                                                              const secrets::Keyring& keyring, TlsClients& tls,
                                                              std::vector<config::Webhook> configured,
                                                              const std::vector<std::string>& networks);

#pragma once

#include <string>
#include <vector>

#include "engine/hand_offs.hpp"
#include "engine/roster.hpp"
#include "engine/secrets/keyring.hpp"

/// The consumers with what is needed to reach them: keys, authorities, and the networks that webhooks may go to. One
/// that cannot be served is among them with its fault.
awaitable<std::vector<HandOffs::Served>> read_consumers(store::Committer& committer, queue::Inbox& inbox,
                                                        const secrets::Keyring& keyring, TlsClients& tls,
                                                        std::vector<config::Consumer> configured,
                                                        const std::vector<std::string>& networks);

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/dispatcher/route.hpp"
#include "engine/retriever/retriever.hpp"
#include "engine/tokens/token_service.hpp"
#include "protocols/net/tls.hpp"
#include "queue/inbox.hpp"
#include "queue/store/committer.hpp"

/// The TLS settings in use, one for each file of authorities. One shard.
class TlsClients {
public:
    Result<std::shared_ptr<const net::TlsClient>> of(const std::string& ca_file);
    /// Files of authorities may have changed: read them again when they are asked for next.
    void forget() { clients_.clear(); }

private:
    std::map<std::string, std::shared_ptr<const net::TlsClient>> clients_;
};

/// Who is to be served: everything imported, as the engine's roles use it.
struct Roster {
    std::vector<retriever::Served> mailboxes;  // in order of id: those whose mail is fetched
    std::vector<dispatcher::Sender> senders;   // in order of id: those that send
    std::vector<config::Consumer> consumers;
    std::vector<config::Provider> providers;
    std::vector<config::Credential> credentials;
    std::vector<config::Webhook> webhooks;
    std::vector<config::AlarmMail> alarms;
};

/// Reads the roster through the committer, in pages. A mailbox that cannot be served is in it with its fault. `all` is
/// what all sessions count for.
awaitable<Result<Roster>> read_roster(store::Committer& committer, queue::Inbox& inbox, TlsClients& tls,
                                      retriever::Share all);

/// Its credentials as the token service keeps them.
std::vector<tokens::Account> accounts_of(const Roster& roster, TlsClients& tls);

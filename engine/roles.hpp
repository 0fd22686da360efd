#pragma once

#include "engine/acknowledgements_to_doorbell.hpp"
#include "engine/alarms.hpp"
#include "engine/console/console.hpp"
#include "engine/console/remote_api.hpp"
#include "engine/consulting.hpp"
#include "engine/control/routes.hpp"
#include "engine/engine.hpp"
#include "engine/inlets/smtp_inlet.hpp"
#include "engine/live_view.hpp"
#include "engine/local_api.hpp"
#include "engine/network_door.hpp"
#include "engine/outgoing.hpp"
#include "engine/tokens/expiry_watch.hpp"
#include "engine/tokens/https_endpoint.hpp"
#include "engine/tokens/sign_ins.hpp"
#include "engine/tokens/token_client.hpp"
#include "engine/tokens/token_service.hpp"
#include "protocols/http/server.hpp"

/// Everything above the store. Declared in the order of who uses whom; ended in the opposite one, after the loops.
struct Engine::Roles {
    Roles(Engine& engine, std::size_t shard_count);

    void post_reload() {
        asio::post(main.executor(), [this] { reload.wake(); });
    }

    runtime::Shard::MakeDialer make_dialer;
    runtime::Shard main;
    runtime::Shard handing;  // to files
    runtime::Shard calling;  // consumers over the network
    std::vector<std::unique_ptr<runtime::Shard>> shards;
    retriever::StateBoard board;
    retriever::Doorbell bell;
    retriever::SessionBudget sessions;
    AcknowledgementsToDoorbell acknowledgements{bell};
    retriever::Options options;
    HandOffs hand_offs;
    tokens::HttpsEndpoint endpoint;
    tokens::TokenService tokens;
    tokens::ExpiryWatch expiries;
    tokens::SignIns sign_ins;
    Consulting consulting;
    std::vector<std::unique_ptr<retriever::Retriever>> retrievers;
    Outgoing outgoing;
    TlsClients tls;
    inlets::Numbers inlet_numbers;
    LiveView view;
    control::ApiToken api_token;
    std::shared_ptr<control::MailboxNames> names = std::make_shared<control::MailboxNames>();
    std::shared_ptr<submission::Senders> senders = std::make_shared<submission::Senders>();
    std::unique_ptr<console::RemoteApi> watched;  // nullptr: this daemon watches itself alone
    webhooks::Feeds feeds;
    Alarms alarms;
    control::Surroundings surroundings;
    LocalApi api;
    console::Attempts attempts;
    console::Console console;
    NetworkDoor door;
    http::Server* console_server = nullptr;  // of servers
    std::vector<std::unique_ptr<http::Server>> servers;
    std::unique_ptr<runtime::Shard> inlet_shard;  // with smtp alone
    std::unique_ptr<inlets::SmtpInlet> smtp;
    Parking stop;
    Parking reload;
    bool stopping = false;
    std::map<std::string, std::uint64_t> signed_in;  // how often, by credential, since the start
    runtime::Scope scope;
};

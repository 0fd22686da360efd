#include "engine/webhook_receivers.hpp"

#include <spdlog/spdlog.h>

#include "engine/config/documents.hpp"
#include "engine/runtime/log.hpp"
#include "engine/sealed_secret.hpp"
#include "protocols/webhook/signature.hpp"

namespace {

constexpr std::string_view secret_name = config::webhook_secrets[0];

void leave_out(const config::Webhook& webhook, std::string_view what, const error_code& reason) {
    spdlog::error("webhook={} {} cannot be used: {}; nothing is posted to it", runtime::value(webhook.id), what,
                  reason.message());
}

}  // namespace

std::shared_ptr<const net::Reach> reach_of(const std::vector<std::string>& networks) {
    auto reach = std::make_shared<net::Reach>();
    for (const auto& network : networks) (void)reach->allow(network);  // judged as flags
    return reach;
}

awaitable<std::vector<webhooks::Feeds::Served>> read_webhooks(store::Committer& committer, queue::Inbox& inbox,
                                                              const secrets::Keyring& keyring, TlsClients& tls,
                                                              std::vector<config::Webhook> configured,
                                                              const std::vector<std::string>& networks) {
    std::vector<webhooks::Feeds::Served> served;
    const auto reach = reach_of(networks);
    for (auto& webhook : configured) {
        auto secret = co_await read_secret(committer, inbox, keyring, config::secret_owner(webhook), secret_name);
        if (!secret) {
            leave_out(webhook, "its secret", secret.error());
            continue;
        }
        auto client = tls.of(webhook.ca_file);
        if (!client) {
            leave_out(webhook, webhook.ca_file, client.error());
            continue;
        }
        webhooks::Receiver receiver{webhook.url, webhook::key_of(*secret), std::move(*client), reach};
        served.push_back({std::move(webhook), std::move(receiver)});
    }
    co_return served;
}

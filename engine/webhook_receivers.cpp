#include "engine/webhook_receivers.hpp"

#include <spdlog/spdlog.h>

#include "engine/config/documents.hpp"
#include "engine/runtime/log.hpp"
#include "engine/webhooks/signature.hpp"

namespace {

constexpr std::string_view secret_name = config::webhook_secrets[0];

void leave_out(const config::Webhook& webhook, std::string_view what, const error_code& reason) {
    spdlog::error("webhook={} {} cannot be used: {}; nothing is posted to it", runtime::value(webhook.id), what,
                  reason.message());
}

}  // namespace

awaitable<std::vector<webhooks::Feeds::Served>> read_webhooks(store::Committer& committer, queue::Inbox& inbox,
                                                              const secrets::Keyring& keyring, TlsClients& tls,
                                                              std::vector<config::Webhook> configured,
                                                              const std::vector<std::string>& networks) {
    std::vector<webhooks::Feeds::Served> served;
    auto reach = std::make_shared<net::Reach>();
    for (const auto& network : networks) (void)reach->allow(network);  // judged as flags
    for (auto& webhook : configured) {
        const auto owner = config::secret_owner(webhook);
        auto read = [owner](store::Workbench bench) { return bench.store.secret(owner, secret_name); };
        auto sealed = co_await committer.run(inbox, std::move(read));
        if (!sealed || !*sealed) {
            leave_out(webhook, "its secret", sealed ? error_code(store::errc::unknown_id) : sealed.error());
            continue;
        }
        auto secret = keyring.unseal(owner, secret_name, **sealed);
        if (!secret) {
            leave_out(webhook, "its secret", secret.error());
            continue;
        }
        auto client = tls.of(webhook.ca_file);
        if (!client) {
            leave_out(webhook, webhook.ca_file, client.error());
            continue;
        }
        webhooks::Receiver receiver{webhook.url, webhooks::key_of(*secret), std::move(*client), reach};
        served.push_back({std::move(webhook), std::move(receiver)});
    }
    co_return served;
}

#include "engine/consumer_ways.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "engine/config/documents.hpp"
#include "engine/config/lmtp_place.hpp"
#include "engine/runtime/log.hpp"
#include "engine/sealed_secret.hpp"
#include "engine/webhook_receivers.hpp"

namespace {

using Kind = config::Consumer::Kind;

constexpr std::string_view secret_name = config::consumer_secrets[0];

/// Whether its way leads over a network that others may listen to.
bool needs_tls(const config::Consumer& consumer) {
    if (consumer.kind == Kind::webhook) return consumer.url.starts_with("https:");
    if (consumer.kind != Kind::lmtp) return false;
    const auto place = config::lmtp_place_of(consumer.address);
    return place && !place->on_this_machine();
}

}  // namespace

awaitable<std::vector<HandOffs::Served>> read_consumers(store::Committer& committer, queue::Inbox& inbox,
                                                        const secrets::Keyring& keyring, TlsClients& tls,
                                                        std::vector<config::Consumer> configured,
                                                        const std::vector<std::string>& networks) {
    const auto reach = reach_of(networks);
    std::vector<HandOffs::Served> all;
    for (auto& consumer : configured) {
        HandOffs::Served served;
        if (needs_tls(consumer)) {
            auto client = tls.of(consumer.ca_file);
            if (client)
                served.tls = std::move(*client);
            else
                served.fault = fmt::format("ca_file {}: {}", consumer.ca_file, client.error().message());
        }
        if (consumer.kind == Kind::webhook) {
            served.reach = reach;
            auto secret = co_await read_secret(committer, inbox, keyring, config::secret_owner(consumer), secret_name);
            if (secret)
                served.key = std::move(*secret);
            else
                served.fault = fmt::format("its secret cannot be used: {}", secret.error().message());
        }
        if (!served.fault.empty())
            spdlog::error("consumer={} {}; nothing is handed off to it", runtime::value(consumer.id), served.fault);
        served.consumer = std::move(consumer);
        all.push_back(std::move(served));
    }
    co_return all;
}

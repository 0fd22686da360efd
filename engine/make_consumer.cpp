#include "engine/make_consumer.hpp"

#include "engine/config/lmtp_place.hpp"
#include "engine/consumers/command.hpp"
#include "engine/consumers/lmtp.hpp"
#include "engine/consumers/webhook.hpp"
#include "engine/own_name.hpp"
#include "engine/submission/record.hpp"
#include "engine/view/view.hpp"
#include "protocols/base/ensure.hpp"
#include "protocols/webhook/signature.hpp"

namespace {

constexpr std::size_t batch_mails = 64;  // an acknowledgement costs one commit for so many

std::unique_ptr<consumers::Consumer> lmtp(const HandOffs::Served& served, runtime::Shard& shard) {
    const auto place = config::lmtp_place_of(served.consumer.address);
    ensure(place.has_value(), "an address is judged when it is imported");
    consumers::Lmtp::Options options;
    options.host = place->host;
    options.port = place->port;
    options.where = served.consumer.address;
    options.tls = served.tls;
    options.recipient = served.consumer.recipient;
    options.own_name = own_name();
    return std::make_unique<consumers::Lmtp>(std::move(options), shard.seams());
}

std::unique_ptr<consumers::Consumer> posting(const HandOffs::Served& served, runtime::Shard& shard) {
    consumers::Webhook::Options options;
    options.receiver = {served.consumer.url, webhook::key_of(served.key), served.tls, served.reach};
    options.format = served.consumer.format;
    options.source = "urn:rohrpost:" + own_name();
    if (served.consumer.timeout) options.timeout = *served.consumer.timeout;
    options.view = [](std::string_view mail) {
        view::Limits limits;
        limits.mark_field = submission::mark_header;
        return view::view_of(mail, limits);
    };
    return std::make_unique<consumers::Webhook>(std::move(options), shard.seams());
}

std::unique_ptr<consumers::Consumer> command(const HandOffs::Served& served, runtime::Shard& shard) {
    consumers::Command::Options options;
    options.program = served.consumer.program;
    if (served.consumer.timeout) options.timeout = *served.consumer.timeout;
    return std::make_unique<consumers::Command>(std::move(options), shard.executor(), shard.timers());
}

}  // namespace

std::unique_ptr<consumers::Consumer> make_consumer(const HandOffs::Served& served, runtime::Shard& shard,
                                                   consumers::HandOff::Options& options) {
    options.batch_mails_max = batch_mails;
    options.lanes = served.consumer.connections;
    options.lots = consumers::HandOff::Options::Lots::shared;
    options.attempts_max = served.consumer.attempts;
    options.folder_names = served.consumer.kind != config::Consumer::Kind::lmtp;
    if (served.consumer.kind == config::Consumer::Kind::lmtp) return lmtp(served, shard);
    if (served.consumer.kind == config::Consumer::Kind::command) return command(served, shard);
    return posting(served, shard);
}

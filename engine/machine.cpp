#include "engine/machine.hpp"

#include <fmt/format.h>

#include "engine/consumers/maildir.hpp"
#include "engine/ip_family.hpp"
#include "engine/start_error.hpp"

namespace {}  // namespace

Machine::Machine(const config::RunFlags& flags) {
    dialling_.family = family_of(flags.ip_family);
    if (flags.proxy.empty()) return;
    auto proxy = net::read_proxy(flags.proxy);
    if (!proxy) throw StartError(exit_config, fmt::format("--proxy {}: {}", flags.proxy, proxy.error().message()));
    dialling_.proxy = std::move(*proxy);
}

std::unique_ptr<net::Dialer> Machine::make_dialer(asio::io_context& context, Timers& timers, Random&) {
    return std::make_unique<net::SystemDialer>(context, timers, dialling_);
}

std::unique_ptr<net::Resolver> Machine::make_resolver(asio::io_context& context, Timers& timers) {
    return std::make_unique<net::SystemResolver>(context, timers);
}

std::unique_ptr<consumers::Consumer> Machine::make_consumer(const config::Consumer& consumer, runtime::Shard& shard) {
    consumers::Maildir::Options options;
    options.path = consumer.path;
    options.sync = consumer.sync;
    return std::make_unique<consumers::Maildir>(std::move(options), maildir_files_, shard.timers().clock());
}

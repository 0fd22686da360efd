#include "engine/roles.hpp"

#include <fmt/format.h>

#include "engine/own_name.hpp"
#include "engine/runtime/log.hpp"

namespace {

constexpr std::size_t logins_at_once = 16;      // of each shard
constexpr std::size_t quiet_budget = 1U << 20;  // of shards that hold no mail

void report(const std::string& name, const std::string& what) {
    spdlog::error("{} id=crashed reason={}", name, runtime::value(what));
}

runtime::Shard::MakeDialer dialers_of(Outside& outside) {
    return [&outside](asio::io_context& context, Timers& timers, Random& random) {
        return outside.make_dialer(context, timers, random);
    };
}

/// Throws StartError when its files cannot be read.
std::unique_ptr<console::RemoteApi> watch(const config::RunFlags& flags, Seams& seams) {
    const console::RemoteApi::Options options{flags.watch_server, flags.watch_token_file, flags.watch_ca, "--watch"};
    auto server = std::make_unique<console::RemoteApi>(options, seams);
    const auto wrong = server->load();
    if (!wrong.empty()) throw StartError(exit_config, wrong);
    return server;
}

}  // namespace

Engine::Roles::Roles(Engine& engine, std::size_t shard_count)
    : make_dialer(dialers_of(engine.outside_)),
      main("main", engine.outside_.clock(), engine.outside_.random(), quiet_budget, make_dialer),
      handing("hand-off", engine.outside_.clock(), engine.outside_.random(), quiet_budget, make_dialer),
      calling("call", engine.outside_.clock(), engine.outside_.random(), quiet_budget, make_dialer),
      sessions(engine.outside_.clock()),
      hand_offs(
          {engine.outside_, handing, calling, *engine.committer_, *engine.bodies_, engine.counters_, acknowledgements}),
      endpoint(main.seams()),
      tokens({main.executor(), main.inbox(), main.timers(), engine.outside_.random(), *engine.committer_,
              *engine.keyring_, endpoint},
             {}),
      expiries({main.inbox(), main.timers(), *engine.committer_, *engine.keyring_, tokens}),
      sign_ins({main.executor(), tokens, main.timers(), engine.outside_.random(),
                [this](const std::string& credential) {
                    ++signed_in[credential];
                    post_reload();
                }}),
      consulting(engine.outside_, engine.flags_, main, tokens),
      outgoing({main, shards, *engine.committer_, hand_offs, engine.flags_.settling_time}),
      view({engine.counters_, board, bell, *engine.committer_, hand_offs, tokens, expiries, engine.outside_.clock(),
            main.timers(), [this] { post_reload(); },
            [this, &engine] {
                auto metrics = outgoing.metrics();
                const auto add = [&metrics](std::vector<runtime::Metric> more) {
                    std::move(more.begin(), more.end(), std::back_inserter(metrics));
                };
                add(alarms.metrics());
                add({{"rohrpost_sessions_waiting",
                      "Mailboxes and watches of folders in line for a session",
                      static_cast<double>(sessions.waiting()),
                      {}}});
                if (engine.flags_.smtp.listen) add(inlets::metrics_of(inlet_numbers));
                if (engine.flags_.roles.console) add(console.metrics());
                return metrics;
            }}),
      watched(engine.flags_.watch_server.empty() ? nullptr : watch(engine.flags_, main.seams())),
      feeds({main.executor(), main.inbox(), main.seams(), *engine.committer_, names, "urn:rohrpost:" + own_name()}),
      alarms({main,
              *engine.committer_,
              tokens,
              board,
              outgoing,
              view,
              feeds,
              engine.outside_.random(),
              senders,
              engine.flags_.data,
              own_name(),
              {engine.flags_.alarm_silence, engine.flags_.alarm_queue_age},
              engine.flags_.alarm_patience,
              engine.flags_.roles.alarm,
              watched.get(),
              engine.flags_.watch_server}),
      surroundings{.committer = *engine.committer_,
                   .home = main.inbox(),
                   .clock = engine.outside_.clock(),
                   .keyring = engine.keyring_.get(),
                   .live = &view,
                   .sign_ins = &sign_ins,
                   .random = &engine.outside_.random(),
                   .api_token = &api_token,
                   .doctor = &consulting.doctor(),
                   .sending = engine.flags_.roles.dispatcher ? &outgoing : nullptr,
                   .alarming = &alarms,
                   .names = names,
                   .senders = senders},
      api(surroundings, api_token),
      attempts(engine.outside_.clock()),
      console(
          {api, attempts, engine.outside_.clock(), engine.outside_.random()},
          engine.flags_.console_behind_proxy ? console::Console::Peers::of_a_proxy : console::Console::Peers::known),
      door(surroundings, api_token, console, attempts),
      scope(main.executor(), report) {
    options.poll_interval = engine.flags_.poll_interval;
    options.visits_at_once = engine.flags_.exit_when_idle;
    options.idle_renew = engine.flags_.idle_renew;
    options.fetch.batch_uids = engine.flags_.fetch_batch;
    options.sizes = engine.sizes_.intake;
    const auto budget = engine.flags_.memory_budget / (shard_count + (engine.flags_.smtp.listen ? 1 : 0));
    if (engine.flags_.smtp.listen) {
        // One mail of the largest size always has room.
        inlet_shard = std::make_unique<runtime::Shard>(
            "smtp", engine.outside_.clock(), engine.outside_.random(),
            std::max<std::size_t>(budget, 2 * engine.flags_.smtp.message_bytes_max), make_dialer);
    }
    for (std::size_t i = 0; i < shard_count; ++i) {
        shards.push_back(std::make_unique<runtime::Shard>(fmt::format("shard-{}", i), engine.outside_.clock(),
                                                          engine.outside_.random(), budget, make_dialer));
        auto client = std::make_unique<tokens::TokenClient>(tokens, shards.back()->inbox(), engine.outside_.clock());
        retrievers.push_back(std::make_unique<retriever::Retriever>(*shards.back(), *engine.committer_,
                                                                    engine.counters_, std::move(client), board, bell,
                                                                    sessions, options, logins_at_once));
        auto sending = std::make_unique<tokens::TokenClient>(tokens, shards.back()->inbox(), engine.outside_.clock());
        dispatcher::Line::Sizes sizes;
        sizes.greeting_name = own_name();
        outgoing.add(std::make_unique<dispatcher::Dispatcher>(*shards.back(), *engine.committer_, *engine.bodies_,
                                                              outgoing.allowances(), std::move(sending),
                                                              std::move(sizes), engine.flags_.settling_time));
    }
}

#include "engine/engine.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "engine/consumer_ways.hpp"
#include "engine/roles.hpp"
#include "engine/runtime/log.hpp"
#include "engine/runtime/notify.hpp"
#include "engine/runtime/run_on.hpp"
#include "engine/webhook_receivers.hpp"

using namespace std::chrono_literals;

namespace {

constexpr int exit_ioerr = 74;
constexpr int exit_tempfail = 75;
constexpr int exit_noperm = 77;

constexpr std::uint64_t descriptors_beside_sessions = 768;  // Maildirs 512, segments 64, everything else 192

int code_of(error_code reason) {
    if (reason == store::errc::in_use || reason == store::errc::disk_full) return exit_tempfail;
    if (reason == store::errc::unreadable) return exit_noperm;
    if (reason == store::errc::io_failed) return exit_ioerr;
    return exit_config;
}

/// As many descriptors as the sessions need, as far as the system allows; the number of sessions there are enough for.
/// Sessions beyond it are not begun: store and hand-off never run out of descriptors.
std::size_t sessions_allowed(std::size_t sessions, std::size_t applications) {
    const std::uint64_t beside = descriptors_beside_sessions + applications;
    const std::uint64_t wanted = sessions + beside;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return sessions;
    limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return sessions;
    const auto left = limit.rlim_cur - std::min<rlim_t>(limit.rlim_cur, beside);
    spdlog::warn(
        "id=descriptors the system allows {} open files, {} sessions want {}: at most {} are served; raise "
        "LimitNOFILE",
        limit.rlim_cur, sessions, wanted, left);
    return left;
}

/// Once, past the log and its level: on standard error, in a line of its own.
void show_api_token(const Secret& token, const config::RunFlags& flags) {
    const bool json = flags.log_format == config::LogFormat::json;
    std::string line = json ? "{\"id\":\"api-token\",\"message\":\"shown this once\",\"token\":\""
                            : "API token of the console, shown this once (rohrpost api-token makes another): ";
    line.append(token.reveal()).append(json ? "\"}\n" : "\n");
    std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

Engine::Engine(config::RunFlags flags, Outside& outside, const EngineSizes& sizes)
    : flags_(std::move(flags)), outside_(outside), sizes_(sizes) {
    open();
}

Engine::~Engine() {
    if (roles_) {
        if (roles_->inlet_shard) roles_->inlet_shard->stop();
        for (auto& shard : roles_->shards) shard->stop();
        roles_->calling.stop();
        roles_->handing.stop();
    }
    if (committer_) committer_->stop();
}

void Engine::open() {
    store::OpenFailure failure;
    auto opened = store::open_store(outside_.disk(), flags_.data, sizes_.store, &failure);
    if (!opened) throw StartError(code_of(failure.reason), failure.sentence);
    for (const auto& finding : opened->findings) spdlog::warn("id=recovery {}", finding);
    lock_ = std::move(opened->lock);
    bodies_ = opened->bodies.get();
    auto& rows = *opened->store;

    const auto begun = rows.begin();
    if (!begun) throw StartError(exit_ioerr, fmt::format("{}: {}", flags_.data, begun.error().message()));
    const auto key = secrets::find_key(flags_.key_file, flags_.data);
    auto keyring = secrets::Keyring::open(key, rows, outside_.random());
    if (keyring && (flags_.roles.console || flags_.smtp.listen)) keep_api_token(rows);
    const auto kept = rows.commit();
    if (!keyring) {
        throw StartError(exit_config, fmt::format("{}: {}", key.name(), keyring.error().message()));
    }
    if (!kept) throw StartError(exit_ioerr, fmt::format("{}: {}", flags_.data, kept.error().message()));
    keyring_ = std::make_unique<secrets::Keyring>(std::move(*keyring));
    if (api_token_made_) show_api_token(*api_token_made_, flags_);
    api_token_made_.reset();

    store::Committer::Options options;
    options.queue_capacity = flags_.queue_capacity;
    options.commit_interval = flags_.commit_interval;
    committer_ = std::make_unique<store::Committer>(std::move(opened->store), std::move(opened->bodies),
                                                    outside_.clock(), options);

    const std::size_t threads = flags_.threads > 0 ? flags_.threads : std::max(1U, std::thread::hardware_concurrency());
    roles_ = std::make_unique<Roles>(*this, threads);
    if (!api_token_kept_.empty()) roles_->api_token.is_now(api_token_kept_);
}

/// Inside a transaction: the first start makes one.
void Engine::keep_api_token(store::Store& rows) {
    const auto there = rows.meta(control::ApiToken::row);
    if (!there) throw StartError(exit_ioerr, fmt::format("{}: {}", flags_.data, there.error().message()));
    if (*there) {
        api_token_kept_ = **there;
        return;
    }
    Secret token = control::ApiToken::fresh(outside_.random());
    api_token_kept_ = control::ApiToken::kept_of(token.reveal());
    const auto put = rows.put_meta(control::ApiToken::row, api_token_kept_);
    if (!put) throw StartError(exit_ioerr, fmt::format("{}: {}", flags_.data, put.error().message()));
    api_token_made_ = std::move(token);
}

void Engine::stop() {
    asio::post(roles_->main.executor(), [this] { roles_->stop.wake(); });
}

void Engine::reload() { roles_->post_reload(); }

std::vector<runtime::Shard*> Engine::shards() const {
    std::vector<runtime::Shard*> all{&roles_->main, &roles_->handing, &roles_->calling};
    for (const auto& shard : roles_->shards) all.push_back(shard.get());
    return all;
}

std::vector<retriever::MailboxState> Engine::mailboxes() const { return roles_->board.all(); }

control::Surroundings& Engine::surroundings() noexcept { return roles_->surroundings; }

int Engine::run() {
    auto& roles = *roles_;
    sessions_max_ = sessions_allowed(flags_.max_sessions, flags_.smtp.listen ? flags_.smtp.connections_max : 0);
    listen();
    committer_->start();
    roles.main.follow_machine();
    roles.handing.start();
    roles.calling.start();
    for (auto& shard : roles.shards) shard->start();
    if (roles.inlet_shard) roles.inlet_shard->start();
    roles.scope.spawn("signals", watch_signals());
    begin();
    roles.main.context().run();
    if (roles.inlet_shard) roles.inlet_shard->stop();
    for (auto& shard : roles.shards) shard->stop();
    roles.calling.stop();
    roles.handing.stop();
    committer_->stop();
    if (failed_) std::rethrow_exception(failed_);
    return exit_code_;
}

void Engine::begin() {
    auto& roles = *roles_;
    roles.scope.spawn("store", watch_store());
    roles.scope.spawn("expiries", roles.expiries.watch());
    roles.scope.spawn("reload", watch_reload());
    if (flags_.roles.dispatcher) roles.scope.spawn("outbox", roles.outgoing.tidy_up());
    if (flags_.roles.alarm) roles.scope.spawn("alarms", roles.alarms.watch());
    if (flags_.exit_when_idle) roles.scope.spawn("idleness", watch_idleness());
    asio::co_spawn(roles.main.executor(), live(), [this](std::exception_ptr failure) {
        failed_ = failure;
        ended_ = true;
        roles_->main.context().stop();
    });
}

/// From the first roster to the last hand-off. Nothing of the roles waits any more when it ends.
awaitable<void> Engine::live() {
    auto& roles = *roles_;
    std::exception_ptr failed;
    try {
        co_await serve_until_told();
    } catch (...) {
        failed = std::current_exception();
    }
    roles.stopping = true;
    runtime::notify_stopping();
    co_await drain();
    roles.feeds.cancel();
    co_await roles.feeds.join();
    roles.scope.cancel();
    co_await roles.scope.join();
    for (auto& server : roles.servers) co_await server->join();
    if (failed) std::rethrow_exception(failed);
}

awaitable<void> Engine::serve_until_told() {
    auto& roles = *roles_;
    co_await serve_roster();
    runtime::notify_ready(fmt::format("serving {} mailboxes", roles.board.tally().mailboxes));
    roles.view.ready();
    co_await roles.stop.wait();
}

/// Reads who is to be served and tells the roles. Throws when the store cannot be read.
awaitable<void> Engine::serve_roster() {
    auto& roles = *roles_;
    auto all = all_sessions();
    auto roster = co_await read_roster(*committer_, roles.main.inbox(), roles.tls, std::move(all));
    if (!roster) {
        throw StartError(exit_config, fmt::format("the configuration in {} cannot be read: {}", flags_.data,
                                                  roster.error().message()));
    }
    auto accounts = accounts_of(*roster, roles.tls);
    roles.expiries.set_accounts(accounts);
    roles.tokens.set_accounts(std::move(accounts));

    const auto consumers = roster->consumers.size();
    auto served_consumers = co_await read_consumers(*committer_, roles.main.inbox(), *keyring_, roles.tls,
                                                    std::move(roster->consumers), flags_.webhook_networks);
    co_await roles.hand_offs.serve(std::move(served_consumers));

    std::vector<std::vector<retriever::Served>> dealt(roles.shards.size());
    std::size_t served = 0;
    for (auto mailbox : roster->mailboxes) {
        if (!flags_.roles.retriever) break;
        if (!mailbox.mailbox->shadow) mailbox.arrivals = &roles.hand_offs.outlet(mailbox.mailbox->consumer);
        ++served;
        // The number never changes, so a mailbox stays on its shard.
        dealt[static_cast<std::size_t>(mailbox.number) % dealt.size()].push_back(std::move(mailbox));
    }
    for (std::size_t i = 0; i < dealt.size(); ++i) {
        auto serve = serve_on(*roles.retrievers[i], std::move(dealt[i]));
        co_await runtime::run_on(roles.shards[i]->executor(), std::move(serve));
    }
    if (!flags_.roles.dispatcher) roster->senders.clear();
    roles.alarms.serve(roster->alarms, *roster);
    if (flags_.roles.alarm || flags_.roles.dispatcher) {
        auto webhooks = co_await read_webhooks(*committer_, roles.main.inbox(), *keyring_, roles.tls,
                                               std::move(roster->webhooks), flags_.webhook_networks);
        roles.feeds.serve(std::move(webhooks));
    }
    for (auto& sender : roster->senders) {
        const auto known = roles.signed_in.find(sender.credential);
        if (known != roles.signed_in.end()) sender.sign_ins = known->second;
    }
    const auto senders = roster->senders.size();
    if (flags_.roles.dispatcher) co_await roles.outgoing.serve(std::move(roster->senders), *roster);
    spdlog::info("serving mailboxes={} senders={} consumers={} shards={}", served, senders, consumers,
                 roles.shards.size());
}

/// What all sessions count for.
retriever::Share Engine::all_sessions() const {
    const bool by_flag = sessions_max_ == flags_.max_sessions;
    return {by_flag ? "this daemon (--max-sessions)" : "this daemon (LimitNOFILE, the system's limit of open files)",
            static_cast<std::uint32_t>(std::max<std::size_t>(sessions_max_, 1))};
}

awaitable<void> Engine::serve_on(retriever::Retriever& retriever, std::vector<retriever::Served> mailboxes) {
    retriever.serve(std::move(mailboxes));
    co_return;
}

/// SIGHUP, or an import through the control socket. A store that cannot be read leaves everything as it was.
awaitable<void> Engine::watch_reload() {
    for (;;) {
        co_await roles_->reload.wait();
        if (roles_->stopping) co_return;
        runtime::notify_reloading();
        roles_->tls.forget();
        reload_certificate();
        const auto wrong = roles_->watched ? roles_->watched->load() : std::string();
        if (!wrong.empty()) spdlog::error("id=watch-not-read the old token stays in use: {}", wrong);
        co_await serve_roster();
        runtime::notify_ready("reloaded");
    }
}

/// Sessions finish what they fetch and say LOGOUT; after the grace time they are cut off, which loses nothing. Then
/// what is durable is handed off as far as consumers take it.
awaitable<void> Engine::drain() {
    auto& roles = *roles_;
    spdlog::info("draining grace_ms={}", flags_.drain_grace.count());
    for (auto& server : roles.servers) server->close();
    const auto grace_ends = outside_.clock().now() + flags_.drain_grace;
    std::size_t left = roles.shards.size() + (roles.smtp ? 1 : 0);
    Parking drained;
    const auto done = [this, &left, &drained](const std::exception_ptr&) {
        asio::post(roles_->main.executor(), [&left, &drained] {
            if (--left == 0) drained.wake();
        });
    };
    for (std::size_t i = 0; i < roles.shards.size(); ++i) {
        auto one = drain_one(i);
        asio::co_spawn(roles.shards[i]->executor(), std::move(one), done);
    }
    if (roles.smtp) asio::co_spawn(roles.inlet_shard->executor(), drain_smtp(), done);
    Timer grace(
        roles.main.timers(), [](void* parking) { static_cast<Parking*>(parking)->wake(); }, &drained);
    grace.arm(grace_ends);
    co_await drained.wait();
    if (left > 0) {
        spdlog::warn("draining the grace time is over; cutting sessions off");
        for (std::size_t i = 0; i < roles.shards.size(); ++i) {
            asio::post(roles.shards[i]->executor(), [&roles, i] {
                roles.retrievers[i]->cancel();
                roles.outgoing.cancel_one(i);
            });
        }
        if (roles.smtp) asio::post(roles.inlet_shard->executor(), [&roles] { roles.smtp->cancel(); });
        while (left > 0) co_await drained.wait();
    }
    co_await roles.hand_offs.drain(flags_.drain_grace);
    co_await roles.consulting.doctor().close();
    co_await roles.sign_ins.close();
    co_await roles.tokens.close();
    spdlog::info("drained stored={} delivered={}", counters_.messages_stored.load(),
                 counters_.messages_delivered.load());
}

awaitable<void> Engine::drain_one(std::size_t shard) {
    auto& retriever = *roles_->retrievers[shard];
    retriever.drain();
    co_await roles_->outgoing.drain_one(shard);
    co_await retriever.join();
}

awaitable<void> Engine::drain_smtp() {
    roles_->smtp->drain();
    co_await roles_->smtp->join();
}

awaitable<void> Engine::watch_signals() {
    asio::signal_set signals(roles_->main.context(), SIGTERM, SIGINT, SIGHUP);
    for (;;) {
        const int signal = co_await signals.async_wait(asio::use_awaitable);
        if (signal == SIGHUP) {
            spdlog::info("signal=SIGHUP reloading");
            roles_->reload.wake();
            continue;
        }
        spdlog::info("signal={} stopping", signal == SIGINT ? "SIGINT" : "SIGTERM");
        roles_->stop.wake();
    }
}

alarming::Condition Engine::store_failed(const std::string& reason) const {
    alarming::Condition condition;
    condition.rule = alarming::Rule::store_failed;
    condition.what = fmt::format("the store in {} has failed: {}; the daemon ends", flags_.data, reason);
    condition.remedy = "see to the disk; what was acknowledged is recovered at the next start";
    return condition;
}

/// A store whose disk failed accepts nothing any more: the process ends, and recovers when it starts again.
awaitable<void> Engine::watch_store() {
    bool full = false;
    for (;;) {
        co_await roles_->main.timers().sleep_for(500ms);
        runtime::notify_watchdog();
        roles_->view.sample();
        if (flags_.roles.dispatcher && roles_->view.is_ready() && !roles_->stopping) co_await roles_->outgoing.look();
        const auto stats = committer_->stats();
        if (stats.disk_full != full) {
            full = stats.disk_full;
            if (full)
                spdlog::error("id=disk-full the disk of {} is full: intake waits, nothing is lost; make room",
                              flags_.data);
            if (!full) spdlog::info("id=disk-full there is room again");
        }
        if (!stats.stopped_by) continue;
        spdlog::critical("id=store-failed {}: {}; ending, so that a new start can recover", flags_.data,
                         stats.stopped_by.message());
        exit_code_ = exit_ioerr;
        if (flags_.roles.alarm) co_await roles_->alarms.last_words(store_failed(stats.stopped_by.message()));
        roles_->stop.wake();
        co_return;
    }
}

/// A session that is well has not done yet what acknowledgements allow.
bool Engine::something_left_at_servers() const {
    const auto ids = roles_->bell.unanswered();
    return std::any_of(ids.begin(), ids.end(), [this](const std::string& id) {
        const auto state = roles_->board.find(id);
        return state && state->caught_up && state->phase != retriever::Phase::paused;
    });
}

awaitable<void> Engine::watch_idleness() {
    for (;;) {
        co_await roles_->main.timers().sleep_for(10ms);
        if (!roles_->view.is_ready() || roles_->stopping) continue;
        const auto tally = roles_->board.tally();
        if (tally.caught_up + tally.paused + tally.stuck < tally.mailboxes) continue;
        if (!roles_->hand_offs.idle()) continue;
        if (something_left_at_servers()) continue;
        bool all_sent = !flags_.roles.dispatcher;
        if (!all_sent) all_sent = co_await roles_->outgoing.idle();
        if (!all_sent) {
            co_await roles_->outgoing.look();
            if (!roles_->outgoing.stuck()) continue;
            spdlog::warn("idle, but mail that waits cannot be sent now; see rohrpost queue senders");
            exit_code_ = exit_tempfail;
        }
        if (tally.stuck > 0) {
            spdlog::warn("idle, but mailboxes={} could not be caught up; see rohrpost mailbox list", tally.stuck);
            exit_code_ = exit_tempfail;
        }
        roles_->stop.wake();
        co_return;
    }
}

#pragma once
// A token service with the client of one shard, a scripted identity provider, and a store that is stepped by hand.

#include <catch2/catch.hpp>

#include <deque>

#include "engine/tokens/grant_record.hpp"
#include "engine/tokens/token_client.hpp"
#include "queue/store/open.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tokens_test {

using namespace tokens;
using namespace std::chrono_literals;
using std::chrono::seconds;

using support::HandClock;
using support::SeededRandom;

inline TokenReply gives(std::string access, std::string refresh = "", std::optional<seconds> expires_in = 3600s) {
    TokenReply reply;
    reply.answer.status = 200;
    reply.answer.has_token = true;
    reply.access_token = Secret(std::move(access));
    reply.refresh_token = Secret(std::move(refresh));
    reply.expires_in = expires_in;
    return reply;
}

inline TokenReply refuses(int status, std::string error = "", std::optional<seconds> retry_after = std::nullopt) {
    TokenReply reply;
    reply.answer.status = status;
    reply.answer.error = std::move(error);
    reply.answer.retry_after = retry_after;
    reply.says = "the server's words";
    reply.refusal.emplace();
    reply.refusal->http_status = status;
    reply.refusal->error = reply.answer.error;
    return reply;
}

/// Answers from a list; keeps what it was asked.
class ScriptedEndpoint final : public TokenEndpoint {
public:
    awaitable<TokenReply> ask(TokenRequest request) override {
        const auto* refresh = std::get_if<oauth2::Refresh>(&request.what);
        asked.push_back(refresh == nullptr ? std::string() : std::string(refresh->refresh_token.reveal()));
        requests.push_back(std::move(request.what));
        ++busy;
        busiest = std::max(busiest, busy);
        if (slow) co_await gates.emplace_back(std::make_unique<Parking>())->wait();
        --busy;
        if (answers) co_return answers(asked.back());
        REQUIRE_FALSE(replies.empty());
        auto reply = replies.front();
        if (replies.size() > 1 || !endless) replies.pop_front();
        co_return reply;
    }
    awaitable<Result<oauth2::DeviceAnswer>> ask_device(std::string, std::shared_ptr<const net::TlsClient>,
                                                       oauth2::Post post) override {
        device_form = post.form.reveal();
        co_return device;
    }
    awaitable<Result<jose::KeySet>> keys(std::string, std::shared_ptr<const net::TlsClient>) override {
        ++keys_asked;
        co_return key_set;
    }
    std::deque<TokenReply> replies;
    std::function<TokenReply(const std::string& refresh_token)> answers;  // instead of replies
    std::vector<TokenRequest::What> requests;
    oauth2::DeviceAnswer device;
    std::string device_form;  // it was asked for with
    Result<jose::KeySet> key_set = jose::KeySet();
    std::size_t keys_asked = 0;
    std::vector<std::string> asked;
    std::deque<std::unique_ptr<Parking>> gates;
    std::size_t busy = 0, busiest = 0;
    bool slow = false, endless = false;
};

struct World {
    World() = default;
    explicit World(store::Disk& simulated) : disk(simulated) {}

    TemporaryDirectory directory;
    store::SystemDisk system;
    store::Disk& disk = system;
    HandClock clock;
    SeededRandom random;
    ScriptedEndpoint endpoint;
    secrets::Keyring keyring{*secrets::Key::from_bytes(Secret(std::string(32, 'k'))), random};
};

inline Account account_of(const std::string& id, config::Flow flow = config::Flow::refresh_token) {
    Account account;
    account.credential.id = id;
    account.credential.user = "svc@contoso.com";
    account.credential.flow = flow;
    account.credential.client_id = "app";
    account.token_url = "https://login.example/token";
    return account;
}

/// One run of the daemon: a service and the client of one shard, with the store's committer stepped by hand.
struct Run {
    World& world;
    asio::io_context context;
    queue::Inbox inbox{context.get_executor()};
    Timers timers{world.clock};
    store::OpenedStore opened;
    std::unique_ptr<store::Committer> committer;
    std::unique_ptr<TokenService> service;
    std::unique_ptr<TokenClient> client;
    std::vector<Account> accounts{account_of("svc")};
    std::deque<asio::cancellation_signal> waits;  // of those who asked for a token
    bool store_works = true;

    explicit Run(World& of, std::optional<config::Flow> flow = std::nullopt) : world(of) {
        auto store = store::open_store(world.disk, world.directory.path(), {});
        REQUIRE(store.has_value());
        opened = std::move(*store);
        committer = std::make_unique<store::Committer>(std::move(opened.store), std::move(opened.bodies), world.clock,
                                                       store::Committer::Options{});
        TokenService::Uses uses{.shard = context.get_executor(),
                                .inbox = inbox,
                                .timers = timers,
                                .random = world.random,
                                .committer = *committer,
                                .keyring = world.keyring,
                                .endpoint = world.endpoint};
        service = std::make_unique<TokenService>(std::move(uses), TokenService::Options{});
        client = std::make_unique<TokenClient>(*service, inbox, world.clock);
        if (flow) accounts = {account_of("svc", *flow)};
        service->set_accounts(accounts);
    }
    ~Run() {
        for (auto& wait : waits) wait.emit(asio::cancellation_type::terminal);
        asio::co_spawn(context, service->close(), asio::detached);
        settle();
        client.reset();
        service.reset();
        store_works = true;
        committer->stop();
        settle();
    }
    void settle() {
        for (;;) {
            context.restart();
            const auto handled = context.poll();
            const bool committed = store_works && committer->step();
            if (handled == 0 && !committed) return;
        }
    }
    void pass(std::chrono::nanoseconds span) {
        world.clock.passed += span;
        timers.advance(world.clock.now());
        settle();
    }
    template <class Work>
    auto commit(Work work) {
        std::optional<std::invoke_result_t<Work, store::Workbench>> answer;
        asio::co_spawn(context, committer->run(inbox, std::move(work)),
                       [&answer](std::exception_ptr, auto done) { answer = std::move(done); });
        settle();
        return *answer;
    }
    void import(const std::string& name, const std::string& value) {
        const auto sealed = world.keyring.seal("svc", name, Secret(value));
        REQUIRE(commit([&](store::Workbench bench) { return bench.store.put_secret("svc", name, sealed); }));
    }
    std::optional<GrantRecord> stored_grant() {
        auto row = commit([](store::Workbench bench) { return bench.store.grant("svc"); });
        if (!row || !*row) return std::nullopt;
        auto bytes = world.keyring.unseal("svc", "grant", (*row)->sealed);
        REQUIRE(bytes.has_value());
        return decoded(*bytes);
    }
    std::string stored_state() {
        auto row = commit([](store::Workbench bench) { return bench.store.grant("svc"); });
        return row && *row ? (*row)->state : "none";
    }
    void begin(std::vector<std::optional<TokenAnswer>>& into, std::size_t at, const std::string& credential = "svc") {
        auto done = [&into, at](std::exception_ptr failure, auto answer) {
            if (!failure) into[at] = std::move(answer);
        };
        asio::co_spawn(context, client->token_for(credential),
                       asio::bind_cancellation_slot(waits.emplace_back().slot(), std::move(done)));
    }
    TokenAnswer token(const std::string& credential = "svc") {
        std::vector<std::optional<TokenAnswer>> answers(1);
        begin(answers, 0, credential);
        settle();
        REQUIRE(answers[0].has_value());
        return *answers[0];
    }
    std::string access() {
        auto answer = token();
        const auto* given = std::get_if<Token>(&answer);
        return given == nullptr ? "none: " + std::get<NoToken>(answer).reason : std::string(given->secret.reveal());
    }
    std::uint64_t generation() { return std::get<Token>(token()).generation; }
    NoToken none() {
        auto answer = token();
        REQUIRE(std::holds_alternative<NoToken>(answer));
        return std::get<NoToken>(answer);
    }
};

}  // namespace tokens_test

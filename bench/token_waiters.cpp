#include "bench/token_waiters.hpp"

#include "bench/measure.hpp"
#include "engine/tokens/token_client.hpp"
#include "protocols/base/ensure.hpp"
#include "protocols/wait/parking.hpp"
#include "queue/store/open.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bench {
namespace {

/// Answers once it is told to.
class GatedEndpoint final : public tokens::TokenEndpoint {
public:
    awaitable<tokens::TokenReply> ask(tokens::TokenRequest) override {
        ++requests;
        co_await gate.wait();
        tokens::TokenReply reply;
        reply.answer.status = 200;
        reply.answer.has_token = true;
        reply.access_token = Secret(std::string(1600, 'a'));
        reply.expires_in = std::chrono::hours(1);
        co_return reply;
    }
    awaitable<Result<oauth2::DeviceAnswer>> ask_device(std::string, std::shared_ptr<const net::TlsClient>,
                                                       oauth2::Post) override {
        co_return oauth2::DeviceAnswer();
    }
    awaitable<Result<jose::KeySet>> keys(std::string, std::shared_ptr<const net::TlsClient>) override {
        co_return jose::KeySet();
    }
    Parking gate;
    std::size_t requests = 0;
};

awaitable<void> wait_for_token(tokens::TokenClient& client, std::size_t& resumed) {
    const auto answer = co_await client.token_for("desk");
    ensure(std::holds_alternative<tokens::Token>(answer), "the token comes");
    ++resumed;
}

}  // namespace

WaitersSpent resume_waiters(std::size_t waiters) {
    const TemporaryDirectory directory;
    store::SystemDisk disk;
    SystemClock clock;
    SystemRandom random;
    auto opened = store::open_store(disk, directory.path(), {});
    ensure(opened.has_value(), "the store opens");
    store::Committer committer(std::move(opened->store), std::move(opened->bodies), clock, {});
    committer.start();
    const secrets::Keyring keyring(*secrets::Key::from_bytes(Secret(std::string(secrets::key_bytes, 'k'))), random);
    asio::io_context context(1);
    queue::Inbox inbox(context.get_executor());
    Timers timers(clock);
    GatedEndpoint endpoint;
    tokens::TokenService service({context.get_executor(), inbox, timers, random, committer, keyring, endpoint}, {});
    tokens::Account account;
    account.credential.id = "desk";
    account.credential.flow = config::Flow::client_credentials;
    account.credential.client_id = "app";
    account.token_url = "https://login.example/token";
    service.set_accounts({account});
    std::size_t resumed = 0;
    WaitersSpent spent;
    {
        tokens::TokenClient client(service, inbox, clock);
        for (std::size_t i = 0; i < waiters; ++i) {
            asio::co_spawn(context, wait_for_token(client, resumed), asio::detached);
        }
        auto guard = asio::make_work_guard(context);
        while (endpoint.requests == 0 || context.poll() > 0) context.run_one();
        endpoint.gate.wake();
        const Stopwatch watch;
        while (resumed < waiters) context.run_one();
        spent = {.cpu_ms = watch.cpu_seconds() * 1e3, .requests = endpoint.requests};
        asio::co_spawn(context, service.close(), asio::detached);
        guard.reset();
        context.run();
    }
    committer.stop();
    return spent;
}

}  // namespace bench

/// A random IMAP server against a whole mailbox session of the daemon, with committer and store, under virtual time.
/// Input: a line of letters (p: log in with a password; 2: two folders; n: only new mail), then what the server says; a
/// line "H:" hangs up, and the next connection goes on behind it; "T:" lets the time run out that the client allowed.
///
/// Whatever the server says: the store goes on, what it holds reads and is nothing but what the server sent, all memory
/// is given back, and the session has a connection, a timer or a named reason until it is told to end; then it ends.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "engine/retriever/imap_session.hpp"
#include "tests/fuzz/random_peer.hpp"
#include "tests/fuzz/store_image.hpp"
#include "tests/support/hand_clock.hpp"

namespace {

using support::HandClock;
using support::SeededRandom;

using namespace std::chrono_literals;

constexpr std::size_t connections_max = 8;
constexpr std::size_t rounds_max = 20'000;
constexpr std::size_t budget_bytes = 3000;

/// Always gives a token.
class GenerousEndpoint final : public tokens::TokenEndpoint {
public:
    awaitable<tokens::TokenReply> ask(tokens::TokenRequest) override {
        tokens::TokenReply reply;
        reply.answer.status = 200;
        reply.answer.has_token = true;
        reply.access_token = Secret("ya29.token");
        reply.expires_in = 3600s;
        co_return reply;
    }
    awaitable<Result<oauth2::DeviceAnswer>> ask_device(std::string, std::shared_ptr<const net::TlsClient>,
                                                       oauth2::Post) override {
        co_return oauth2::DeviceAnswer(oauth2::Refusal());
    }
    awaitable<Result<jose::KeySet>> keys(std::string, std::shared_ptr<const net::TlsClient>) override {
        co_return jose::KeySet();
    }
};

/// Each connection gets the next part of the input; behind the last one nobody answers.
class RandomDialer final : public net::Dialer {
public:
    explicit RandomDialer(std::string_view server) : left_(server) {}
    awaitable<Result<std::unique_ptr<net::Stream>>> dial(net::Dial) override {
        if (left_.empty() || ++connections_ > connections_max) {
            spent_ = true;
            co_return net::errc::refused;
        }
        const std::size_t end = std::min(left_.find("\nH:"), left_.size());
        const auto arrival = fuzz::arrivals[connections_ % 3];
        std::unique_ptr<net::Stream> stream = std::make_unique<fuzz::RandomPeer>(left_.substr(0, end), arrival);
        left_.remove_prefix(end);
        if (!left_.empty()) left_.remove_prefix(1);
        if (!left_.empty()) fuzz::take_line(left_);
        co_return stream;
    }
    [[nodiscard]] bool spent() const noexcept { return spent_; }

private:
    std::string_view left_;
    std::size_t connections_ = 0;
    bool spent_ = false;
};

const secrets::Keyring& keyring() {
    static SeededRandom random;
    static const secrets::Keyring made(*secrets::Key::from_bytes(Secret(std::string(32, 'k'))), random);
    return made;
}

/// A directory with the mailbox and its credential.
const fuzz::Files& fresh_store() {
    static const fuzz::Files files = [] {
        SimulatedDisk disk;
        auto opened = store::open_store(disk, fuzz::data_directory, fuzz::small_options());
        auto& store = *opened->store;
        fuzz::expect(store.begin().has_value(), "the image is made");
        for (const auto* const name : {"password", "refresh_token"})
            fuzz::expect(store.put_secret("svc", name, keyring().seal("svc", name, Secret("secret"))).has_value(),
                         "the image is made");
        const auto number = store.put_mailbox("support", "{}");
        fuzz::expect(number && store.subscribe("consumer", *number) && store.commit(), "the image is made");
        opened->store.reset();
        return fuzz::files_on(disk);
    }();
    return files;
}

tokens::Account account_of(bool password) {
    tokens::Account account;
    account.credential.id = "svc";
    account.credential.user = "svc@example.com";
    account.credential.flow = password ? config::Flow::password : config::Flow::refresh_token;
    account.credential.client_id = "app";
    account.token_url = "https://login.example.com/token";
    return account;
}

config::Mailbox mailbox_of(std::string_view letters) {
    config::Mailbox mailbox;
    mailbox.id = "support";
    mailbox.address = mailbox.login = "support@example.com";
    mailbox.credential = "svc";
    mailbox.consumer = "consumer";
    if (letters.find('2') != std::string_view::npos) mailbox.folders = {"INBOX", "Archive"};
    if (letters.find('n') != std::string_view::npos) mailbox.start.from = config::Start::From::fresh;
    return mailbox;
}

retriever::Options small_sizes() {
    retriever::Options options;
    options.fetch.batch_uids = 4;
    options.limits.line_bytes_max = 4000;
    options.limits.small_literal_bytes_max = 1000;
    options.limits.body_bytes_max = 4000;
    options.limits.untagged_per_command_max = 200;
    options.limits.ranges_max = 100;
    options.sizes.stream_above_bytes = 200;
    options.sizes.block_bytes = 64;
    options.sizes.message_bytes_max = 3000;
    options.sizes.in_flight_bytes_max = 1500;
    return options;
}

class World {
public:
    World(std::string_view letters, std::string_view server) : server_(server), dialer_(server) {
        fuzz::lay_out(fresh_store(), disk_);
        auto opened = store::open_store(disk_, fuzz::data_directory, fuzz::small_options());
        fuzz::expect(opened.has_value(), "a fresh store opens");
        lock_ = std::move(opened->lock);
        committer_ = std::make_unique<store::Committer>(std::move(opened->store), std::move(opened->bodies), clock_,
                                                        store::Committer::Options{.queue_capacity = 4});
        tokens::TokenService::Uses uses{.shard = context_.get_executor(),
                                        .inbox = inbox_,
                                        .timers = timers_,
                                        .random = random_,
                                        .committer = *committer_,
                                        .keyring = keyring(),
                                        .endpoint = endpoint_};
        tokens_ = std::make_unique<tokens::TokenService>(std::move(uses), tokens::TokenService::Options{});
        client_ = std::make_unique<tokens::TokenClient>(*tokens_, inbox_, clock_);
        const bool password = letters.find('p') != std::string_view::npos;
        tokens_->set_accounts({account_of(password)});
        auto place = std::make_shared<retriever::Place>();
        place->provider.imap = config::Host{.host = "imap.example.com", .port = 993};
        const retriever::House house{.seams = seams_,
                                     .inbox = inbox_,
                                     .budget = budget_,
                                     .committer = *committer_,
                                     .counters = counters_,
                                     .tokens = *client_,
                                     .sessions = sessions_,
                                     .gate = gate_,
                                     .board = board_,
                                     .bell = bell_,
                                     .options = options_,
                                     .scope = scope_};
        retriever::Served served;
        served.number = 1;
        served.mailbox = std::make_shared<const config::Mailbox>(mailbox_of(letters));
        served.password = password;
        served.place = place;
        session_ = std::make_unique<retriever::ImapSession>(house, served);
    }
    ~World() {
        session_.reset();
        asio::co_spawn(context_, tokens_->close(), asio::detached);
        settle();
        client_.reset();
        tokens_.reset();
        committer_->stop();
        settle();
    }

    void live() {
        bool ended = false;
        asio::co_spawn(context_, session_->run(), [&](const std::exception_ptr& thrown) {
            fuzz::expect(!thrown, "a session throws nothing");
            ended = true;
        });
        for (std::size_t round = 0; !ended; ++round) {
            fuzz::expect(round < rounds_max, "a session ends after the server's last word");
            settle();
            if (ended) break;
            if (dialer_.spent()) session_->drain();
            settle();
            if (ended) break;
            fuzz::expect(timers_.earliest().has_value(), "a session without a connection has a timer");
            const auto& state = session_->state();
            if (state.phase == retriever::Phase::waiting || state.phase == retriever::Phase::needs_help)
                fuzz::expect(!state.reason.empty() && state.next_attempt,
                             "a session that waits says why, and until when");
            clock_.passed += std::max(std::chrono::nanoseconds(1ms), *timers_.earliest() - clock_.now());
            timers_.advance(clock_.now());
        }
        settle();
        fuzz::expect(!committer_->stats().stopped_by, "no server stops the store");
        fuzz::expect(budget_.used_bytes() == 0, "all memory is given back");
        fuzz::expect(budget_bytes_max_ <= 2 * budget_bytes + options_.sizes.message_bytes_max,
                     "memory stays within its budget");
        look();
    }

private:
    void settle() {
        for (;;) {
            context_.restart();
            std::size_t handled = 0;
            while (context_.poll_one() > 0) {
                ++handled;
                budget_bytes_max_ = std::max(budget_bytes_max_, budget_.used_bytes());
            }
            if (!committer_->step() && handled == 0) return;
        }
    }

    /// What the ledger holds.
    void look() {
        auto count = [this](store::Workbench bench) -> Result<std::size_t> {
            const auto messages = bench.store.messages(1, 0, 100'000);
            if (!messages) return messages.error();
            std::set<store::Digest> ids;
            for (const auto& message : *messages) {
                fuzz::expect(message.uid != 0 && message.uid_validity != 0, "a message has a UID");
                // A UIDVALIDITY that comes back may give its UIDs to other messages.
                fuzz::expect(ids.insert(message.id).second, "each message has an id of its own");
                const auto body = bench.bodies.read(message.body, 0, message.body.length);
                fuzz::expect(body.has_value() && !body->empty(), "a message that is kept reads");
                fuzz::expect(body->size() <= options_.sizes.message_bytes_max, "a message has a limit");
                if (server_.find('\\') == std::string_view::npos && server_.find("\nH:") == std::string_view::npos &&
                    server_.find("T:") == std::string_view::npos)
                    fuzz::expect(server_.find(*body) != std::string_view::npos, "a body is what the server sent");
            }
            return messages->size();
        };
        std::optional<Result<std::size_t>> counted;
        asio::co_spawn(context_, committer_->run(inbox_, std::move(count)),
                       [&](const std::exception_ptr&, Result<std::size_t> answer) { counted = std::move(answer); });
        settle();
        fuzz::expect(counted && *counted, "the ledger can be read");
        fuzz::expect(**counted == counters_.messages_stored, "what was counted is kept");
    }

    std::string_view server_;
    SimulatedDisk disk_;
    HandClock clock_;
    SeededRandom random_;
    GenerousEndpoint endpoint_;
    asio::io_context context_{1};
    queue::Inbox inbox_{context_.get_executor()};
    Timers timers_{clock_};
    RandomDialer dialer_;
    Seams seams_{timers_, random_, dialer_};
    queue::ByteBudget budget_{budget_bytes};
    runtime::Counters counters_;
    retriever::SessionBudget sessions_{clock_};
    retriever::LoginGate gate_{1};
    retriever::StateBoard board_;
    retriever::Doorbell bell_;
    retriever::Options options_ = small_sizes();
    std::unique_ptr<store::File> lock_;
    std::unique_ptr<store::Committer> committer_;
    std::unique_ptr<tokens::TokenService> tokens_;
    std::unique_ptr<tokens::TokenClient> client_;
    std::unique_ptr<retriever::ImapSession> session_;
    runtime::Scope scope_{context_.get_executor(), [](const std::string&, const std::string&) {}};
    std::size_t budget_bytes_max_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    spdlog::set_level(spdlog::level::off);
    auto server = fuzz::text_of(bytes, size);
    const auto letters = fuzz::take_line(server);
    World(letters, server).live();
    return 0;
}

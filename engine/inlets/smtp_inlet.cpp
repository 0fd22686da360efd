#include "engine/inlets/smtp_inlet.hpp"

#include <list>
#include <map>

#include "engine/inlets/smtp_session.hpp"
#include "engine/runtime/log.hpp"
#include "engine/runtime/scope.hpp"

namespace inlets {
namespace {

using asio::ip::tcp;
constexpr std::chrono::seconds pause_without_descriptors{1};

void report(const std::string& name, const std::string& what) {
    spdlog::error("{} id=crashed reason={}", name, runtime::value(what));
}

/// Its buffer is empty: one line fits, or the peer is gone.
void turn_away(tcp::socket& socket, std::string_view why) {
    std::string line;
    smtp::ServerSession::say_goodbye(why, line);
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(line), ignored);
    socket.shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace

/// Shared with the coroutines, so that a late one finds it.
struct SmtpInlet::State : std::enable_shared_from_this<SmtpInlet::State> {
    State(Uses with, Options chosen)
        : uses(std::move(with)),
          options(std::move(chosen)),
          known(*uses.senders),
          acceptor(uses.shard.executor()),
          scope(uses.shard.executor(), report) {}

    static awaitable<void> accept_all(std::shared_ptr<State> state);
    static awaitable<void> serve(std::shared_ptr<State> state, tcp::socket socket, asio::ip::address peer);
    void admit(tcp::socket socket);

    Uses uses;
    Options options;
    KnownSenders known;
    net::BufferPool pool;
    tcp::acceptor acceptor;
    std::uint16_t port = 0;
    std::list<SmtpSession*> sessions;
    std::map<asio::ip::address, std::size_t> of_peer;
    bool closed = false;
    runtime::Scope scope;
};

awaitable<void> SmtpInlet::State::accept_all(std::shared_ptr<State> state) {
    constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
    while (!state->closed) {
        auto [error, socket] = co_await state->acceptor.async_accept(as_values);
        if (state->closed) co_return;
        if (!error) {
            state->admit(std::move(socket));
        } else if (error != asio::error::connection_aborted) {
            // Out of descriptors or memory: the next attempt at once would fail as well.
            spdlog::error("id=smtp-accept a connection cannot be accepted: {}", error.message());
            co_await state->uses.shard.timers().sleep_for(pause_without_descriptors);
        }
    }
}

void SmtpInlet::State::admit(tcp::socket socket) {
    error_code gone;
    const auto peer = socket.remote_endpoint(gone).address();
    if (gone) return;
    if (sessions.size() >= options.connections_max) {
        ++uses.numbers.too_many;
        turn_away(socket, "4.3.2 too many connections; try again later");
        return;
    }
    if (of_peer[peer] >= options.connections_of_peer_max) {
        ++uses.numbers.too_many_of_peer;
        turn_away(socket, "4.7.0 too many connections from there; try again later");
        return;
    }
    scope.spawn("smtp session", serve(shared_from_this(), std::move(socket), peer));
}

awaitable<void> SmtpInlet::State::serve(std::shared_ptr<State> state, tcp::socket socket, asio::ip::address peer) {
    SmtpSession::Around around{state->uses, state->options, state->known};
    SmtpSession session(around, std::move(socket), peer, state->pool);
    /// Here as long as it lives.
    struct Place {
        Place(State& in, SmtpSession& session, asio::ip::address from)
            : state(in), at(in.sessions.insert(in.sessions.end(), &session)), peer(std::move(from)) {
            ++state.of_peer[peer];
            ++state.uses.numbers.connections;
            ++state.uses.numbers.open;
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        ~Place() {
            --state.uses.numbers.open;
            state.sessions.erase(at);
            if (--state.of_peer[peer] == 0) state.of_peer.erase(peer);
        }
        State& state;
        std::list<SmtpSession*>::iterator at;
        asio::ip::address peer;
    };
    Place place(*state, session, peer);
    co_await session.run();
}

Result<std::unique_ptr<SmtpInlet>> SmtpInlet::listen(Uses uses, Options options) {
    error_code error;
    const auto parsed = asio::ip::make_address(options.address, error);
    if (error) return error;
    const tcp::endpoint here(parsed, options.port);
    auto state = std::make_shared<State>(std::move(uses), std::move(options));
    auto& acceptor = state->acceptor;
    acceptor.open(here.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(here, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return error;
    state->port = acceptor.local_endpoint().port();
    state->scope.spawn("smtp listener", State::accept_all(state));
    return std::unique_ptr<SmtpInlet>(new SmtpInlet(std::move(state)));
}

SmtpInlet::SmtpInlet(std::shared_ptr<State> state) : state_(std::move(state)) {}
SmtpInlet::~SmtpInlet() { state_->scope.cancel(); }

std::uint16_t SmtpInlet::port() const noexcept { return state_->port; }
void SmtpInlet::use(std::shared_ptr<const net::TlsServer> tls) { state_->options.tls = std::move(tls); }

void SmtpInlet::drain() {
    state_->closed = true;
    error_code ignored;
    state_->acceptor.close(ignored);
    for (auto* session : state_->sessions) session->drain();
}

void SmtpInlet::cancel() { state_->scope.cancel(); }

awaitable<void> SmtpInlet::join() {
    const auto state = state_;
    co_await state->scope.join();
}

}  // namespace inlets

#include "protocols/http/server.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <list>

#include "protocols/http/errc.hpp"
#include "protocols/wait/parking.hpp"

namespace http {
namespace {

using Generic = asio::generic::stream_protocol;
using Acceptor = asio::basic_socket_acceptor<Generic>;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds pause_without_descriptors{1};

asio::ip::tcp::endpoint tcp_of(const Generic::endpoint& endpoint) {
    asio::ip::tcp::endpoint out;
    out.resize(endpoint.size());
    std::memcpy(out.data(), endpoint.data(), endpoint.size());
    return out;
}

bool is_tcp(const Generic::endpoint& endpoint) {
    const int family = endpoint.protocol().family();
    return family == AF_INET || family == AF_INET6;
}

std::string peer_of(const Connection::Socket& socket) {
    error_code gone;
    const auto endpoint = socket.remote_endpoint(gone);
    if (gone) return "gone";
    return is_tcp(endpoint) ? tcp_of(endpoint).address().to_string() : "unix";
}

/// A socket file of a daemon that is no more. A full backlog is somebody, too.
bool is_stale(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
    asio::io_context here;
    asio::local::stream_protocol::socket probe(here);
    error_code error;
    probe.open(asio::local::stream_protocol(), error);
    if (!error) probe.non_blocking(true, error);
    if (!error) probe.connect(asio::local::stream_protocol::endpoint(path), error);
    return error == asio::error::connection_refused;
}

}  // namespace

/// Shared with the coroutines, so that a late one finds it.
struct Server::State : std::enable_shared_from_this<Server::State> {
    State(const asio::any_io_executor& shard, Timers& ours, Handler answers, ServerOptions chosen)
        : acceptor(shard), timers(ours), handler(std::move(answers)), options(std::move(chosen)) {}

    static awaitable<void> accept_all(std::shared_ptr<State> state);
    void start();
    void add(Connection::Socket socket);
    void ended(std::list<Connection>::iterator connection);
    void remove_file() noexcept;

    Acceptor acceptor;
    Timers& timers;
    Handler handler;
    ServerOptions options;
    std::uint16_t port = 0;
    std::string path;  // of a Unix socket
    ino_t inode = 0;   // of that file: a successor's is not ours to remove
    std::list<Connection> connections;
    asio::cancellation_signal stop_accepting;
    bool accepting = false;
    bool closed = false;
    Parking room;    // the accepting coroutine waits for a connection to end
    Parking joiner;  // join() waits for the last one
};

void Server::State::start() {
    accepting = true;
    auto done = [state = shared_from_this()](const std::exception_ptr& failure) {
        state->accepting = false;
        if (failure && !state->closed) state->options.report("the server stopped accepting connections");
        if (state->joiner.occupied()) state->joiner.wake();
    };
    asio::co_spawn(acceptor.get_executor(), accept_all(shared_from_this()),
                   asio::bind_cancellation_slot(stop_accepting.slot(), std::move(done)));
}

awaitable<void> Server::State::accept_all(std::shared_ptr<State> state) {
    while (!state->closed) {
        while (state->connections.size() >= state->options.connections_max) co_await state->room.wait();
        auto [error, socket] = co_await state->acceptor.async_accept(as_values);
        if (state->closed) co_return;
        if (!error) {
            state->add(std::move(socket));
        } else if (error != asio::error::connection_aborted) {
            // Out of descriptors or memory: the next attempt at once would fail as well.
            state->options.report("a connection cannot be accepted: " + error.message());
            co_await state->timers.sleep_for(pause_without_descriptors);
        }
    }
}

void Server::State::add(Connection::Socket socket) {
    auto peer = peer_of(socket);
    const auto at =
        connections.emplace(connections.end(), std::move(socket), std::move(peer), timers, handler, options);
    auto done = [state = shared_from_this(), at](const std::exception_ptr&) { state->ended(at); };
    asio::co_spawn(acceptor.get_executor(), at->run(), asio::bind_cancellation_slot(at->slot(), std::move(done)));
}

void Server::State::ended(std::list<Connection>::iterator connection) {
    connections.erase(connection);
    if (room.occupied()) room.wake();
    if (joiner.occupied()) joiner.wake();
}

void Server::State::remove_file() noexcept {
    struct stat found {};
    if (!path.empty() && ::lstat(path.c_str(), &found) == 0 && found.st_ino == inode) ::unlink(path.c_str());
}

Result<std::unique_ptr<Server>> Server::listen_tcp(const asio::any_io_executor& shard, Timers& timers,
                                                   const std::string& address, std::uint16_t port, Handler handler,
                                                   ServerOptions options) {
    error_code error;
    const auto parsed = asio::ip::make_address(address, error);
    if (error) return error;
    const asio::ip::tcp::endpoint here(parsed, port);
    auto state = std::make_shared<State>(shard, timers, std::move(handler), std::move(options));
    state->acceptor.open(Generic(here.protocol()), error);
    if (!error) state->acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) state->acceptor.bind(Generic::endpoint(here), error);
    if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return error;
    state->port = tcp_of(state->acceptor.local_endpoint()).port();
    state->start();
    return std::unique_ptr<Server>(new Server(std::move(state)));
}

Result<std::unique_ptr<Server>> Server::listen_unix(const asio::any_io_executor& shard, Timers& timers,
                                                    const std::string& path, Handler handler, ServerOptions options) {
    if (path.size() >= sizeof(sockaddr_un::sun_path)) return errc::socket_path_too_long;
    const asio::local::stream_protocol::endpoint here(path);
    auto state = std::make_shared<State>(shard, timers, std::move(handler), std::move(options));
    error_code error;
    state->acceptor.open(Generic(here.protocol()), error);
    if (error) return error;
    state->acceptor.bind(Generic::endpoint(here), error);
    if (error == asio::error::address_in_use && is_stale(path)) {
        ::unlink(path.c_str());
        state->acceptor.bind(Generic::endpoint(here), error);
    }
    if (error) return error;
    // Before listen(): until then nobody can connect.
    struct stat made {};
    if (::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::lstat(path.c_str(), &made) != 0) {
        return error_code(errno, boost::system::system_category());
    }
    state->path = path;
    state->inode = made.st_ino;
    state->acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return error;
    state->start();
    return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() { close(); }

void Server::use(std::shared_ptr<const net::TlsServer> tls) { state_->options.tls = std::move(tls); }

std::uint16_t Server::port() const noexcept { return state_->port; }
std::size_t Server::connections() const noexcept { return state_->connections.size(); }

void Server::close() {
    if (state_->closed) return;
    state_->closed = true;
    error_code ignored;
    state_->remove_file();
    state_->acceptor.close(ignored);
    state_->stop_accepting.emit(asio::cancellation_type::terminal);
    auto next = state_->connections.begin();
    while (next != state_->connections.end()) {
        auto& connection = *next++;  // cancelling may end it
        connection.cancel();
    }
}

awaitable<void> Server::join() {
    const auto state = state_;
    while (state->accepting || !state->connections.empty()) co_await state->joiner.wait();
}

}  // namespace http

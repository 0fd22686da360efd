#include "protocols/http/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <list>

#include "protocols/base/ensure.hpp"
#include "protocols/http/connection.hpp"
#include "protocols/http/errc.hpp"
#include "protocols/http/wire.hpp"
#include "protocols/wait/parking.hpp"

namespace http {

using asio::ip::tcp;
using unix_stream = asio::local::stream_protocol;

struct Server::State {
    State(asio::any_io_executor on, Timers& with, Handler answering, Options opts)
        : shard(std::move(on)), timers(with), handler(std::move(answering)), options(std::move(opts)) {}

    asio::any_io_executor shard;
    Timers& timers;
    Handler handler;
    Options options;
    std::list<tcp::acceptor> tcp_doors;
    std::list<unix_stream::acceptor> unix_doors;
    std::list<std::string> socket_paths;
    std::list<Connection*> open;
    std::size_t running = 0;  // coroutines
    bool closing = false;
    Parking all_ended;

    /// Runs a coroutine that this state outlives.
    static void run(const std::shared_ptr<State>& self, awaitable<void> coroutine) {
        ++self->running;
        asio::co_spawn(self->shard, std::move(coroutine), [self](const std::exception_ptr&) {
            if (--self->running == 0 && self->closing) self->all_ended.wake();
        });
    }
};

namespace {

template <class State>
awaitable<void> serve(std::shared_ptr<State> state, Connection::Socket socket) {
    Connection connection(std::move(socket), state->timers, state->handler, state->options);
    const auto place = state->open.insert(state->open.end(), &connection);
    struct Leave {
        std::list<Connection*>& open;
        std::list<Connection*>::iterator place;
        ~Leave() { open.erase(place); }
    };
    const Leave leave{state->open, place};
    if (state->open.size() > state->options.connections_max) {
        co_await connection.turn_away();
    } else {
        co_await connection.serve();
    }
}

/// Out of file descriptors: wait a little instead of spinning.
constexpr std::chrono::milliseconds accept_pause(100);

template <class State, class Acceptor>
awaitable<void> accept_all(std::shared_ptr<State> state, Acceptor& door) {
    while (!state->closing) {
        auto [failed, socket] = co_await door.async_accept(asio::as_tuple(asio::use_awaitable));
        if (state->closing || failed == asio::error::operation_aborted) break;
        if (failed) {
            co_await state->timers.sleep_for(accept_pause);
        } else {
            State::run(state, serve(state, Connection::Socket(std::move(socket))));
        }
    }
}

error_code fault_of_bind(const boost::system::error_code& failed) {
    if (failed == asio::error::address_in_use) return errc::port_in_use;
    return failed;
}

/// Opened, bound and listening.
template <class Acceptor, class Endpoint>
Result<Acceptor> opened(const asio::any_io_executor& shard, const Endpoint& at, bool reuse) {
    Acceptor door(shard);
    boost::system::error_code failed;
    door.open(at.protocol(), failed);
    if (!failed && reuse) door.set_option(asio::socket_base::reuse_address(true), failed);
    if (!failed) door.bind(at, failed);
    if (!failed) door.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return fault_of_bind(failed);
    return door;
}

bool somebody_answers(const asio::any_io_executor& shard, const unix_stream::endpoint& at) {
    unix_stream::socket probe(shard);
    boost::system::error_code failed;
    probe.connect(at, failed);
    return !failed;
}

}  // namespace

Server::Server(asio::any_io_executor shard, Timers& timers, Handler handler, Options options)
    : state_(std::make_shared<State>(std::move(shard), timers, std::move(handler), std::move(options))) {}

Server::Server(asio::any_io_executor shard, Timers& timers, Handler handler)
    : Server(std::move(shard), timers, std::move(handler), Options()) {}

Server::~Server() { ensure(state_->running == 0, "a server is closed before it ends"); }

Result<void> Server::listen(const tcp::endpoint& at) {
    auto door = opened<tcp::acceptor>(state_->shard, at, true);
    if (!door) return door.error();
    state_->tcp_doors.push_back(std::move(*door));
    State::run(state_, accept_all(state_, state_->tcp_doors.back()));
    return {};
}

Result<void> Server::listen_unix(const std::string& socket_path) {
    if (socket_path.size() > unix_path_bytes_max) return errc::path_too_long;
    const unix_stream::endpoint at(socket_path);
    struct stat found {};
    if (::lstat(socket_path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) {
        if (somebody_answers(state_->shard, at)) return errc::port_in_use;
        ::unlink(socket_path.c_str());  // left behind by a process that was killed
    }
    const mode_t before = ::umask(0177);  // 0600 from the first moment on
    auto door = opened<unix_stream::acceptor>(state_->shard, at, false);
    ::umask(before);
    if (!door) return door.error();
    state_->socket_paths.push_back(socket_path);
    state_->unix_doors.push_back(std::move(*door));
    State::run(state_, accept_all(state_, state_->unix_doors.back()));
    return {};
}

std::uint16_t Server::port() const {
    ensure(!state_->tcp_doors.empty(), "the port is asked for after listen()");
    boost::system::error_code closed;
    return state_->tcp_doors.front().local_endpoint(closed).port();
}

awaitable<void> Server::close() {
    state_->closing = true;
    boost::system::error_code ignored;
    for (auto& door : state_->tcp_doors) door.close(ignored);
    for (auto& door : state_->unix_doors) door.close(ignored);
    for (const auto& path : state_->socket_paths) ::unlink(path.c_str());
    state_->socket_paths.clear();
    for (auto* connection : state_->open) connection->close();
    while (state_->running > 0) co_await state_->all_ended.wait();
}

std::size_t Server::connections() const noexcept { return state_->open.size(); }

}  // namespace http

#include "protocols/http/client.hpp"

#include <sys/un.h>

#include <algorithm>
#include <boost/asio/write.hpp>
#include <memory>

#include "protocols/base/secret.hpp"
#include "protocols/http/errc.hpp"
#include "protocols/http/reader.hpp"
#include "protocols/net/errc.hpp"

namespace http {
namespace {

using LocalSocket = asio::local::stream_protocol::socket;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

/// Head and body in one piece of memory of the right size, so that no copy is left behind in a freed one.
Result<Secret> wire_of(Request request) {
    auto head = head_of(request);
    if (!head) return head.error();
    const Secret body(std::move(request.body));
    std::string bytes;
    bytes.reserve(head->size() + body.reveal().size());
    bytes.append(*head).append(body.reveal());
    return Secret(std::move(bytes));
}

ResponseReader::To answered(const Request& request) {
    return request.method == "HEAD" ? ResponseReader::To::head : ResponseReader::To::other;
}

error_code error_of_connecting(const error_code& error) {
    const bool nobody =
        error == asio::error::connection_refused || error == boost::system::errc::no_such_file_or_directory;
    return nobody ? make_error_code(errc::nobody_listens) : error;
}

/// Connects, writes and reads; whoever waits for it closes the socket when the time is over.
awaitable<Result<Response>> converse(LocalSocket& socket, std::string path, Request request, Limits limits) {
    ResponseReader reader(limits, answered(request));
    const auto wire = wire_of(std::move(request));
    if (!wire) co_return wire.error();
    const asio::local::stream_protocol::endpoint there(path);
    const auto [refused] = co_await socket.async_connect(there, as_values);
    if (refused) co_return error_of_connecting(refused);
    // A server that turns the request away may stop reading it: its answer counts then.
    const auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(wire->reveal()), as_values);

    std::string input;
    std::string piece(16U << 10U, '\0');
    while (!reader.finished()) {
        const auto [ended, received] = co_await socket.async_read_some(asio::buffer(piece), as_values);
        if (ended == asio::error::eof) {
            const auto whole = reader.end_of_input();
            if (!whole) co_return whole.error();
            break;
        }
        if (ended) co_return unsent ? unsent : ended;
        input.append(piece, 0, received);
        const auto used = reader.take_in(input);
        if (!used) co_return used.error();
        input.erase(0, *used);
    }
    co_return reader.take();
}

}  // namespace

awaitable<Result<Response>> call(net::Stream& stream, Request request, Limits limits, net::Pace pace) {
    ResponseReader reader(limits, answered(request));
    stream.allow(pace);
    {
        const auto wire = wire_of(std::move(request));
        if (!wire) co_return wire.error();
        const auto sent = co_await stream.write(wire->reveal());
        if (!sent) co_return sent.error();
    }
    for (;;) {
        const auto used = reader.take_in(stream.unread());
        if (!used) co_return used.error();
        stream.consume(*used);
        if (reader.finished()) co_return reader.take();
        const auto more = co_await stream.read_more();
        if (more) continue;
        if (more.error() != net::errc::closed) co_return more.error();
        const auto whole = reader.end_of_input();
        if (!whole) co_return whole.error();
        co_return reader.take();
    }
}

awaitable<Result<Response>> call(Seams& seams, net::Dial to, Request request, Limits limits) {
    const auto until = seams.timers.now() + to.within;
    auto stream = co_await seams.dialer.dial(std::move(to));
    if (!stream) {
        static_cast<void>(wire_of(std::move(request)));  // which wipes it
        co_return stream.error();
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - seams.timers.now());
    const net::Pace pace{.within = std::max(left, std::chrono::milliseconds(1)), .bytes_per_second_min = 0};
    auto response = co_await call(**stream, std::move(request), limits, pace);
    (*stream)->close();
    co_return response;
}

awaitable<Result<Response>> call_unix(std::string socket_path, Request request, Limits limits,
                                      std::chrono::milliseconds within) {
    if (socket_path.size() >= sizeof(sockaddr_un::sun_path)) co_return errc::socket_path_too_long;
    const auto executor = co_await asio::this_coro::executor;
    // Shared with the timer: its handler may already be on its way when this coroutine ends.
    const auto socket = std::make_shared<LocalSocket>(executor);
    const auto late = std::make_shared<bool>(false);
    asio::steady_timer timer(executor, within);
    timer.async_wait([socket, late](const error_code& stopped) {
        if (stopped) return;
        *late = true;
        error_code ignored;
        socket->close(ignored);
    });
    auto response = co_await converse(*socket, std::move(socket_path), std::move(request), limits);
    if (*late && !response) co_return net::errc::timed_out;
    co_return response;
}

}  // namespace http

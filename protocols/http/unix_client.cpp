#include <boost/asio/write.hpp>

#include "protocols/http/answer_reader.hpp"
#include "protocols/http/client.hpp"
#include "protocols/http/errc.hpp"
#include "protocols/net/errc.hpp"

namespace http {

namespace {

using asio::local::stream_protocol;
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

awaitable<Result<Response>> read_answer(stream_protocol::socket& socket, std::string_view method, Limits limits) {
    AnswerReader reader(limits, method);
    std::string pending;
    for (;;) {
        const std::size_t kept = pending.size();
        pending.resize(kept + 16 * 1024);
        const auto room = asio::buffer(pending) + kept;
        const auto [failed, bytes] = co_await socket.async_read_some(room, as_tuple);
        pending.resize(kept + bytes);
        if (failed == asio::error::eof) co_return reader.take_at_end();
        if (failed) co_return failed;
        const auto used = reader.feed(pending);
        if (!used) co_return used.error();
        pending.erase(0, *used);
        if (reader.done()) co_return reader.take();
    }
}

awaitable<Result<Response>> converse(stream_protocol::socket& socket, const std::string& socket_path,
                                     const Request& request, Limits limits) {
    const stream_protocol::endpoint there(socket_path);
    const auto [unconnected] = co_await socket.async_connect(there, as_tuple);
    if (unconnected) co_return unconnected;
    const std::string asked = written(request, "localhost");
    const auto bytes = asio::buffer(asked);
    const auto [unsent, sent] = co_await asio::async_write(socket, bytes, as_tuple);
    if (unsent && unsent != asio::error::broken_pipe) co_return unsent;  // a refusal may come before all was read
    auto answer = co_await read_answer(socket, request.method, limits);
    co_return answer;
}

/// Closes the socket when the time is over.
class Deadline {
public:
    Deadline(stream_protocol::socket& socket, std::chrono::milliseconds within)
        : timer_(socket.get_executor(), within) {
        timer_.async_wait([&socket, this](const boost::system::error_code& aborted) {
            if (aborted) return;
            over_ = true;
            boost::system::error_code ignored;
            socket.close(ignored);
        });
    }
    [[nodiscard]] bool over() const noexcept { return over_; }

private:
    asio::steady_timer timer_;
    bool over_ = false;
};

}  // namespace

awaitable<Result<Response>> call_unix(std::string socket_path, Request request, Bounds bounds) {
    if (socket_path.size() > unix_path_bytes_max) co_return errc::path_too_long;
    const auto executor = co_await asio::this_coro::executor;
    stream_protocol::socket socket(executor);
    const Deadline deadline(socket, bounds.within);
    auto answer = co_await converse(socket, socket_path, request, bounds.limits);
    if (!answer && deadline.over()) co_return net::errc::timed_out;
    co_return answer;
}

awaitable<Result<Response>> call_unix(std::string socket_path, Request request) {
    Bounds bounds;
    bounds.limits.body_bytes_max = 64 * 1024 * 1024;
    auto answer = co_await call_unix(std::move(socket_path), std::move(request), bounds);
    co_return answer;
}

}  // namespace http

#include "engine/control/socket.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "engine/config/import.hpp"

namespace control {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Local = asio::local::stream_protocol;
using Stream = beast::basic_stream<Local>;
constexpr auto when_done = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds patience{60};  // for one request to arrive, for one response to leave
constexpr std::size_t path_bytes_max = 107;

http::response<http::string_body> written(Response response, unsigned version, bool keep_alive) {
    http::response<http::string_body> message(static_cast<http::status>(response.status), version);
    message.set(http::field::content_type, response.type);
    message.keep_alive(keep_alive);
    message.body() = std::move(response.body);
    message.prepare_payload();
    return message;
}

}  // namespace

Result<std::unique_ptr<ControlSocket>> ControlSocket::listen(asio::any_io_executor shard,
                                                             const std::filesystem::path& path, Surroundings here,
                                                             runtime::Scope::Report report) {
    if (path.string().size() > path_bytes_max) return make_error_code(boost::system::errc::filename_too_long);
    Acceptor acceptor(std::move(shard));
    error_code wrong;
    acceptor.open(Local(), wrong);
    if (wrong) return wrong;
    ::unlink(path.c_str());
    // Linux gives the file the mode of the unbound socket: there is no moment when others may open it.
    if (::fchmod(acceptor.native_handle(), 0600) != 0) return error_code(errno, boost::system::system_category());
    acceptor.bind(Local::endpoint(path.string()), wrong);
    if (!wrong) acceptor.listen(connections_max, wrong);
    if (wrong) return wrong;
    return std::unique_ptr<ControlSocket>(
        new ControlSocket(std::move(acceptor), path, std::move(here), std::move(report)));
}

ControlSocket::ControlSocket(Acceptor acceptor, std::filesystem::path path, Surroundings here,
                             runtime::Scope::Report report)
    : acceptor_(std::move(acceptor)),
      path_(std::move(path)),
      here_(std::move(here)),
      scope_(acceptor_.get_executor(), std::move(report)) {}

ControlSocket::~ControlSocket() { ::unlink(path_.c_str()); }

void ControlSocket::start() { scope_.spawn("control socket", accept()); }

awaitable<void> ControlSocket::close() {
    scope_.cancel();
    co_await scope_.join();
}

awaitable<void> ControlSocket::accept() {
    asio::steady_timer pause(acceptor_.get_executor());
    for (;;) {
        auto [wrong, socket] = co_await acceptor_.async_accept(when_done);
        if (!wrong && scope_.running() <= connections_max) {
            scope_.spawn("control connection", serve(std::move(socket)));
            continue;
        }
        // Out of descriptors, or full: others come later.
        pause.expires_after(std::chrono::milliseconds(100));
        co_await pause.async_wait(asio::use_awaitable);
    }
}

awaitable<void> ControlSocket::serve(Local::socket socket) {
    Stream stream(std::move(socket));
    beast::flat_buffer buffer(64 * 1024);
    for (;;) {
        http::request_parser<http::string_body> parser;
        parser.body_limit(config::document_bytes_max);
        stream.expires_after(patience);
        auto [wrong, bytes] = co_await http::async_read(stream, buffer, parser, when_done);
        if (wrong) co_return;
        auto message = parser.release();
        Request request{.method = std::string(message.method_string()), .target = std::string(message.target())};
        request.body = std::move(message.body());
        stream.expires_never();
        auto response = co_await handle(here_, std::move(request));
        auto reply = written(std::move(response), message.version(), message.keep_alive());
        stream.expires_after(patience);
        auto [lost, sent] = co_await http::async_write(stream, reply, when_done);
        if (lost || !message.keep_alive()) co_return;
    }
}

}  // namespace control

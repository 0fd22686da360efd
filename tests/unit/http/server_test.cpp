#include "protocols/http/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <fstream>

#include "protocols/http/errc.hpp"
#include "protocols/net/errc.hpp"
#include "protocols/wait/parking.hpp"
#include "tests/unit/http/fixture.hpp"

namespace {

using http_test::Shard;
using http_test::soon;

awaitable<http::Response> echo(http::Request request) {
    http::Response response;
    if (request.path == "/throw") throw std::runtime_error("the password is 1234");
    if (request.path == "/split") response.headers = {{"Location", "a\r\nb"}};
    if (request.method == "DELETE") response.status = 405;
    response.content_type = "text/plain";
    response.body = request.method + ' ' + request.path + ' ' + request.body;
    co_return response;
}

struct Unix {
    Unix() {
        std::string made = (std::filesystem::temp_directory_path() / "http-XXXXXX").string();
        REQUIRE(::mkdtemp(made.data()) != nullptr);
        folder = made;
        path = (folder / "control.sock").string();
    }
    ~Unix() { std::filesystem::remove_all(folder); }
    std::filesystem::path folder;
    std::string path;
};

/// Sends `bytes` as they are, and gives back everything that comes until the server closes.
awaitable<std::string> raw(std::uint16_t port, std::string bytes) {
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::socket socket(executor);
    const asio::ip::tcp::endpoint there(asio::ip::address_v4::loopback(), port);
    co_await socket.async_connect(there, asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
    std::string all;
    const auto as_values = asio::as_tuple(asio::use_awaitable);
    const auto [ended, received] = co_await asio::async_read(socket, asio::dynamic_buffer(all), as_values);
    CHECK(ended == asio::error::eof);
    CHECK(received == all.size());
    co_return all;
}

http::Request request_to(std::string method, std::string path, std::string body = {}) {
    http::Request request;
    request.method = std::move(method);
    request.host = "rohrpost";
    request.path = std::move(path);
    request.body = std::move(body);
    return request;
}

std::unique_ptr<http::Server> serve_tcp(Shard& shard, http::ServerOptions options = {}) {
    auto server =
        http::Server::listen_tcp(shard.context.get_executor(), shard.timers, "127.0.0.1", 0, echo, std::move(options));
    REQUIRE(server.has_value());
    REQUIRE((*server)->port() != 0);
    return std::move(*server);
}

const http::Limits limits{.header_bytes_max = 4096, .body_bytes_max = 8U << 20U};

}  // namespace

TEST_CASE("the server answers requests one after another on one connection", "[http]") {
    Shard shard;
    const auto server = serve_tcp(shard);
    const std::string first = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi";
    const std::string second = "HEAD /b HTTP/1.1\r\nHost: h\r\n\r\n";
    const std::string last = "GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    const auto all = shard.result_of(raw(server->port(), first + second + last));
    CHECK(all ==
          "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Type: text/plain\r\n\r\nPOST /a hi"
          "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nContent-Type: text/plain\r\n\r\n"
          "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nGET /c ");
    shard.end(*server);
}

TEST_CASE("what cannot be read is answered with the reason and a close", "[http]") {
    Shard shard;
    http::ServerOptions options;
    options.limits = {.header_bytes_max = 512, .body_bytes_max = 100};
    const auto server = serve_tcp(shard, options);
    const auto status_for = [&](std::string bytes) {
        return shard.result_of(raw(server->port(), std::move(bytes))).substr(0, 12);
    };
    CHECK(status_for("EHLO mail.example\r\n\r\n") == "HTTP/1.1 400");
    CHECK(status_for("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n") == "HTTP/1.1 400");
    CHECK(status_for("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(600, 'x') + "\r\n\r\n") == "HTTP/1.1 431");
    // All of the body is on its way already: the answer arrives all the same.
    const std::string body(1U << 20U, 'x');
    CHECK(status_for("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n" + body) == "HTTP/1.1 413");
    shard.end(*server);
}

TEST_CASE("a sender that waits to be told to continue is told so", "[http]") {
    Shard shard;
    http::ServerOptions options;
    options.request_within = std::chrono::milliseconds(50);
    const auto server = serve_tcp(shard, options);
    const auto all = shard.result_of(raw(server->port(),
                                         "PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\n"
                                         "Transfer-Encoding: chunked\r\n\r\n"));
    // The body never comes; the server must have asked for it before giving up on us.
    CHECK(all.starts_with("HTTP/1.1 100 Continue\r\n\r\n"));
    shard.end(*server);
}

TEST_CASE("what a handler throws is reported, and answered without its words", "[http]") {
    Shard shard;
    std::vector<std::string> reports;
    http::ServerOptions options;
    options.report = [&reports](const std::string& what) { reports.push_back(what); };
    const auto server = serve_tcp(shard, options);
    const auto all = shard.result_of(raw(server->port(),
                                         "GET /throw HTTP/1.1\r\nHost: h\r\n\r\n"
                                         "GET /split HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    CHECK(all ==
          "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
          "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    REQUIRE(reports.size() == 2);
    CHECK(reports[0] == "the password is 1234");
    shard.end(*server);
}

TEST_CASE("a silent or slow peer is hung up on", "[http]") {
    Shard shard;
    http::ServerOptions options;
    options.idle = std::chrono::milliseconds(20);
    options.request_within = std::chrono::milliseconds(20);
    const auto server = serve_tcp(shard, options);
    CHECK(shard.result_of(raw(server->port(), "")).empty());
    CHECK(shard.result_of(raw(server->port(), "GET / HTTP/1.1\r\nHo")).empty());
    CHECK(shard.run_until([&] { return server->connections() == 0; }));
    shard.end(*server);
}

TEST_CASE("connections above the limit wait until one ends", "[http]") {
    Shard shard;
    http::ServerOptions options;
    options.connections_max = 1;
    const auto server = serve_tcp(shard, options);
    asio::ip::tcp::socket first(shard.context);
    const asio::ip::tcp::endpoint there(asio::ip::address_v4::loopback(), server->port());
    first.connect(there);
    REQUIRE(shard.run_until([&] { return server->connections() == 1; }));
    std::string answer;
    asio::co_spawn(shard.context, raw(server->port(), "GET / HTTP/1.0\r\n\r\n"),
                   [&answer](std::exception_ptr, std::string all) { answer = std::move(all); });
    shard.context.restart();
    shard.context.poll();
    CHECK(answer.empty());
    CHECK(server->connections() == 1);
    first.close();
    CHECK(shard.run_until([&] { return !answer.empty(); }));
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    shard.end(*server);
}

TEST_CASE("a port that is taken is named as such", "[http]") {
    Shard shard;
    const auto server = serve_tcp(shard);
    const auto second =
        http::Server::listen_tcp(shard.context.get_executor(), shard.timers, "127.0.0.1", server->port(), echo);
    CHECK(second.error() == asio::error::address_in_use);
    shard.end(*server);
}

TEST_CASE("a closed server frees its port at once and ends what is open", "[http]") {
    Shard shard;
    const auto server = serve_tcp(shard);
    std::optional<std::string> answer;
    asio::co_spawn(shard.context, raw(server->port(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
                   [&answer](std::exception_ptr, std::string all) { answer = std::move(all); });
    REQUIRE(shard.run_until([&] { return server->connections() == 1; }));
    const auto port = server->port();
    server->close();
    const auto next = http::Server::listen_tcp(shard.context.get_executor(), shard.timers, "127.0.0.1", port, echo);
    REQUIRE(next.has_value());
    CHECK(shard.run_until([&] { return answer.has_value(); }));
    shard.end(*server);
    shard.end(**next);
}

TEST_CASE("a handler that waits is cancelled with its server", "[http]") {
    Shard shard;
    struct Waiting {
        Parking forever;
        bool entered = false;
        bool left = false;
        awaitable<http::Response> answer() {
            struct Leave {
                bool& left;
                ~Leave() { left = true; }
            } const leave{left};
            entered = true;
            co_await forever.wait();
            co_return http::Response();
        }
    } waiting;
    const auto handler = [&waiting](const http::Request&) { return waiting.answer(); };
    auto server = http::Server::listen_tcp(shard.context.get_executor(), shard.timers, "127.0.0.1", 0, handler);
    REQUIRE(server.has_value());
    std::optional<std::string> answer;
    asio::co_spawn(shard.context, raw((*server)->port(), "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
                   [&answer](std::exception_ptr, std::string all) { answer = std::move(all); });
    REQUIRE(shard.run_until([&] { return waiting.entered; }));
    shard.end(**server);
    CHECK(waiting.left);
    CHECK(shard.run_until([&] { return answer.has_value(); }));
    CHECK(answer->empty());
}

TEST_CASE("a Unix socket is ours alone, carries large bodies, and goes with its server", "[http]") {
    Shard shard;
    const Unix at;
    auto server = http::Server::listen_unix(shard.context.get_executor(), shard.timers, at.path, echo);
    REQUIRE(server.has_value());
    struct stat found {};
    REQUIRE(::lstat(at.path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == 0600U);

    const std::string body(3U << 20U, 'b');
    const auto response =
        shard.result_of(http::call_unix(at.path, request_to("PUT", "/v1/import", body), limits, soon));
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(response->body == "PUT /v1/import " + body);
    const auto refused = shard.result_of(http::call_unix(at.path, request_to("DELETE", "/"), limits, soon));
    CHECK(refused->status == 405);

    shard.end(**server);
    CHECK_FALSE(std::filesystem::exists(at.path));
}

TEST_CASE("a missing socket and a dead one both mean that nobody listens", "[http]") {
    Shard shard;
    const Unix at;
    const auto missing = shard.result_of(http::call_unix(at.path, request_to("GET", "/"), limits, soon));
    CHECK(missing.error() == http::errc::nobody_listens);
    { asio::local::stream_protocol::acceptor dead(shard.context, at.path); }
    REQUIRE(std::filesystem::exists(at.path));
    const auto refused = shard.result_of(http::call_unix(at.path, request_to("GET", "/"), limits, soon));
    CHECK(refused.error() == http::errc::nobody_listens);
    const auto too_long = shard.result_of(http::call_unix(std::string(200, 'x'), request_to("GET", "/"), limits, soon));
    CHECK(too_long.error() == http::errc::socket_path_too_long);
}

TEST_CASE("a dead socket file is replaced, a live one and a plain file are not", "[http]") {
    Shard shard;
    const Unix at;
    const auto listen = [&](const std::string& path) {
        return http::Server::listen_unix(shard.context.get_executor(), shard.timers, path, echo);
    };
    { asio::local::stream_protocol::acceptor dead(shard.context, at.path); }
    const auto server = listen(at.path);
    REQUIRE(server.has_value());
    CHECK(listen(at.path).error() == asio::error::address_in_use);
    CHECK(shard.result_of(http::call_unix(at.path, request_to("GET", "/"), limits, soon))->status == 200);
    const std::string plain = (at.folder / "plain").string();
    std::ofstream(plain) << "precious";
    CHECK(listen(plain).error() == asio::error::address_in_use);
    CHECK(std::filesystem::file_size(plain) == 8);
    CHECK(listen(std::string(200, 'x')).error() == http::errc::socket_path_too_long);
    shard.end(**server);
}

TEST_CASE("a server does not remove the socket file of its successor", "[http]") {
    Shard shard;
    const Unix at;
    const auto old = http::Server::listen_unix(shard.context.get_executor(), shard.timers, at.path, echo);
    REQUIRE(old.has_value());
    std::filesystem::rename(at.path, at.path + ".old");
    const auto successor = http::Server::listen_unix(shard.context.get_executor(), shard.timers, at.path, echo);
    REQUIRE(successor.has_value());
    shard.end(**old);
    CHECK(std::filesystem::exists(at.path));
    CHECK(shard.result_of(http::call_unix(at.path, request_to("GET", "/"), limits, soon))->status == 200);
    shard.end(**successor);
}

TEST_CASE("a daemon that accepts and never answers costs no more than the time allowed", "[http]") {
    Shard shard;
    const Unix at;
    const asio::local::stream_protocol::acceptor silent(shard.context, at.path);
    const std::chrono::milliseconds within(30);
    const auto response = shard.result_of(http::call_unix(at.path, request_to("GET", "/"), limits, within));
    CHECK(response.error() == net::errc::timed_out);
}

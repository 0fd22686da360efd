// The server's side of TLS, and bodies that are judged by their head.

#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <fstream>

#include "protocols/net/errc.hpp"
#include "protocols/net/system_dialer.hpp"
#include "protocols/net/tls.hpp"
#include "tests/support/directory.hpp"
#include "tests/unit/http/fixture.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

namespace {

using http_test::Shard;

awaitable<http::Response> echo(http::Request request) {
    http::Response response;
    response.content_type = "text/plain";
    response.body = request.method + ' ' + request.path + ' ' + request.body;
    co_return response;
}

/// Sends `bytes` as they are; all that comes back until the other side closes.
awaitable<std::string> raw(std::uint16_t port, std::string bytes) {
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::socket socket(executor);
    const asio::ip::tcp::endpoint there(asio::ip::address_v4::loopback(), port);
    co_await socket.async_connect(there, asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
    std::string all;
    const auto as_values = asio::as_tuple(asio::use_awaitable);
    const auto [ended, received] = co_await asio::async_read(socket, asio::dynamic_buffer(all), as_values);
    CHECK(ended);
    CHECK(received == all.size());
    co_return all;
}

/// Files of a certificate for 127.0.0.1 and of the authority behind it.
struct Certified {
    Certified() {
        sim::write_private_file(folder / "ca.pem", authority.certificate_pem());
        issue("certificate.pem", "key.pem");
    }
    void issue(const std::string& certificate, const std::string& key) const {
        const auto identity = authority.issue({});
        sim::write_private_file(folder / certificate, identity.chain_pem);
        sim::write_private_file(folder / key, identity.key_pem);
    }
    [[nodiscard]] Result<std::shared_ptr<const net::TlsServer>> read(const std::string& certificate,
                                                                     const std::string& key) const {
        return net::TlsServer::make((folder / certificate).string(), (folder / key).string());
    }
    [[nodiscard]] std::unique_ptr<http::Server> serve(Shard& shard, http::ServerOptions options = {}) const {
        options.tls = *read("certificate.pem", "key.pem");
        auto server = http::Server::listen_tcp(shard.context.get_executor(), shard.timers, "127.0.0.1", 0, echo,
                                               std::move(options));
        REQUIRE(server.has_value());
        return std::move(*server);
    }
    support::TemporaryDirectory folder;
    sim::Authority authority{"test authority"};
};

struct Client {
    Client(Shard& of, const Certified& world)
        : shard(of),
          dialer(of.context, of.timers, {}),
          tls(*net::TlsClient::make({(world.folder / "ca.pem").string()})) {}
    std::unique_ptr<net::Stream> connect(std::uint16_t port) {
        net::Dial dial{.host = "127.0.0.1", .port = port, .tls = tls};
        auto stream = shard.result_of(dialer.dial(std::move(dial)));
        REQUIRE(stream.has_value());
        return std::move(*stream);
    }
    std::string ask(net::Stream& stream, std::string path, std::string body = {}) {
        http::Request request;
        request.method = "POST";
        request.host = "h";
        request.path = std::move(path);
        request.body = std::move(body);
        const http::Limits limits{.header_bytes_max = 4096, .body_bytes_max = 8U << 20U};
        const net::Pace pace{.within = std::chrono::seconds(10), .bytes_per_second_min = 0};
        auto response = shard.result_of(http::call(stream, std::move(request), limits, pace));
        REQUIRE(response.has_value());
        return response->body;
    }
    Shard& shard;
    net::SystemDialer dialer;
    std::shared_ptr<const net::TlsClient> tls;
};

}  // namespace

TEST_CASE("a server with a certificate speaks TLS, for small answers and large ones", "[http]") {
    Shard shard;
    const Certified world;
    const auto server = world.serve(shard);
    Client client(shard, world);
    auto first = client.connect(server->port());
    CHECK(client.ask(*first, "/small", "hi") == "POST /small hi");
    auto second = client.connect(server->port());
    const std::string large(3U << 20U, 'x');
    CHECK(client.ask(*second, "/large", large) == "POST /large " + large);
    first->close();
    second->close();
    shard.end(*server);
}

TEST_CASE("a renewed certificate is for new connections, those that are open keep theirs", "[http]") {
    Shard shard;
    const Certified world;
    const auto server = world.serve(shard);
    Client client(shard, world);
    auto before = client.connect(server->port());
    // Another authority: only who trusts it can be on a connection that began with the renewed one.
    const Certified renewed;
    server->use(*renewed.read("certificate.pem", "key.pem"));
    Client other(shard, renewed);
    auto after = other.connect(server->port());
    CHECK(other.ask(*after, "/after") == "POST /after ");
    CHECK(client.ask(*before, "/before") == "POST /before ");
    before->close();
    after->close();
    shard.end(*server);
}

TEST_CASE("who does not speak TLS, or an old one, gets nothing", "[http]") {
    Shard shard;
    const Certified world;
    const auto server = world.serve(shard);
    const std::string in_the_clear = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    CHECK(shard.result_of(raw(server->port(), in_the_clear)).find("HTTP") == std::string::npos);

    const auto old = [](std::uint16_t port) -> awaitable<bool> {
        asio::ssl::context context(asio::ssl::context::tls_client);
        SSL_CTX_set_security_level(context.native_handle(), 0);
        SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context.native_handle(), TLS1_1_VERSION);
        const auto executor = co_await asio::this_coro::executor;
        asio::ssl::stream<asio::ip::tcp::socket> stream(executor, context);
        const asio::ip::tcp::endpoint there(asio::ip::address_v4::loopback(), port);
        co_await stream.next_layer().async_connect(there, asio::use_awaitable);
        const auto as_values = asio::as_tuple(asio::use_awaitable);
        const auto [refused] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_values);
        co_return !refused;
    };
    CHECK_FALSE(shard.result_of(old(server->port())));
    CHECK(shard.run_until([&] { return server->connections() == 0; }));
    shard.end(*server);
}

TEST_CASE("a certificate that cannot be used is named by what is wrong with it", "[net]") {
    const Certified world;
    world.issue("other.pem", "other-key.pem");
    sim::write_private_file(world.folder / "nonsense.pem", "nonsense");
    CHECK(world.read("certificate.pem", "key.pem").has_value());
    CHECK(world.read("missing.pem", "key.pem").error() == net::errc::certificate_unreadable);
    CHECK(world.read("nonsense.pem", "key.pem").error() == net::errc::certificate_unreadable);
    CHECK(world.read("certificate.pem", "missing.pem").error() == net::errc::private_key_unreadable);
    CHECK(world.read("certificate.pem", "nonsense.pem").error() == net::errc::private_key_unreadable);
    CHECK(world.read("certificate.pem", "other-key.pem").error() == net::errc::private_key_of_another);
}

TEST_CASE("how much of a body is taken is decided by the head", "[http][hostile-54]") {
    Shard shard;
    http::ServerOptions options;
    options.body_bytes_max_of = [](const http::Request& head) -> std::size_t {
        CHECK(head.body.empty());
        return head.header("Authorization") ? 1U << 20U : 10;
    };
    auto listening =
        http::Server::listen_tcp(shard.context.get_executor(), shard.timers, "127.0.0.1", 0, echo, std::move(options));
    REQUIRE(listening.has_value());
    const auto server = std::move(*listening);
    const auto status_for = [&](std::string bytes) {
        return shard.result_of(raw(server->port(), std::move(bytes))).substr(0, 12);
    };
    const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
    CHECK(status_for(head + "Content-Length: 10\r\n\r\n0123456789") == "HTTP/1.1 200");
    CHECK(status_for(head + "Content-Length: 11\r\n\r\n01234567890") == "HTTP/1.1 413");
    CHECK(status_for(head + "Content-Length: 1000000000\r\n\r\n") == "HTTP/1.1 413");
    CHECK(status_for(head + "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n") == "HTTP/1.1 413");
    CHECK(status_for(head + "Authorization: yes\r\nContent-Length: 11\r\n\r\n01234567890") == "HTTP/1.1 200");
    shard.end(*server);
}

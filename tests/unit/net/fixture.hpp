#pragma once

#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <thread>

#include "protocols/net/errc.hpp"
#include "protocols/net/system_dialer.hpp"
#include "protocols/net/tls.hpp"
#include "tests/support/directory.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

namespace net_test {

using asio::ip::tcp;
using TlsSocket = asio::ssl::stream<tcp::socket>;

/// A shard with the machine's clock, run until a fact holds or ten seconds are over.
struct Shard {
    asio::io_context context{1};
    SystemClock clock;
    Timers timers{clock};
    TimersDriver driver{context, timers};

    bool run_until(const std::function<bool()>& fact) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!fact() && std::chrono::steady_clock::now() < until) {
            context.restart();
            context.run_one_for(std::chrono::milliseconds(100));
        }
        return fact();
    }

    template <class T>
    T result_of(awaitable<T> coroutine) {
        std::optional<T> result;
        std::exception_ptr failure;
        bool ended = false;
        asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr thrown, T value) {
            failure = thrown;
            result.emplace(std::move(value));
            ended = true;
        });
        REQUIRE(run_until([&] { return ended; }));
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
};

/// A blocking peer on a thread of its own: takes one connection after the other at 127.0.0.1 and plays `part` on each.
/// What a part throws (the other side hung up) ends that connection only.
class Peer {
public:
    using Part = std::function<void(tcp::socket)>;

    explicit Peer(Part part, const std::string& address = "127.0.0.1", std::uint16_t port = 0, int connections = 1)
        : door_(context_, tcp::endpoint(asio::ip::make_address(address), port)),
          thread_([this, part = std::move(part), connections] {
              for (int i = 0; i < connections; ++i) {
                  boost::system::error_code failed;
                  tcp::socket socket = door_.accept(failed);
                  if (failed || ending_) return;
                  try {
                      part(std::move(socket));
                  } catch (const boost::system::system_error&) {
                      ++hung_up_;
                  }
              }
          }) {}
    ~Peer() {
        ending_ = true;
        boost::system::error_code ignored;
        tcp::socket knock(context_);
        knock.connect(door_.local_endpoint(), ignored);
        knock.close(ignored);
        thread_.join();
    }
    [[nodiscard]] std::uint16_t port() const { return door_.local_endpoint().port(); }
    [[nodiscard]] int hung_up() const { return hung_up_; }

private:
    asio::io_context context_;
    tcp::acceptor door_;
    std::atomic<bool> ending_{false};
    std::atomic<int> hung_up_{0};
    std::thread thread_;
};

/// The authority that the tests' client trusts, and what its servers show.
struct Trusted {
    sim::Authority authority{"rig"};
    support::TemporaryDirectory directory;
    std::shared_ptr<const net::TlsClient> client;

    Trusted() {
        const auto file = directory / "ca.pem";
        sim::write_private_file(file, authority.certificate_pem());
        net::TlsClient::Trust trust{.ca_file = file.string()};
        client = net::TlsClient::make(trust).value();
    }
};

inline std::shared_ptr<asio::ssl::context> server_tls(const sim::Identity& identity) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    context->use_certificate_chain(asio::buffer(identity.chain_pem));
    context->use_private_key(asio::buffer(identity.key_pem), asio::ssl::context::pem);
    return context;
}

/// A part behind a TLS handshake.
inline Peer::Part over_tls(std::shared_ptr<asio::ssl::context> tls, std::function<void(TlsSocket&)> part) {
    return [tls, part = std::move(part)](tcp::socket socket) {
        TlsSocket stream(std::move(socket), *tls);
        stream.next_layer().set_option(tcp::no_delay(true));
        stream.handshake(TlsSocket::server);
        part(stream);
    };
}

/// Waits until the client has closed.
template <class Socket>
void drain(Socket& socket) {
    boost::system::error_code ended;
    std::array<char, 4096> ignored{};
    while (!ended) socket.read_some(asio::buffer(ignored), ended);
}

inline net::Dial to_peer(const Peer& peer, const Trusted& trusted, std::string host = "127.0.0.1") {
    return {.host = std::move(host),
            .port = peer.port(),
            .security = net::Security::implicit_tls,
            .tls = trusted.client,
            .within = std::chrono::seconds(10)};
}

inline net::Dial to_plain(std::uint16_t port, std::string host = "127.0.0.1") {
    return {.host = std::move(host),
            .port = port,
            .security = net::Security::plain,
            .tls = nullptr,
            .within = std::chrono::seconds(10)};
}

/// A shard with a dialler.
struct Caller : Shard {
    explicit Caller(net::SystemDialer::Options options = {}) : dialer(context, timers, std::move(options)) {}
    Caller(std::unique_ptr<net::Resolver> resolver, net::SystemDialer::Options options)
        : dialer(std::move(resolver), timers, std::move(options)) {}
    Result<std::unique_ptr<net::Stream>> dial(net::Dial to) { return result_of(dialer.dial(std::move(to))); }

    net::SystemDialer dialer;
};

/// Reads and consumes until `bytes` have come or the stream ends.
inline awaitable<Result<std::string>> take(net::Stream& stream, std::size_t bytes) {
    std::string taken;
    for (;;) {
        const std::size_t step = std::min(bytes - taken.size(), stream.unread().size());
        taken += stream.unread().substr(0, step);
        stream.consume(step);
        if (taken.size() == bytes) co_return taken;
        const auto more = co_await stream.read_more();
        if (!more) co_return more.error();
    }
}

inline std::string noise(std::size_t bytes, std::uint32_t seed = 1) {
    std::string out(bytes, '\0');
    for (char& c : out) {
        seed = seed * 1664525U + 1013904223U;
        c = static_cast<char>(seed >> 24U);
    }
    return out;
}

}  // namespace net_test

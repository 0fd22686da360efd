// The TLS stream against OpenSSL's own server side.
#include <openssl/ssl.h>
#include <poll.h>

#include "protocols/net/socket_stream.hpp"
#include "tests/unit/net/fixture.hpp"

using namespace net_test;
using namespace std::chrono_literals;

namespace {

awaitable<Result<std::string>> say_and_hear(net::Stream& stream, std::string words, std::size_t bytes) {
    const auto said = co_await stream.write(words);
    if (!said) co_return said.error();
    auto heard = co_await take(stream, bytes);
    co_return heard;
}

awaitable<error_code> fault_of_reading(net::Stream& stream) {
    for (;;) {
        const auto more = co_await stream.read_more();
        if (!more) co_return more.error();
    }
}

awaitable<error_code> fault_of_writing(net::Stream& stream, std::string bytes) {
    const auto written = co_await stream.write(bytes);
    co_return written ? error_code() : written.error();
}

void echo(TlsSocket& stream) {
    std::string bytes(100000, '\0');
    for (;;) {
        const std::size_t got = stream.read_some(asio::buffer(bytes));
        asio::write(stream, asio::buffer(bytes, got));
    }
}

X509* leaf_of(const net::Stream& stream) {
    const SSL* ssl = dynamic_cast<const net::SocketStream&>(stream).tls()->ssl();
    return sk_X509_value(SSL_get_peer_cert_chain(ssl), 0);
}

struct Rig {
    Trusted trusted;
    std::shared_ptr<asio::ssl::context> tls = server_tls(trusted.authority.issue({}));
};

}  // namespace

TEST_CASE("words come back over TLS", "[net]") {
    Rig rig;
    Peer peer(over_tls(rig.tls, echo));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    CHECK((*stream)->encrypted());
    CHECK((*stream)->peer() == "127.0.0.1:" + std::to_string(peer.port()) + " (127.0.0.1)");
    const auto heard = caller.result_of(say_and_hear(**stream, "a1 NOOP\r\n", 9));
    REQUIRE(heard);
    CHECK(*heard == "a1 NOOP\r\n");
    CHECK((*stream)->traffic().received_bytes == 9);
    CHECK((*stream)->traffic().sent_bytes == 9);
}

TEST_CASE("large transfers arrive byte by byte as sent, in both directions", "[net]") {
    const bool old_tls = GENERATE(false, true);
    CAPTURE(old_tls);
    Rig rig;
    if (old_tls) SSL_CTX_set_max_proto_version(rig.tls->native_handle(), TLS1_2_VERSION);
    const std::string down = noise(5'000'000, 3);
    const std::string up = noise(3'000'000, 4);
    std::string came_up(up.size(), '\0');
    Peer peer(over_tls(rig.tls, [&](TlsSocket& stream) {
        asio::read(stream, asio::buffer(came_up));
        std::size_t at = 0;
        std::uint32_t seed = 11;
        while (at < down.size()) {
            seed = seed * 1664525U + 1013904223U;
            const std::size_t step = std::min<std::size_t>(1 + (seed >> 8U) % 40000, down.size() - at);
            asio::write(stream, asio::buffer(down.data() + at, step));
            at += step;
        }
        drain(stream);
    }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    const auto heard = caller.result_of(say_and_hear(**stream, up, down.size()));
    REQUIRE(heard);
    CHECK(*heard == down);
    CHECK(came_up == up);
}

TEST_CASE("records of one byte arrive in order", "[net]") {
    Rig rig;
    const std::string words = noise(20'000);
    Peer peer(over_tls(rig.tls, [&](TlsSocket& stream) {
        for (const char c : words) asio::write(stream, asio::buffer(&c, 1));
        drain(stream);
    }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    const auto heard = caller.result_of(take(**stream, words.size()));
    REQUIRE(heard);
    CHECK(*heard == words);
}

TEST_CASE("a reader that consumes nothing sees everything grow", "[net]") {
    Rig rig;
    const std::string words = noise(1'000'000);
    Peer peer(over_tls(rig.tls, [&](TlsSocket& stream) {
        asio::write(stream, asio::buffer(words));
        stream.shutdown();
    }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::closed);
    CHECK((*stream)->unread() == words);
}

TEST_CASE("bytes and close_notify in one go are read, then the end is in order", "[net]") {
    Rig rig;
    Peer peer(over_tls(rig.tls, [](TlsSocket& stream) {
        asio::write(stream, asio::buffer("* BYE\r\n", 7));
        stream.shutdown();
    }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    const auto heard = caller.result_of(take(**stream, 7));
    REQUIRE(heard);
    CHECK(*heard == "* BYE\r\n");
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::closed);
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::closed);
}

TEST_CASE("a connection that ends without close_notify was cut off", "[net][hostile-8]") {
    Rig rig;
    Peer peer(over_tls(rig.tls, [](TlsSocket& stream) {
        asio::write(stream, asio::buffer("half a literal"));
        stream.next_layer().shutdown(tcp::socket::shutdown_send);
        drain(stream.next_layer());
    }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::truncated);
    CHECK((*stream)->unread().substr(0, 14) == "half a literal");
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::truncated);
}

TEST_CASE("a forged record breaks the connection, after what was good", "[net]") {
    Rig rig;
    Peer peer(over_tls(rig.tls, [](TlsSocket& stream) {
        asio::write(stream, asio::buffer("good", 4));
        asio::write(stream.next_layer(), asio::buffer("\x17\x03\x03\x00\x20", 5));
        asio::write(stream.next_layer(), asio::buffer(std::string(32, 'x')));
        drain(stream.next_layer());
    }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    const auto heard = caller.result_of(take(**stream, 4));
    REQUIRE(heard);
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::tls_broken);
    CHECK(caller.result_of(fault_of_writing(**stream, "more")) == net::errc::tls_broken);
}

TEST_CASE("a change of keys that the peer asks for is invisible", "[net]") {
    Rig rig;
    Peer peer(over_tls(rig.tls, [](TlsSocket& stream) {
        std::string bytes(64, '\0');
        for (int i = 0; i < 20; ++i) {
            SSL_key_update(stream.native_handle(), SSL_KEY_UPDATE_REQUESTED);
            asio::write(stream, asio::buffer("ping", 4));
            asio::read(stream, asio::buffer(bytes, 4));
        }
        drain(stream);
    }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    for (int i = 0; i < 20; ++i) {
        const auto heard = caller.result_of(take(**stream, 4));
        REQUIRE(heard);
        CHECK_FALSE(caller.result_of(fault_of_writing(**stream, "pong")));
    }
}

TEST_CASE("a peer that does not read holds a write until its time is over", "[net]") {
    Rig rig;
    Peer peer(over_tls(rig.tls, [](TlsSocket& stream) {
        // what the client sends stays in the kernel until it has closed
        pollfd hang_up{stream.next_layer().native_handle(), POLLRDHUP, 0};
        ::poll(&hang_up, 1, 10'000);
    }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    (*stream)->allow({.within = 50ms});
    CHECK(caller.result_of(fault_of_writing(**stream, noise(30'000'000))) == net::errc::timed_out);
    (*stream)->close();
}

TEST_CASE("a peer that reads late gets all of a large write", "[net]") {
    Rig rig;
    const std::string up = noise(20'000'000);
    std::string came(up.size(), '\0');
    Peer peer(over_tls(rig.tls, [&](TlsSocket& stream) {
        asio::write(stream, asio::buffer("go", 2));
        asio::read(stream, asio::buffer(came));
        asio::write(stream, asio::buffer("ok", 2));
        drain(stream);
    }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    (*stream)->allow({.within = 5s, .bytes_per_second_min = 1000});
    const auto heard = caller.result_of(say_and_hear(**stream, up, 4));
    REQUIRE(heard);
    CHECK(*heard == "gook");
    CHECK(came == up);
}

TEST_CASE("silence ends when the step's time is over", "[net]") {
    Rig rig;
    Peer peer(over_tls(rig.tls, [](TlsSocket& stream) { drain(stream); }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    (*stream)->allow({.within = 30ms});
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::timed_out);
    (*stream)->allow({.within = 30ms});
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::timed_out);
}

TEST_CASE("a dribble below the least rate is too slow", "[net][hostile-9]") {
    Rig rig;
    Peer peer(over_tls(rig.tls, [](TlsSocket& stream) {
        pollfd hang_up{stream.next_layer().native_handle(), POLLRDHUP, 0};
        while (::poll(&hang_up, 1, 5) == 0) asio::write(stream, asio::buffer(".", 1));
    }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    (*stream)->allow({.within = 60ms, .bytes_per_second_min = 100'000});
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::too_slow);
    (*stream)->close();
}

TEST_CASE("close() from another coroutine ends a pending read with stopped", "[net]") {
    Rig rig;
    Peer peer(over_tls(rig.tls, [](TlsSocket& stream) { drain(stream); }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    asio::post(caller.context, [&] { (*stream)->close(); });
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::stopped);
    CHECK(caller.result_of(fault_of_reading(**stream)) == net::errc::stopped);
    CHECK(caller.result_of(fault_of_writing(**stream, "x")) == net::errc::stopped);
}

TEST_CASE("a cancelled read throws, whatever it waits for", "[net]") {
    Rig rig;
    Peer peer(over_tls(rig.tls, [](TlsSocket& stream) { drain(stream); }));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, rig.trusted));
    REQUIRE(stream);
    asio::cancellation_signal stop;
    std::exception_ptr thrown;
    bool ended = false;
    asio::co_spawn(caller.context, fault_of_reading(**stream),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr why, const error_code&) {
                       thrown = why;
                       ended = true;
                   }));
    caller.context.restart();
    caller.context.poll();
    REQUIRE_FALSE(ended);
    stop.emit(asio::cancellation_type::terminal);
    REQUIRE(caller.run_until([&] { return ended; }));
    REQUIRE(thrown);
    CHECK_THROWS_AS(std::rethrow_exception(thrown), boost::system::system_error);
}

TEST_CASE("the peer sees our close_notify", "[net]") {
    Rig rig;
    std::atomic<bool> in_order{false};
    {
        Peer peer(over_tls(rig.tls, [&](TlsSocket& stream) {
            boost::system::error_code ended;
            std::array<char, 16> ignored{};
            stream.read_some(asio::buffer(ignored), ended);
            in_order = ended == asio::error::eof;
        }));
        Caller caller;
        const auto stream = caller.dial(to_peer(peer, rig.trusted));
        REQUIRE(stream);
        (*stream)->close();
    }
    CHECK(in_order);
}

TEST_CASE("the second connection to a host resumes the first one's session", "[net][hostile-7]") {
    const bool old_tls = GENERATE(false, true);
    CAPTURE(old_tls);
    Rig rig;
    if (old_tls) SSL_CTX_set_max_proto_version(rig.tls->native_handle(), TLS1_2_VERSION);
    Peer peer(over_tls(rig.tls,
                       [](TlsSocket& stream) {
                           asio::write(stream, asio::buffer("hello", 5));
                           drain(stream);
                       }),
              "127.0.0.1", 0, 4);
    Caller caller;
    for (int i = 0; i < 3; ++i) {
        const auto stream = caller.dial(to_peer(peer, rig.trusted));
        REQUIRE(stream);
        REQUIRE(caller.result_of(take(**stream, 5)));
    }
    CHECK(rig.trusted.client->stats().handshakes == 3);
    CHECK(rig.trusted.client->stats().resumed == 2);
    auto elsewhere = to_peer(peer, rig.trusted, "localhost");  // a ticket is for one host name
    const auto stream = caller.dial(std::move(elsewhere));
    REQUIRE(stream);
    CHECK(rig.trusted.client->stats().resumed == 2);
}

TEST_CASE("a ticket serves nobody whose demands on TLS are others, nor another host or port", "[net][hostile-7]") {
    const bool old_tls = GENERATE(false, true);
    CAPTURE(old_tls);
    Rig rig;
    if (old_tls) SSL_CTX_set_max_proto_version(rig.tls->native_handle(), TLS1_2_VERSION);
    const auto talk = [](TlsSocket& stream) {
        asio::write(stream, asio::buffer("hello", 5));
        drain(stream);
    };
    Peer peer(over_tls(rig.tls, talk), "127.0.0.1", 0, 6);
    Peer other_port(over_tls(rig.tls, talk));
    Caller caller;
    const auto call = [&](const Peer& whom, const Trusted& trusted, const char* host) {
        const auto stream = caller.dial(to_peer(whom, trusted, host));
        if (!stream) return stream.error();
        CHECK(caller.result_of(take(**stream, 5)).has_value());
        return error_code();
    };
    REQUIRE_FALSE(call(peer, rig.trusted, "127.0.0.1"));
    REQUIRE_FALSE(call(peer, rig.trusted, "127.0.0.1"));
    REQUIRE(rig.trusted.client->stats().resumed == 1);
    // Who trusts other authorities is not let in by what was verified against ours.
    const Trusted others;
    CHECK(call(peer, others, "127.0.0.1"));
    CHECK(others.client->stats().resumed == 0);
    CHECK(others.client->stats().handshakes == 0);
    CHECK_FALSE(call(other_port, rig.trusted, "127.0.0.1"));
    CHECK(rig.trusted.client->stats().resumed == 1);
    CHECK_FALSE(call(peer, rig.trusted, "localhost"));
    CHECK(rig.trusted.client->stats().resumed == 1);
}

TEST_CASE("connections share equal certificates", "[net]") {
    const bool old_tls = GENERATE(false, true);
    CAPTURE(old_tls);
    Rig rig;
    if (old_tls) SSL_CTX_set_max_proto_version(rig.tls->native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_options(rig.tls->native_handle(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(rig.tls->native_handle(), 0);
    SSL_CTX_set_session_cache_mode(rig.tls->native_handle(), SSL_SESS_CACHE_OFF);
    Peer first(over_tls(rig.tls, [](TlsSocket& stream) { drain(stream); }));
    Peer second(over_tls(rig.tls, [](TlsSocket& stream) { drain(stream); }));
    Caller caller;
    const auto one = caller.dial(to_peer(first, rig.trusted));
    const auto other = caller.dial(to_peer(second, rig.trusted));
    REQUIRE(one);
    REQUIRE(other);
    CHECK(rig.trusted.client->stats().resumed == 0);
    CHECK(rig.trusted.client->stats().certificates == 1);
    CHECK(leaf_of(**one) == leaf_of(**other));
    const SSL* ssl = dynamic_cast<const net::SocketStream&>(**one).tls()->ssl();
    CHECK(SSL_get0_peer_certificate(ssl) == leaf_of(**one));
    CHECK(SSL_get0_verified_chain(ssl) == nullptr);
    CHECK(SSL_get_verify_result(ssl) == X509_V_OK);
}

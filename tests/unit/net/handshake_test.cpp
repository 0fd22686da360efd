// What may go wrong before the first byte of a dialogue.
#include "tests/unit/net/fixture.hpp"

using namespace net_test;
using namespace std::chrono_literals;

namespace {

void idle(TlsSocket& stream) { drain(stream); }

/// How dialling a server that shows `identity` ends.
error_code fault_with(const sim::Identity& identity, const Trusted& trusted, std::string host = "127.0.0.1") {
    Peer peer(over_tls(server_tls(identity), idle));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, trusted, std::move(host)));
    return stream ? error_code() : stream.error();
}

awaitable<error_code> upgrade(net::Stream& stream, const net::TlsClient& tls, std::string host) {
    const auto upgraded = co_await stream.start_tls(tls, std::move(host));
    co_return upgraded ? error_code() : upgraded.error();
}

}  // namespace

TEST_CASE("a certificate with a flaw is refused, and its flaw is named", "[net][hostile-6]") {
    Trusted trusted;
    using Wish = sim::CertificateWish;
    CHECK_FALSE(fault_with(trusted.authority.issue({}), trusted));
    CHECK_FALSE(fault_with(trusted.authority.issue({}), trusted, "localhost"));
    CHECK_FALSE(fault_with(trusted.authority.intermediate("below").issue({}), trusted));

    Wish expired;
    expired.valid_from = -48h;
    expired.valid_to = -24h;
    CHECK(fault_with(trusted.authority.issue(expired), trusted) == net::errc::certificate_expired);
    Wish early;
    early.valid_from = 24h;
    CHECK(fault_with(trusted.authority.issue(early), trusted) == net::errc::certificate_not_yet_valid);
    Wish own;
    own.flaw = Wish::Flaw::self_signed;
    CHECK(fault_with(trusted.authority.issue(own), trusted) == net::errc::certificate_self_signed);
    Wish forged;
    forged.flaw = Wish::Flaw::bad_signature;
    CHECK(fault_with(trusted.authority.issue(forged), trusted) == net::errc::certificate_bad);
    Wish client;
    client.flaw = Wish::Flaw::client_purpose;
    CHECK(fault_with(trusted.authority.issue(client), trusted) == net::errc::certificate_bad);
    CHECK(fault_with(sim::Authority("elsewhere").issue({}), trusted) == net::errc::certificate_unknown_ca);
    CHECK(fault_with(sim::Authority("elsewhere").intermediate("below").issue({}), trusted) ==
          net::errc::certificate_unknown_ca);
}

TEST_CASE("a certificate for another name is refused, also with a NUL, a partial wildcard or only a common name",
          "[net][hostile-6]") {
    Trusted trusted;
    using Names = std::vector<std::string>;
    for (const Names& names : {Names{"mail.example"}, Names{"l*"}, Names{"localhost.mail.example"}}) {
        CAPTURE(names.front());
        sim::CertificateWish wish;
        wish.dns_names = names;
        wish.addresses.clear();
        CHECK(fault_with(trusted.authority.issue(wish), trusted, "localhost") == net::errc::certificate_wrong_host);
        CHECK(fault_with(trusted.authority.issue(wish), trusted) == net::errc::certificate_wrong_host);
    }
    sim::CertificateWish nul;
    nul.common_name = std::string("localhost\0.mail.example", 23);
    nul.dns_names = {"mail.example"};
    CHECK(fault_with(trusted.authority.issue(nul), trusted, "localhost") == net::errc::certificate_wrong_host);
}

TEST_CASE("a server that only speaks TLS 1.1 is too old", "[net][hostile-6]") {
    Trusted trusted;
    const auto tls = server_tls(trusted.authority.issue({}));
    SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(tls->native_handle(), TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(tls->native_handle(), "ALL:@SECLEVEL=0");
    Peer peer(over_tls(tls, idle));
    Caller caller;
    const auto stream = caller.dial(to_peer(peer, trusted));
    CHECK(stream.error() == net::errc::tls_too_old);
}

TEST_CASE("a server that answers the hello with words fails the handshake", "[net][hostile-2][hostile-5]") {
    Trusted trusted;
    Peer peer([](tcp::socket socket) {
        asio::write(socket, asio::buffer("220 mail.example ready\r\n", 24));
        drain(socket);
    });
    Caller caller;
    // before our hello (an answer to nothing) or after it (no TLS): both are refused
    const auto stream = caller.dial(to_peer(peer, trusted));
    REQUIRE_FALSE(stream);
    CHECK((stream.error() == net::errc::tls_handshake_failed || stream.error() == net::errc::bytes_before_tls));
}

TEST_CASE("a handshake that stalls or is cut off ends", "[net][hostile-9]") {
    Trusted trusted;
    Caller caller;
    {
        Peer peer([](tcp::socket socket) { drain(socket); });
        auto to = to_peer(peer, trusted);
        to.within = 50ms;
        CHECK(caller.dial(std::move(to)).error() == net::errc::timed_out);
    }
    {
        Peer peer([](tcp::socket socket) {
            std::array<char, 16> hello{};
            asio::read(socket, asio::buffer(hello));
            socket.shutdown(tcp::socket::shutdown_send);
            drain(socket);
        });
        CHECK(caller.dial(to_peer(peer, trusted)).error() == net::errc::truncated);
    }
}

TEST_CASE("a plain connection becomes encrypted", "[net]") {
    Trusted trusted;
    const auto tls = server_tls(trusted.authority.issue({}));
    Peer peer([tls](tcp::socket socket) {
        asio::write(socket, asio::buffer("* OK hi\r\n", 9));
        std::array<char, 4> command{};
        asio::read(socket, asio::buffer(command));
        asio::write(socket, asio::buffer("a OK\r\n", 6));
        over_tls(tls, [](TlsSocket& stream) {
            asio::write(stream, asio::buffer("secret", 6));
            drain(stream);
        })(std::move(socket));
    });
    Caller caller;
    const auto stream = caller.dial(to_plain(peer.port()));
    REQUIRE(stream);
    CHECK_FALSE((*stream)->encrypted());
    CHECK(caller.result_of(take(**stream, 9)).value() == "* OK hi\r\n");
    REQUIRE(caller.result_of((*stream)->write("a T\n")));
    CHECK(caller.result_of(take(**stream, 6)).value() == "a OK\r\n");
    CHECK_FALSE(caller.result_of(upgrade(**stream, *trusted.client, "localhost")));
    CHECK((*stream)->encrypted());
    CHECK(caller.result_of(take(**stream, 6)).value() == "secret");
}

TEST_CASE("bytes before the handshake of STARTTLS are an attack, received or not", "[net][hostile-1]") {
    const bool received = GENERATE(true, false);
    CAPTURE(received);
    Trusted trusted;
    std::atomic<bool> sent{false};
    std::atomic<bool> hello_seen{false};
    Peer peer([&](tcp::socket socket) {
        asio::write(socket, asio::buffer("a OK\r\n* CAPABILITY IMAP4rev1\r\n", 31));
        sent = true;
        std::array<char, 1> hello{};
        boost::system::error_code ended;
        socket.read_some(asio::buffer(hello), ended);
        hello_seen = !ended;
    });
    Caller caller;
    {
        const auto stream = caller.dial(to_plain(peer.port()));
        REQUIRE(stream);
        if (received) {
            REQUIRE(caller.result_of(take(**stream, 6)));
        } else {
            REQUIRE(caller.run_until([&] { return sent.load(); }));
        }
        CHECK(caller.result_of(upgrade(**stream, *trusted.client, "localhost")) == net::errc::bytes_before_tls);
        CHECK_FALSE((*stream)->encrypted());
    }
    CHECK_FALSE(hello_seen);
}

TEST_CASE("a file without certificates is no file of authorities", "[net]") {
    support::TemporaryDirectory directory;
    const auto file = directory / "empty.pem";
    sim::write_private_file(file, "nothing here\n");
    for (const auto& name : {file.string(), (directory / "missing.pem").string()}) {
        net::TlsClient::Trust trust{.ca_file = name};
        CHECK(net::TlsClient::make(trust).error() == net::errc::ca_file_unreadable);
    }
    net::TlsClient::Trust system;
    CHECK(net::TlsClient::make(system).has_value());
}

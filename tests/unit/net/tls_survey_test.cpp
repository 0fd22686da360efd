// What a server shows of itself, whether it is trusted or not.
#include "protocols/net/tls_survey.hpp"

#include "tests/unit/net/fixture.hpp"

using namespace net_test;
using namespace std::chrono_literals;

namespace {

/// The survey of whoever answers at the peer.
Result<net::TlsSurvey> survey_of(const Peer& peer, const std::string& ca_file, std::string host = "127.0.0.1") {
    Caller caller;
    auto stream = caller.dial(to_plain(peer.port()));
    REQUIRE(stream.has_value());
    (*stream)->allow({.within = 10s, .bytes_per_second_min = 0});
    return caller.result_of(net::survey_tls(**stream, std::move(host), ca_file));
}

net::TlsSurvey survey_of(const sim::Identity& identity, const Trusted& trusted, std::string host = "127.0.0.1") {
    Peer peer(over_tls(server_tls(identity), [](TlsSocket& stream) { drain(stream); }));
    auto survey = survey_of(peer, (trusted.directory / "ca.pem").string(), std::move(host));
    REQUIRE(survey.has_value());
    return std::move(*survey);
}

using Flaws = std::vector<net::errc>;

}  // namespace

TEST_CASE("a survey shows version, names, issuer and time of a certificate", "[net]") {
    Trusted trusted;
    const auto survey = survey_of(trusted.authority.issue({}), trusted);
    CHECK(survey.flaws.empty());
    CHECK(survey.version == "TLSv1.3");
    CHECK(survey.subject.find("localhost") != std::string::npos);
    CHECK(survey.issuer.find("rig") != std::string::npos);
    CHECK(survey.names == std::vector<std::string>{"localhost", "127.0.0.1", "::1"});
    const auto now = std::chrono::system_clock::now();
    CHECK(survey.not_before < now);
    CHECK(survey.not_after > now + 24h * 29);
}

TEST_CASE("a survey goes on whatever is wrong, and names each flaw once", "[net]") {
    Trusted trusted;
    using Wish = sim::CertificateWish;
    Wish expired;
    expired.valid_from = -48h;
    expired.valid_to = -24h;
    CHECK(survey_of(trusted.authority.issue(expired), trusted).flaws == Flaws{net::errc::certificate_expired});
    Wish early;
    early.valid_from = 24h;
    CHECK(survey_of(trusted.authority.issue(early), trusted).flaws == Flaws{net::errc::certificate_not_yet_valid});
    Wish own;
    own.flaw = Wish::Flaw::self_signed;
    CHECK(survey_of(trusted.authority.issue(own), trusted).flaws == Flaws{net::errc::certificate_self_signed});
    CHECK(survey_of(trusted.authority.issue({}), trusted, "mail.example").flaws ==
          Flaws{net::errc::certificate_wrong_host});
    const auto foreign = survey_of(sim::Authority("elsewhere").issue({}), trusted);
    CHECK(foreign.flaws == Flaws{net::errc::certificate_unknown_ca});
    CHECK(foreign.issuer.find("elsewhere") != std::string::npos);
    Wish both;
    both.dns_names = {"other.example"};
    const auto twice = survey_of(sim::Authority("elsewhere").issue(both), trusted, "localhost");
    CHECK(twice.flaws.size() == 2);
}

TEST_CASE("a survey sees TLS that is too old", "[net]") {
    Trusted trusted;
    auto tls = server_tls(trusted.authority.issue({}));
    SSL_CTX_set_security_level(tls->native_handle(), 0);
    SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(tls->native_handle(), TLS1_1_VERSION);
    Peer peer(over_tls(tls, [](TlsSocket& stream) { drain(stream); }));
    const auto survey = survey_of(peer, (trusted.directory / "ca.pem").string());
    if (survey) {
        CHECK(survey->version == "TLSv1.1");
        CHECK(survey->flaws == Flaws{net::errc::tls_too_old});
    } else {  // where the system's OpenSSL has none of it
        CHECK(survey.error() == net::errc::tls_too_old);
    }
}

TEST_CASE("a survey of somebody who speaks no TLS, says nothing, or hangs up ends", "[net]") {
    Trusted trusted;
    const auto ca = (trusted.directory / "ca.pem").string();
    Peer clear([](tcp::socket socket) {
        boost::asio::write(socket, boost::asio::buffer(std::string("* OK hello, this is in the clear\r\n")));
        drain(socket);
    });
    CHECK(survey_of(clear, ca).error() == net::errc::tls_handshake_failed);
    Peer gone([](tcp::socket socket) { socket.close(); });
    CHECK(survey_of(gone, ca).has_error());
    Peer silent([](tcp::socket socket) { drain(socket); });
    Caller caller;
    auto stream = caller.dial(to_plain(silent.port()));
    REQUIRE(stream.has_value());
    (*stream)->allow({.within = 100ms, .bytes_per_second_min = 0});
    CHECK(caller.result_of(net::survey_tls(**stream, "127.0.0.1", ca)).error() == net::errc::timed_out);
    CHECK(survey_of(silent, "/no/such/file").error() == net::errc::ca_file_unreadable);
}

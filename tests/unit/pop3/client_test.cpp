#include <catch2/catch.hpp>

#include "protocols/net/errc.hpp"
#include "protocols/net/tls.hpp"
#include "protocols/pop3/client.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_stream.hpp"

using pop3::Client;
using support::ScriptedStream;
using Turn = ScriptedStream::Turn;
using Who = Turn::Who;

namespace {

struct Rig {
    explicit Rig(std::vector<Turn> turns, ScriptedStream::Start start = ScriptedStream::Start::encrypted,
                 pop3::Limits limits = {})
        : stream(std::move(turns), 1U << 20U, start), client(stream, limits, pop3::Paces{}) {}
    ScriptedStream stream;
    Client client;
};

Turn says(std::string bytes) { return {Who::server, std::move(bytes)}; }
Turn hears(std::string bytes) { return {Who::client, std::move(bytes)}; }

std::vector<Turn> behind(std::initializer_list<Turn> first, std::vector<Turn> rest) {
    std::vector<Turn> all(first);
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
}

Turn capa(const std::string& words) { return says("+OK\r\n" + words + ".\r\n"); }

pop3::Login login_of(pop3::Mechanism mechanism, std::string user = "user", std::string secret = "secret") {
    return {mechanism, std::move(user), Secret(std::move(secret)), "pop.example.com", 995};
}

}  // namespace

TEST_CASE("pop3 client: what is no greeting is none", "[pop3]") {
    for (const char* first : {"* OK IMAP4rev1\r\n", "220 smtp\r\n", "HTTP/1.1 200 OK\r\n", "+\r\n", "+OK\n", "\r\n"}) {
        CAPTURE(first);
        Rig rig({says(first)});
        const auto greeting = support::run_coroutine(rig.client.greet());
        REQUIRE(greeting.has_error());
        CHECK(greeting.error() == pop3::errc::malformed_greeting);
    }
}

TEST_CASE("pop3 client: no secret goes in the clear", "[pop3]") {
    using pop3::Mechanism;
    for (const auto mechanism : {Mechanism::xoauth2, Mechanism::oauthbearer, Mechanism::plain, Mechanism::user_pass}) {
        Rig rig({hears("CAPA\r\n"), capa("USER\r\nSASL PLAIN XOAUTH2 OAUTHBEARER\r\n")}, ScriptedStream::Start::plain);
        REQUIRE(support::run_coroutine(rig.client.learn_capabilities()).has_value());
        const auto answer = support::run_coroutine(rig.client.log_in(login_of(mechanism)));
        REQUIRE(answer.has_error());
        CHECK(answer.error() == pop3::errc::tls_required);
        CHECK(rig.stream.written() == "CAPA\r\n");
    }
}

TEST_CASE("pop3 client: never another mechanism than asked for", "[pop3]") {
    using pop3::Mechanism;
    struct Row {
        Mechanism mechanism;
        const char* offered;
    };
    const Row rows[] = {{Mechanism::xoauth2, "USER\r\nSASL PLAIN OAUTHBEARER\r\n"},
                        {Mechanism::oauthbearer, "USER\r\nSASL PLAIN XOAUTH2\r\n"},
                        {Mechanism::plain, "USER\r\nSASL XOAUTH2\r\n"},
                        {Mechanism::user_pass, "SASL PLAIN\r\n"}};
    for (const Row& row : rows) {
        Rig rig({hears("CAPA\r\n"), capa(row.offered)});
        REQUIRE(support::run_coroutine(rig.client.learn_capabilities()).has_value());
        const auto answer = support::run_coroutine(rig.client.log_in(login_of(row.mechanism)));
        REQUIRE(answer.has_error());
        CHECK(answer.error() == pop3::errc::mechanism_not_offered);
    }
}

TEST_CASE("pop3 client: a user or secret cannot begin a command of its own", "[pop3]") {
    using pop3::Mechanism;
    for (const auto& [user, secret] : std::vector<std::pair<std::string, std::string>>{
             {"a\r\nDELE 1", "x"}, {"a", "x\r\nDELE 1"}, {"", "x"}, {"a", ""}, {std::string("a\0b", 3), "x"}}) {
        for (const auto mechanism : {Mechanism::plain, Mechanism::user_pass, Mechanism::xoauth2}) {
            Rig rig({hears("CAPA\r\n"), capa("USER\r\nSASL PLAIN XOAUTH2\r\n")});
            REQUIRE(support::run_coroutine(rig.client.learn_capabilities()).has_value());
            const auto answer = support::run_coroutine(rig.client.log_in(login_of(mechanism, user, secret)));
            REQUIRE(answer.has_error());
            CHECK(answer.error() == pop3::errc::bad_argument);
        }
    }
}

TEST_CASE("pop3 client: what comes in the clear behind STLS is never the server's word", "[pop3]") {
    const auto tls = net::TlsClient::make({});
    Rig rig({hears("CAPA\r\n"), capa("STLS\r\n"), hears("STLS\r\n"), says("+OK\r\n+OK injected\r\n")},
            ScriptedStream::Start::plain);
    REQUIRE(support::run_coroutine(rig.client.learn_capabilities()).has_value());
    const auto secured = support::run_coroutine(rig.client.start_tls(**tls, "pop.example.com"));
    REQUIRE(secured.has_error());
    CHECK(secured.error() == net::errc::bytes_before_tls);
    CHECK_FALSE(rig.client.capabilities().known);

    Rig refusing({hears("CAPA\r\n"), capa("STLS\r\n"), hears("STLS\r\n"), says("-ERR not now\r\n")},
                 ScriptedStream::Start::plain);
    REQUIRE(support::run_coroutine(refusing.client.learn_capabilities()).has_value());
    const auto refused = support::run_coroutine(refusing.client.start_tls(**tls, "pop.example.com"));
    REQUIRE(refused.has_value());
    CHECK_FALSE(refused->ok());
    CHECK_FALSE(refusing.stream.encrypted());

    Rig without({hears("CAPA\r\n"), capa("TOP\r\n")}, ScriptedStream::Start::plain);
    REQUIRE(support::run_coroutine(without.client.learn_capabilities()).has_value());
    const auto impossible = support::run_coroutine(without.client.start_tls(**tls, "pop.example.com"));
    REQUIRE(impossible.has_error());
    CHECK(impossible.error() == pop3::errc::tls_not_offered);

    Rig again({hears("CAPA\r\n"), capa("STLS\r\n")});  // under TLS it is nothing that can be offered
    REQUIRE(support::run_coroutine(again.client.learn_capabilities()).has_value());
    const auto twice = support::run_coroutine(again.client.start_tls(**tls, "pop.example.com"));
    REQUIRE(twice.has_error());
    CHECK(twice.error() == pop3::errc::tls_not_offered);
    CHECK(again.stream.finished());
}

TEST_CASE("pop3 client: success where none can be is none", "[pop3]") {
    struct Row {
        const char* what;
        std::vector<Turn> turns;
    };
    const std::vector<Turn> hello = {hears("CAPA\r\n"), capa("SASL XOAUTH2 PLAIN\r\n")};
    const std::vector<std::vector<Turn>> rows = {
        {hears("AUTH XOAUTH2\r\n"), says("+OK without a token\r\n")},
        {hears("AUTH XOAUTH2\r\n"), says("+ \r\n"), hears("dXNlcj11c2VyAWF1dGg9QmVhcmVyIHNlY3JldAEB\r\n"),
         says("+ e30=\r\n"), hears("\r\n"), says("+OK after all\r\n")},
        {hears("AUTH XOAUTH2\r\n"), says("+ \r\n"), hears("dXNlcj11c2VyAWF1dGg9QmVhcmVyIHNlY3JldAEB\r\n"),
         says("+ e30=\r\n"), hears("\r\n"), says("+ e30=\r\n")},
    };
    for (const auto& turns : rows) {
        Rig rig(behind({hello[0], hello[1]}, turns));
        REQUIRE(support::run_coroutine(rig.client.learn_capabilities()).has_value());
        const auto answer = support::run_coroutine(rig.client.log_in(login_of(pop3::Mechanism::xoauth2)));
        CHECK(answer.has_error());
        CHECK(rig.stream.finished());
    }
}

TEST_CASE("pop3 client: a listing that does not hold together is refused", "[pop3][hostile-39]") {
    for (const char* lines :
         {"1 10\r\n1 20\r\n", "2 10\r\n1 20\r\n", "0 10\r\n", "1\r\n", "eins 10\r\n", "1 \xff\r\n"}) {
        CAPTURE(lines);
        Rig sizes({hears("LIST\r\n"), capa(lines)});
        const auto listed = support::run_coroutine(sizes.client.list());
        REQUIRE(listed.has_error());
        CHECK(listed.error() == pop3::errc::malformed_listing);
        Rig names({hears("UIDL\r\n"), capa(lines)});
        const auto identified = support::run_coroutine(names.client.uidl());
        if (std::string_view(lines).starts_with("eins") ||
            std::string_view(lines).find("10") == std::string_view::npos || std::string_view(lines).starts_with("0") ||
            std::string_view(lines).find("20") != std::string_view::npos)
            CHECK(identified.has_error());
    }
    pop3::Limits limits;
    limits.listing_lines_max = 2;
    Rig endless({hears("UIDL\r\n"), capa("1 a\r\n2 b\r\n3 c\r\n")}, ScriptedStream::Start::encrypted, limits);
    const auto listed = support::run_coroutine(endless.client.uidl());
    REQUIRE(listed.has_error());
    CHECK(listed.error() == pop3::errc::too_many_lines);
}

TEST_CASE("pop3 client: commands are pipelined only where that is announced, and only so many", "[pop3]") {
    std::vector<pop3::ListEntry> wanted;
    for (pop3::Number number = 1; number <= 100; ++number) wanted.push_back({number, 5});
    for (const bool announced : {false, true}) {
        CAPTURE(announced);
        std::vector<Turn> turns = {hears("CAPA\r\n"), capa(announced ? "PIPELINING\r\n" : "TOP\r\n")};
        std::size_t sent = 0;
        for (std::size_t read = 0; read < wanted.size(); ++read) {
            const std::size_t window = announced ? 32 : 1;
            if (sent == read || sent - read <= window / 2) {
                for (; sent < wanted.size() && sent - read < window; ++sent)
                    turns.push_back(hears("RETR " + std::to_string(sent + 1) + "\r\n"));
            }
            turns.push_back(says("+OK\r\na" + std::to_string(read + 1) + "\r\n.\r\n"));
        }
        Rig rig(std::move(turns));
        support::CollectingSink sink;
        sink.sizes_are_hints = true;
        REQUIRE(support::run_coroutine(rig.client.learn_capabilities()).has_value());
        const auto fetched = support::run_coroutine(rig.client.fetch(wanted, Client::Part::whole, sink));
        REQUIRE(fetched.has_value());
        CHECK(fetched->empty());
        CHECK(rig.stream.finished());
        CHECK(rig.stream.surprise().empty());
        CHECK(sink.bodies.size() == 100);
        CHECK(sink.bodies.at(100) == "a100\r\n");
        CHECK(sink.violations.empty());
    }
}

TEST_CASE("pop3 client: DELE is pipelined, each answer counts", "[pop3]") {
    Rig rig({hears("CAPA\r\n"), capa("PIPELINING\r\n"), hears("DELE 1\r\nDELE 2\r\nDELE 3\r\n"),
             says("+OK\r\n-ERR gone\r\n+OK\r\n"), hears("QUIT\r\n"), says("+OK bye\r\n")});
    REQUIRE(support::run_coroutine(rig.client.learn_capabilities()).has_value());
    std::vector<pop3::Number> numbers = {1, 2, 3};
    const auto refused = support::run_coroutine(rig.client.remove(std::move(numbers)));
    REQUIRE(refused.has_value());
    REQUIRE(refused->size() == 1);
    CHECK(refused->front().number == 2);
    const auto left = support::run_coroutine(rig.client.quit());
    REQUIRE(left.has_value());
    CHECK(left->text == "bye");
}

TEST_CASE("pop3 client: a full sink is waited for, and one that fails ends the dialogue", "[pop3]") {
    support::CollectingSink sink;
    sink.sizes_are_hints = true;
    sink.answer = support::CollectingSink::Flow::wait;
    std::vector<pop3::ListEntry> wanted = {{1, 3}, {2, 3}};
    Rig rig({hears("RETR 1\r\n"), says("+OK\r\na\r\nb\r\n.\r\n"), hears("RETR 2\r\n"), says("+OK\r\n.\r\n")});
    const auto fetched = support::run_coroutine(rig.client.fetch(wanted, Client::Part::whole, sink));
    REQUIRE(fetched.has_value());
    CHECK(sink.rooms >= 3);
    CHECK(sink.bodies.size() == 2);

    support::CollectingSink full;
    full.sizes_are_hints = true;
    full.answer = support::CollectingSink::Flow::wait;
    full.no_room = net::errc::stopped;
    Rig ending({hears("RETR 1\r\n"), says("+OK\r\na\r\nb\r\n.\r\n")});
    const auto failed = support::run_coroutine(ending.client.fetch(wanted, Client::Part::whole, full));
    REQUIRE(failed.has_error());
    CHECK(full.broken == 1);
}

TEST_CASE("pop3 client: a message beyond all limits ends the dialogue and is named", "[pop3]") {
    pop3::Limits limits;
    limits.body_bytes_max = 10;
    Rig rig({hears("RETR 7\r\n"), says("+OK\r\n0123456789ab\r\n.\r\n")}, ScriptedStream::Start::encrypted, limits);
    support::CollectingSink sink;
    sink.sizes_are_hints = true;
    std::vector<pop3::ListEntry> wanted = {{7, 3}};
    const auto fetched = support::run_coroutine(rig.client.fetch(wanted, Client::Part::whole, sink));
    REQUIRE(fetched.has_error());
    CHECK(fetched.error() == pop3::errc::body_too_long);
    CHECK(rig.client.unfinished() == 7U);
    CHECK(sink.broken == 1);
    CHECK(sink.bodies.empty());
}

TEST_CASE("pop3 client: STAT, NOOP, RSET", "[pop3]") {
    Rig rig({hears("STAT\r\n"), says("+OK 2 320\r\n"), hears("NOOP\r\n"), says("+OK\r\n"), hears("RSET\r\n"),
             says("-ERR no\r\n"), hears("STAT\r\n"), says("+OK two\r\n")});
    const auto stat = support::run_coroutine(rig.client.stat());
    REQUIRE(stat.has_value());
    CHECK(stat->counted.messages == 2);
    CHECK(stat->counted.bytes == 320);
    CHECK(support::run_coroutine(rig.client.noop())->ok());
    CHECK_FALSE(support::run_coroutine(rig.client.reset())->ok());
    CHECK(support::run_coroutine(rig.client.stat()).has_error());
}

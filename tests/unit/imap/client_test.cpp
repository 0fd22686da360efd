#include <catch2/catch.hpp>
#include <functional>

#include "protocols/imap/client.hpp"
#include "protocols/net/errc.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_stream.hpp"

using imap::Client;
using support::CollectingSink;
using support::run_coroutine;
using support::ScriptedStream;
using Turn = support::ScriptedStream::Turn;
using Who = Turn::Who;

namespace {

Turn server(std::string bytes) { return {Who::server, std::move(bytes)}; }
Turn client_says(std::string bytes) { return {Who::client, std::move(bytes)}; }

const std::string greeting = "* OK [CAPABILITY IMAP4rev1 IDLE AUTH=XOAUTH2 SASL-IR] ready\r\n";

/// A client on a script, greeted already when the script begins with the greeting.
struct Scripted {
    explicit Scripted(std::vector<Turn> turns, imap::Limits limits = {})
        : stream(std::move(turns)), client(stream, limits, {}) {}

    error_code greet() {
        const auto greeted = run_coroutine(client.greet());
        return greeted ? error_code() : greeted.error();
    }

    ScriptedStream stream;
    Client client;
};

imap::UidSet uids(imap::UidRange range) {
    imap::UidSet set;
    set.add(range);
    return set;
}

std::string fetch_command(const std::string& tag, const std::string& set) {
    return tag + " UID FETCH " + set + " (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n";
}

constexpr std::chrono::minutes nine{9};

/// Runs idle() and, when the client waits in the silence of the script, wakes it.
Result<Client::Woken> idle_and_wake(Scripted& scripted) {
    asio::io_context context(1);
    std::optional<Result<Client::Woken>> woken;
    asio::co_spawn(context, scripted.client.idle(nine),
                   [&](std::exception_ptr, Result<Client::Woken> result) { woken = std::move(result); });
    while (!woken && !scripted.stream.in_silence() && context.run_one() > 0) {
    }
    REQUIRE(scripted.stream.in_silence());
    scripted.client.wake_idle();
    context.run();
    REQUIRE(woken);
    return *woken;
}

}  // namespace

TEST_CASE("imap client: PREAUTH is refused and nothing is sent", "[imap][hostile-3]") {
    Scripted scripted({server("* PREAUTH welcome back\r\n")});
    CHECK(scripted.greet() == imap::errc::preauth_refused);
    CHECK(scripted.stream.written().empty());
}

TEST_CASE("imap client: anything but a greeting first ends it, and nothing is sent", "[imap][hostile-4][hostile-34]") {
    for (const char* first :
         {"+ please authenticate\r\n", "R1 OK hello\r\n", "220 mail.example ESMTP\r\n", "* ID (\"name\" \"x\")\r\n",
          "* CAPABILITY IMAP4rev1\r\n", "* NO not today\r\n", "* 1 EXISTS\r\n", "* SEARCH 1\r\n", "\r\n",
          "* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\n", "* ID ({99999999999}\r\n", "* 1 FETCH ((\r\n"}) {
        CAPTURE(first);
        Scripted scripted({server(first), server("* OK hello\r\n")});
        CHECK(scripted.greet() == imap::errc::malformed_greeting);
        CHECK(scripted.stream.written().empty());
    }
    Scripted endless({server(std::string(200'000, 'x'))});
    CHECK(endless.greet() == imap::errc::malformed_greeting);
}

TEST_CASE("imap client: a BYE instead of a greeting keeps its words", "[imap]") {
    Scripted scripted({server("* BYE [UNAVAILABLE] overloaded\r\n")});
    CHECK(scripted.greet() == imap::errc::bye);
    CHECK(scripted.client.bye() == "[UNAVAILABLE] overloaded");
    CHECK(imap::hint_of(scripted.client.bye()).kind == imap::Hint::Kind::unavailable);
}

TEST_CASE("imap client: an OAuth login never falls back to a password mechanism", "[imap]") {
    for (const imap::Mechanism wanted : {imap::Mechanism::xoauth2, imap::Mechanism::oauthbearer}) {
        Scripted scripted({server("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN SASL-IR] ready\r\n")});
        REQUIRE_FALSE(scripted.greet());
        imap::Login login{wanted, "user", Secret("token"), "host", 993};
        CHECK(run_coroutine(scripted.client.log_in(std::move(login))).error() == imap::errc::mechanism_not_offered);
        CHECK(scripted.stream.written().empty());
    }
}

TEST_CASE("imap client: what cannot be sent is refused before anything is written", "[imap]") {
    Scripted scripted({server(greeting)});
    REQUIRE_FALSE(scripted.greet());
    imap::Login login{imap::Mechanism::xoauth2, "user\x01", Secret("token"), "host", 993};
    CHECK(run_coroutine(scripted.client.log_in(std::move(login))).error() == imap::errc::bad_argument);
    CHECK(run_coroutine(scripted.client.search("ALL\r\nR9 LOGOUT")).error() == imap::errc::bad_argument);
    CHECK(scripted.stream.written().empty());
}

TEST_CASE("imap client: a second challenge is no reason to go on", "[imap]") {
    Scripted scripted({server(greeting), client_says("R1 AUTHENTICATE XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==\r\n"),
                       server("+ e30=\r\n"), client_says("\r\n"), server("+ e30=\r\n")});
    REQUIRE_FALSE(scripted.greet());
    imap::Login login{imap::Mechanism::xoauth2, "u", Secret("t"), "", 0};
    CHECK(run_coroutine(scripted.client.log_in(std::move(login))).error() == imap::errc::unexpected_continuation);
    CHECK(scripted.stream.surprise().empty());
}

TEST_CASE("imap client: a foreign tag ends the connection, also within a fetch", "[imap][hostile-31]") {
    for (const char* tag : {"R2", "R0", "r1", "A1"}) {
        CAPTURE(tag);
        Scripted noop({server(greeting), client_says("R1 NOOP\r\n"), server(std::string(tag) + " OK done\r\n")});
        REQUIRE_FALSE(noop.greet());
        CHECK(run_coroutine(noop.client.noop()).error() == imap::errc::foreign_tag);

        Scripted fetch(
            {server(greeting), client_says(fetch_command("R1", "5")), server(std::string(tag) + " OK done\r\n")});
        REQUIRE_FALSE(fetch.greet());
        CollectingSink sink;
        const Client::FetchPlan plan;
        CHECK(run_coroutine(fetch.client.fetch(uids({5, 5}), plan, sink)).error() == imap::errc::foreign_tag);
    }
}

TEST_CASE("imap client: a flood of untagged responses ends at its limit", "[imap][hostile-31]") {
    imap::Limits limits;
    limits.untagged_per_command_max = 1000;
    for (const char* drop : {"* 1 EXISTS\r\n", "* 1 FETCH (FLAGS ())\r\n", "* OK still here\r\n", "+ more\r\n", "x\r\n",
                             "* SEARCH\r\n", "* 9 FETCH (UID 9 BODY[] {1}\r\nx)\r\n", "* LIST () NIL a\r\n",
                             "* 1 FETCH (UID 5 FLAGS ())\r\n", "* 1 FETCH (UID 5 BODY[] NIL)\r\n"}) {
        CAPTURE(drop);
        std::string flood;
        for (int count = 0; count < 2000; ++count) flood += drop;
        Scripted noop({server(greeting), client_says("R1 NOOP\r\n"), server(flood)}, limits);
        REQUIRE_FALSE(noop.greet());
        CHECK(run_coroutine(noop.client.noop()).error() == imap::errc::too_many_responses);

        Scripted fetch({server(greeting), client_says(fetch_command("R1", "5")), server(flood)}, limits);
        REQUIRE_FALSE(fetch.greet());
        CollectingSink sink;
        const Client::FetchPlan plan;
        CHECK(run_coroutine(fetch.client.fetch(uids({5, 5}), plan, sink)).error() == imap::errc::too_many_responses);
        CHECK(sink.bodies.empty());
    }
}

TEST_CASE("imap client: what LIST may bring is bounded", "[imap]") {
    imap::Limits limits;
    limits.list_entries_max = 3;
    std::string entries;
    for (int count = 0; count < 4; ++count) entries += "* LIST () \"/\" box" + std::to_string(count) + "\r\n";
    Scripted many({server(greeting), client_says("R1 LIST \"\" \"*\"\r\n"), server(entries)}, limits);
    REQUIRE_FALSE(many.greet());
    CHECK(run_coroutine(many.client.list("*")).error() == imap::errc::too_many_responses);

    limits.list_entries_max = 100;
    limits.list_bytes_max = 40;
    Scripted large({server(greeting), client_says("R1 LIST \"\" \"*\"\r\n"), server(entries)}, limits);
    REQUIRE_FALSE(large.greet());
    CHECK(run_coroutine(large.client.list("*")).error() == imap::errc::too_many_responses);
}

TEST_CASE("imap client: an oversized body ends the connection and names its message", "[imap][hostile-29]") {
    for (const char* size : {"{4294967295}", "{9999999999}", "{99999999999999999999}"}) {
        Scripted scripted(
            {server(greeting), client_says(fetch_command("R1", "5:6")),
             server("* 1 FETCH (UID 5 BODY[] {1}\r\nx)\r\n* 2 FETCH (UID 6 BODY[] " + std::string(size) + "\r\n")});
        REQUIRE_FALSE(scripted.greet());
        CHECK_FALSE(scripted.client.unfinished());
        CollectingSink sink;
        const Client::FetchPlan plan;
        CHECK(run_coroutine(scripted.client.fetch(uids({5, 6}), plan, sink)).error() == imap::errc::literal_too_long);
        CHECK(sink.bodies.size() == 1);
        CHECK(sink.broken == 0);
        REQUIRE(scripted.client.unfinished());
        CHECK(scripted.client.unfinished()->uid == 6);
    }
}

TEST_CASE("imap client: silence after an announced body tells the sink that it broke", "[imap][hostile-29]") {
    Scripted scripted({server(greeting),
                       client_says(fetch_command("R1", "5")),
                       server("* 1 FETCH (UID 5 BODY[] {100000000}\r\nsome"),
                       {Who::time}});
    REQUIRE_FALSE(scripted.greet());
    CollectingSink sink;
    const Client::FetchPlan plan;
    CHECK(run_coroutine(scripted.client.fetch(uids({5, 5}), plan, sink)).error() == net::errc::timed_out);
    CHECK(sink.broken == 1);
    CHECK(sink.violations.empty());
    CHECK(scripted.client.unfinished()->uid == 5);
}

TEST_CASE("imap client: codes and numbers beyond reason are ignored", "[imap][hostile-30]") {
    Scripted scripted({server(greeting), client_says("R1 NOOP\r\n"),
                       server("* OK [APPENDUID 1 1:4294967295] x\r\n* VANISHED 1:4294967295\r\n"
                              "[COPYUID 1 1:4294967295 1:4294967295]\r\n* 99999999999999 EXISTS\r\n"
                              "* OK [UIDNEXT 99999999999999] x\r\n* 3 EXISTS\r\n* 1 EXPUNGE\r\n"
                              "R1 OK [COPYUID 1 1:4294967295 1:4294967295] done\r\n")});
    REQUIRE_FALSE(scripted.greet());
    CHECK(run_coroutine(scripted.client.noop())->ok());
    CHECK(scripted.client.selected().exists == 2);
    CHECK(scripted.client.selected().uid_next == 0);
}

TEST_CASE("imap client: SEARCH answers of every UID there can be stay ranges", "[imap][hostile-30]") {
    Scripted scripted({server(greeting), client_says("R1 UID SEARCH ALL\r\n"),
                       server("* ESEARCH (TAG \"R1\") UID MIN 1 MAX 4294967295 COUNT 4294967295 ALL 1:4294967295\r\n"
                              "* SEARCH 7 8\r\nR1 OK done\r\n")});
    REQUIRE_FALSE(scripted.greet());
    CHECK(run_coroutine(scripted.client.search("ALL"))->uids.text() == "1:4294967295");
}

TEST_CASE("imap client: BYE in the middle of a fetch ends it, what was complete stays", "[imap][hostile-38]") {
    Scripted scripted(
        {server(greeting), client_says(fetch_command("R1", "5:6")),
         server("* 1 FETCH (UID 5 BODY[] {1}\r\nx)\r\n* BYE Session invalidated - AccessTokenExpired\r\n")});
    REQUIRE_FALSE(scripted.greet());
    CollectingSink sink;
    const Client::FetchPlan plan;
    CHECK(run_coroutine(scripted.client.fetch(uids({5, 6}), plan, sink)).error() == imap::errc::bye);
    CHECK(sink.bodies.size() == 1);
    CHECK(scripted.client.bye() == "Session invalidated - AccessTokenExpired");
}

TEST_CASE("imap client: a body whose UID changes within its response is given up", "[imap][hostile-37]") {
    Scripted scripted({server(greeting), client_says(fetch_command("R1", "5:6")),
                       server("* 1 FETCH (UID 5 BODY[] {1}\r\nx UID 6)\r\nR1 OK done\r\n")});
    REQUIRE_FALSE(scripted.greet());
    CollectingSink sink;
    const Client::FetchPlan plan;
    const auto fetched = run_coroutine(scripted.client.fetch(uids({5, 6}), plan, sink));
    CHECK(fetched->unanswered.text() == "5:6");
    CHECK(sink.bodies.empty());
    CHECK(sink.broken == 1);
}

TEST_CASE("imap client: parts other than the one asked for are dropped", "[imap][hostile-37]") {
    for (const char* body :
         {"BODY[] {2}\r\nxy", "BODY[]<0> {2}\r\nxy", "BODY[]<10> {3}\r\nxyz", "BODY[]<10> \"\"", "BODY[]<10> NIL"}) {
        CAPTURE(body);
        Scripted scripted({server(greeting), client_says("R1 UID FETCH 5 (UID BODY.PEEK[]<10.2>)\r\n"),
                           server("* 1 FETCH (UID 5 " + std::string(body) + ")\r\nR1 OK done\r\n")});
        REQUIRE_FALSE(scripted.greet());
        CollectingSink sink;
        const auto fetched = run_coroutine(scripted.client.fetch_part(5, 10, 2, sink));
        CHECK(fetched->unanswered.text() == "5");
        CHECK(sink.bodies.empty());
    }
}

TEST_CASE("imap client: heads are fetched without their bodies, and whatever else comes is dropped",
          "[imap][hostile-37]") {
    const std::string section = "HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT RECEIVED)";
    const Client::FetchPlan plan;
    Scripted scripted(
        {server(greeting),
         client_says("R1 UID FETCH 5:8 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[" + section + "])\r\n"),
         server("* 1 FETCH (UID 5 INTERNALDATE \"d\" BODY[" + section +
                "] {3}\r\na:b)\r\n* 2 FETCH (UID 6 BODY[] {2}\r\nxy)\r\n* 3 FETCH (UID 7 BODY[" + section +
                "]<0> {2}\r\nxy)\r\n* 4 FETCH (UID 9 BODY[" + section + "] {2}\r\nxy)\r\nR1 OK done\r\n")});
    REQUIRE_FALSE(scripted.greet());
    CollectingSink sink;
    const auto fetched = run_coroutine(scripted.client.fetch_heads(uids({5, 8}), plan, sink));
    CHECK(fetched->unanswered.text() == "6:8");
    CHECK(sink.bodies == std::map<imap::Uid, std::string>{{5, "a:b"}});
    // And no head is taken for a body.
    Scripted other({server(greeting), client_says(fetch_command("R1", "5")),
                    server("* 1 FETCH (UID 5 BODY[" + section + "] {3}\r\na:b)\r\nR1 OK done\r\n")});
    REQUIRE_FALSE(other.greet());
    CollectingSink bodies;
    const auto none = run_coroutine(other.client.fetch(uids({5, 5}), plan, bodies));
    CHECK(none->unanswered.text() == "5");
    CHECK(bodies.bodies.empty());
}

TEST_CASE("imap client: ids of content are asked for as the server calls them, and no bodies with them", "[imap]") {
    struct Row {
        const char *capability, *item, *told;
    };
    for (const auto& [capability, item, told] :
         {Row{"X-GM-EXT-1", "X-GM-MSGID", "17"}, Row{"OBJECTID", "EMAILID", "(M17)"},
          Row{"OBJECTID X-GM-EXT-1", "X-GM-MSGID", "17"}}) {
        CAPTURE(capability);
        const auto says = [&, name = std::string(item)](int number, const std::string& value) {
            return "* " + std::to_string(number) + " FETCH (UID " + std::to_string(number + 4) + " " + name + " " +
                   value + " RFC822.SIZE 9)\r\n";
        };
        Scripted scripted(
            {server("* OK [CAPABILITY IMAP4rev1 " + std::string(capability) + "] ready\r\n"),
             client_says("R1 UID FETCH 5:7 (UID " + std::string(item) + " INTERNALDATE RFC822.SIZE)\r\n"),
             server(says(1, told) + says(2, "NIL") + "R1 OK done\r\n"),
             client_says("R2 UID FETCH 5 (UID " + std::string(item) +
                         " FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n"),
             server("* 1 FETCH (UID 5 " + std::string(item) + " " + told + " BODY[] {1}\r\nx)\r\nR2 OK done\r\n"),
             client_says(fetch_command("R3", "5")), server("* 1 FETCH (UID 5 BODY[] {1}\r\nx)\r\nR3 OK done\r\n")});
        REQUIRE_FALSE(scripted.greet());
        CHECK(scripted.client.may_tell_email_ids());
        CollectingSink sink;
        Client::FetchPlan plan;
        const auto fetched = run_coroutine(scripted.client.fetch_email_ids(uids({5, 7}), plan, sink));
        REQUIRE(fetched.has_value());
        CHECK(fetched->unanswered.text() == "6:7");
        CHECK(sink.bodies.empty());
        plan.email_ids = true;
        CHECK(run_coroutine(scripted.client.fetch(uids({5, 5}), plan, sink))->unanswered.empty());
        plan.email_ids = false;
        CHECK(run_coroutine(scripted.client.fetch(uids({5, 5}), plan, sink))->unanswered.empty());
        CHECK(scripted.stream.surprise() == "");
        CHECK(scripted.stream.finished());
    }
    Scripted none({server(greeting)});
    REQUIRE_FALSE(none.greet());
    CHECK_FALSE(none.client.may_tell_email_ids());
}

TEST_CASE("imap client: names of mailboxes arrive as bytes, whatever they contain", "[imap][hostile-33]") {
    Scripted whole(
        {server(greeting), client_says("R1 LIST \"\" \"*\"\r\n"),
         server("* LIST () \"/\" \"../../etc/passwd\"\r\n* LIST () \"/\" {3}\r\na" + std::string(1, '\0') +
                "b\r\n* LIST () \"/\" &" + std::string(60'000, 'A') + "-\r\n* LIST () \"/\" &&&&&-&-\r\nR1 OK\r\n")});
    REQUIRE_FALSE(whole.greet());
    const auto listed = run_coroutine(whole.client.list("*"));
    REQUIRE(listed.has_value());
    REQUIRE(listed->entries.size() == 4);
    CHECK(listed->entries[0].name == "../../etc/passwd");
    CHECK(listed->entries[1].name == std::string("a\0b", 3));
    CHECK(listed->entries[3].name == "&&&&&&");
    // What has a NUL in it is never sent back.
    const std::string with_nul = listed->entries[1].name;
    CHECK(whole.stream.finished());
    const auto opened = run_coroutine(whole.client.status(with_nul));
    CHECK(opened.error() == net::errc::reset);  // it went out as modified UTF-7, and the script is over
    CHECK(whole.stream.written().ends_with("R2 STATUS a&AAA-b (MESSAGES UIDNEXT UIDVALIDITY)\r\n"));
}

TEST_CASE("imap client: when the sink is full nothing more is handed to it before there is room", "[imap]") {
    const std::string answers =
        "* 1 FETCH (UID 5 BODY[] {2}\r\nab)\r\n* 2 FETCH (UID 6 BODY[] {2}\r\ncd)\r\nR1 OK done\r\n";
    Scripted scripted({server(greeting), client_says(fetch_command("R1", "5:6")), server(answers)});
    REQUIRE_FALSE(scripted.greet());
    CollectingSink sink;
    sink.answer = imap::FetchSink::Flow::wait;
    const Client::FetchPlan plan;
    CHECK(run_coroutine(scripted.client.fetch(uids({5, 6}), plan, sink))->unanswered.empty());
    CHECK(sink.rooms == 6);
    CHECK(sink.bodies == std::map<imap::Uid, std::string>{{5, "ab"}, {6, "cd"}});

    Scripted refused({server(greeting), client_says(fetch_command("R1", "5:6")), server(answers)});
    REQUIRE_FALSE(refused.greet());
    CollectingSink stopped;
    stopped.answer = imap::FetchSink::Flow::wait;
    stopped.no_room = net::errc::stopped;
    CHECK(run_coroutine(refused.client.fetch(uids({5, 6}), plan, stopped)).error() == net::errc::stopped);
    CHECK(stopped.broken == 1);
}

TEST_CASE("imap client: batches are kept in flight, and no command is longer than the plan says", "[imap]") {
    imap::UidSet wanted;
    std::vector<Turn> turns{server(greeting)};
    for (imap::Uid uid = 1000; uid < 1400; uid += 2) wanted.add(uid);
    std::vector<std::string> commands;
    imap::UidSet left = wanted;
    const std::size_t fixed_bytes = fetch_command("R10", "").size();
    for (int batch = 1; !left.empty(); ++batch) {
        const std::string tag = "R" + std::to_string(batch);
        const std::size_t set_bytes = 200 - fetch_command(tag, "").size();
        commands.push_back(fetch_command(tag, left.take_front(64, set_bytes).text()));
        CHECK(commands.back().size() <= 200);
    }
    REQUIRE(fixed_bytes < 200);
    for (std::size_t batch = 0; batch < commands.size(); ++batch) {
        if (batch == 0)
            for (std::size_t ahead = 0; ahead < 3; ++ahead) turns.push_back(client_says(commands[ahead]));
        turns.push_back(server("R" + std::to_string(batch + 1) + " OK done\r\n"));
        if (batch + 3 < commands.size()) turns.push_back(client_says(commands[batch + 3]));
    }
    Scripted scripted(std::move(turns));
    REQUIRE_FALSE(scripted.greet());
    CollectingSink sink;
    const Client::FetchPlan plan{.batch_uids = 64, .batches_in_flight = 3, .command_bytes_max = 200};
    imap::UidSet asked = wanted;
    const auto fetched = run_coroutine(scripted.client.fetch(std::move(asked), plan, sink));
    REQUIRE(fetched.has_value());
    CHECK(fetched->unanswered == wanted);
    CHECK(scripted.stream.surprise().empty());
    CHECK(scripted.stream.finished());
}

TEST_CASE("imap client: wake_idle() ends a wait at once, without losing what comes", "[imap]") {
    Scripted scripted({server(greeting),
                       client_says("R1 IDLE\r\n"),
                       server("+ idling\r\n* OK Still here\r\n"),
                       {Who::silence},
                       client_says("DONE\r\n"),
                       server("* 4 EXISTS\r\nR1 OK IDLE terminated\r\n"),
                       client_says("R2 NOOP\r\n"),
                       server("R2 OK\r\n")});
    REQUIRE_FALSE(scripted.greet());
    CHECK(*idle_and_wake(scripted) == Client::Woken::told);
    CHECK(scripted.client.selected().exists == 4);
    CHECK(run_coroutine(scripted.client.noop())->ok());
    CHECK(scripted.stream.surprise().empty());
}

TEST_CASE("imap client: what a server announces while another command runs is counted, also when as much goes",
          "[imap]") {
    Scripted scripted({server(greeting), client_says("R1 EXAMINE INBOX\r\n"),
                       server("* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\nR1 OK done\r\n"),
                       client_says("R2 UID SEARCH UID 4:*\r\n"),
                       server("* SEARCH 3\r\n* 1 EXPUNGE\r\n* 3 EXISTS\r\nR2 OK done\r\n"), client_says("R3 NOOP\r\n"),
                       server("* 3 EXISTS\r\nR3 OK\r\n")});
    REQUIRE_FALSE(scripted.greet());
    REQUIRE(run_coroutine(scripted.client.open("INBOX", Client::Access::read_only)).has_value());
    const auto before = scripted.client.arrivals();
    REQUIRE(run_coroutine(scripted.client.search("UID 4:*")).has_value());
    CHECK(scripted.client.selected().exists == 3);
    CHECK(scripted.client.arrivals() == before + 1);
    CHECK(run_coroutine(scripted.client.noop())->ok());
    CHECK(scripted.client.arrivals() == before + 1);  // nothing more
    CHECK(scripted.stream.finished());
}

TEST_CASE("imap client: a wake-up that finds nobody waiting is kept for the next IDLE, once", "[imap]") {
    Scripted scripted({server(greeting),
                       client_says("R1 IDLE\r\n"),
                       server("+ idling\r\n"),
                       client_says("DONE\r\n"),
                       server("R1 OK\r\n"),
                       client_says("R2 IDLE\r\n"),
                       server("+ idling\r\n"),
                       {Who::time},
                       client_says("DONE\r\n"),
                       server("R2 OK\r\n")});
    REQUIRE_FALSE(scripted.greet());
    scripted.client.wake_idle();
    CHECK(*run_coroutine(scripted.client.idle(nine)) == Client::Woken::told);
    CHECK(*run_coroutine(scripted.client.idle(nine)) == Client::Woken::time);
    CHECK(scripted.stream.finished());
}

TEST_CASE("imap client: news that come with the acknowledgement of IDLE are not slept over", "[imap]") {
    for (const char* news :
         {"* 5 EXISTS\r\n", "* 2 EXPUNGE\r\n", "* 3 FETCH (FLAGS (\\Seen))\r\n", "* VANISHED 3\r\n"}) {
        CAPTURE(news);
        Scripted after({server(greeting), client_says("R1 IDLE\r\n"), server("+ idling\r\n" + std::string(news)),
                        client_says("DONE\r\n"), server("R1 OK\r\n")});
        REQUIRE_FALSE(after.greet());
        CHECK(*run_coroutine(after.client.idle(nine)) == Client::Woken::news);
        Scripted before({server(greeting), client_says("R1 IDLE\r\n"), server(std::string(news) + "+ idling\r\n"),
                         client_says("DONE\r\n"), server("R1 OK\r\n")});
        REQUIRE_FALSE(before.greet());
        CHECK(*run_coroutine(before.client.idle(nine)) == Client::Woken::news);
    }
}

TEST_CASE("imap client: a refused IDLE is an error of its own", "[imap]") {
    Scripted scripted({server(greeting), client_says("R1 IDLE\r\n"), server("R1 BAD Command Argument Error. 12\r\n")});
    REQUIRE_FALSE(scripted.greet());
    CHECK(run_coroutine(scripted.client.idle(nine)).error() == imap::errc::idle_refused);
}

TEST_CASE("imap client: names travel as the server takes them", "[imap]") {
    const std::string name = "Entw\xc3\xbcrfe \"neu\"";
    Scripted utf7({server("* OK [CAPABILITY IMAP4rev1] ready\r\n"),
                   client_says("R1 EXAMINE \"Entw&APw-rfe \\\"neu\\\"\"\r\n"), server("R1 OK done\r\n")});
    REQUIRE_FALSE(utf7.greet());
    CHECK(run_coroutine(utf7.client.open(name, Client::Access::read_only))->selected.read_only);
    CHECK(utf7.stream.surprise().empty());

    Scripted utf8({server("* OK [CAPABILITY IMAP4rev1 ENABLE UTF8=ACCEPT LITERAL+] ready\r\n"),
                   client_says("R1 ENABLE UTF8=ACCEPT\r\n"), server("* ENABLED UTF8=ACCEPT\r\nR1 OK done\r\n"),
                   client_says("R2 SELECT \"Entw\xc3\xbcrfe \\\"neu\\\"\"\r\n"), server("R2 OK done\r\n"),
                   client_says("R3 SELECT {602+}\r\n\xc3\xbc" + std::string(600, 'x') + "\r\n"),
                   server("R3 NO what?\r\n")});
    REQUIRE_FALSE(utf8.greet());
    CHECK(run_coroutine(utf8.client.enable_utf8())->ok());
    CHECK(run_coroutine(utf8.client.open(name, Client::Access::read_write))->answer.ok());
    const std::string long_name = "\xc3\xbc" + std::string(600, 'x');
    CHECK(run_coroutine(utf8.client.open(long_name, Client::Access::read_write))->answer.text == "what?");
    CHECK(utf8.stream.surprise().empty());
}

TEST_CASE("imap client: LOGOUT is done with the BYE, with or without a tagged answer", "[imap]") {
    Scripted both({server(greeting), client_says("R1 LOGOUT\r\n"), server("* BYE so long\r\nR1 OK\r\n")});
    REQUIRE_FALSE(both.greet());
    CHECK(run_coroutine(both.client.log_out()).has_value());
    Scripted neither({server(greeting), client_says("R1 LOGOUT\r\n")});
    REQUIRE_FALSE(neither.greet());
    CHECK(run_coroutine(neither.client.log_out()).error() == net::errc::closed);
}

TEST_CASE("imap client: COMPRESS is never asked for, and a server that begins it by itself is cut off",
          "[imap][hostile-35]") {
    Scripted offered({server("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR COMPRESS=DEFLATE IDLE ID ENABLE] hi\r\n"),
                      client_says("R1 AUTHENTICATE XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==\r\n"),
                      server("R1 OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE IDLE ID] in\r\n"),
                      client_says("R2 ID (\"name\" \"rohrpost\")\r\n"), server("* ID NIL\r\nR2 OK\r\n"),
                      client_says("R3 EXAMINE INBOX\r\n"), server("* 0 EXISTS\r\nR3 OK done\r\n"),
                      client_says("R4 UID SEARCH ALL\r\n"), server("* SEARCH\r\nR4 OK\r\n"),
                      client_says("R5 LOGOUT\r\n"), server("* BYE\r\nR5 OK\r\n")});
    REQUIRE_FALSE(offered.greet());
    imap::Login login{imap::Mechanism::xoauth2, "u", Secret("t"), "", 0};
    CHECK(run_coroutine(offered.client.log_in(std::move(login)))->ok());
    CHECK(run_coroutine(offered.client.identify({{"name", "rohrpost"}}))->ok());
    CHECK(run_coroutine(offered.client.open("INBOX", Client::Access::read_only))->answer.ok());
    CHECK(run_coroutine(offered.client.search("ALL"))->answer.ok());
    CHECK(run_coroutine(offered.client.log_out()).has_value());
    CHECK(offered.stream.surprise().empty());
    CHECK(offered.stream.finished());

    // A deflate stream of 1 MB that would become 1 GB: without inflating there is nothing but lines without end.
    std::string bomb;
    for (std::uint32_t at = 0; bomb.size() < 1'000'000; at = at * 1664525U + 1013904223U) {
        const char byte = static_cast<char>(at >> 24U);
        bomb += byte == '\n' ? 'x' : byte;
    }
    Scripted begun(
        {server(greeting), client_says("R1 NOOP\r\n"), server("* OK [COMPRESSIONACTIVE] squeezing\r\n" + bomb)});
    REQUIRE_FALSE(begun.greet());
    CHECK(run_coroutine(begun.client.noop()).has_error());
    CHECK(begun.stream.unread().size() <= bomb.size());
    CHECK_FALSE(begun.client.can("COMPRESS=DEFLATE"));
}

TEST_CASE("imap client: what was offered before the login is forgotten with it", "[imap][hostile-5]") {
    Scripted scripted({server("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR IDLE LITERAL+ UTF8=ACCEPT] hi\r\n"),
                       client_says("R1 AUTHENTICATE XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==\r\n"),
                       server("R1 OK in\r\n"), client_says("R2 CAPABILITY\r\n"),
                       server("* CAPABILITY IMAP4rev1\r\nR2 OK\r\n")});
    REQUIRE_FALSE(scripted.greet());
    REQUIRE(scripted.client.can("IDLE"));
    imap::Login login{imap::Mechanism::xoauth2, "u", Secret("t"), "", 0};
    CHECK(run_coroutine(scripted.client.log_in(std::move(login)))->ok());
    CHECK(scripted.stream.surprise().empty());
    CHECK_FALSE(scripted.client.can("IDLE"));
    CHECK_FALSE(scripted.client.can("LITERAL+"));
    CHECK_FALSE(scripted.client.can("AUTH=XOAUTH2"));
}

TEST_CASE("imap client: UIDs that do not rise with their messages end the connection", "[imap][hostile-36]") {
    const auto fetched = [](const std::string& answers) {
        Scripted scripted(
            {server(greeting), client_says(fetch_command("R1", "5:9")), server(answers + "R1 OK done\r\n")});
        REQUIRE_FALSE(scripted.greet());
        CollectingSink sink;
        const Client::FetchPlan plan;
        const auto result = run_coroutine(scripted.client.fetch(uids({5, 9}), plan, sink));
        return result ? error_code() : result.error();
    };
    const auto body = [](int sequence, int uid) {
        return "* " + std::to_string(sequence) + " FETCH (UID " + std::to_string(uid) + " BODY[] {1}\r\nx)\r\n";
    };
    CHECK_FALSE(fetched(body(1, 5) + body(2, 6) + body(3, 9)));
    CHECK_FALSE(fetched(body(3, 9) + body(2, 6) + body(1, 5)));  // in falling order, but sound
    CHECK_FALSE(fetched(body(3, 7) + "* 1 EXPUNGE\r\n" + body(3, 8) + body(2, 7)));
    CHECK_FALSE(fetched(body(1, 5) + body(1, 5)));
    CHECK(fetched(body(1, 6) + body(2, 5)) == imap::errc::uids_out_of_order);
    CHECK(fetched(body(1, 6) + body(2, 6)) == imap::errc::uids_out_of_order);
    CHECK(fetched(body(1, 6) + "* 4 FETCH (UID 3 FLAGS ())\r\n") == imap::errc::uids_out_of_order);
}

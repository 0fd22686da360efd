#include <catch2/catch.hpp>

#include "protocols/net/errc.hpp"
#include "protocols/net/tls.hpp"
#include "protocols/pop3/client.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/transcript.hpp"

using pop3::Client;
using pop3::Initial;
using pop3::Mechanism;
using support::CollectingSink;
using support::ScriptedStream;

namespace {

/// What a dialogue brought; every driver fills in what it has.
struct Outcome {
    CollectingSink sink;
    pop3::Answer last;
    pop3::Capabilities capabilities;
    std::vector<std::string> uidls;
    std::vector<Client::Refused> refused;
    std::vector<Client::Refused> not_removed;
    std::optional<pop3::Number> unfinished;
    std::vector<std::string> lines;
};

pop3::Login login_with(Mechanism mechanism, Initial initial = Initial::own_line) {
    const bool password = mechanism == Mechanism::plain || mechanism == Mechanism::user_pass;
    return {mechanism, "user@example.com", Secret(password ? "pass" : "ya29.token"), "pop.example.com", 995, initial};
}

awaitable<Result<void>> log_in(Client& client, pop3::Login login, Outcome& outcome) {
    auto greeting = co_await client.greet();
    if (!greeting) co_return greeting.error();
    outcome.last = *greeting;
    if (!greeting->ok()) co_return Result<void>();
    auto learned = co_await client.learn_capabilities();
    if (!learned) co_return learned.error();
    auto answer = co_await client.log_in(std::move(login));
    if (!answer) co_return answer.error();
    outcome.last = *answer;
    outcome.capabilities = client.capabilities();
    co_return Result<void>();
}

awaitable<Result<void>> xoauth2(Client& client, Outcome& outcome) {
    pop3::Login login = login_with(Mechanism::xoauth2);
    auto ended = co_await log_in(client, std::move(login), outcome);
    co_return ended;
}

awaitable<Result<void>> xoauth2_on_one_line(Client& client, Outcome& outcome) {
    pop3::Login login = login_with(Mechanism::xoauth2, Initial::with_command);
    auto ended = co_await log_in(client, std::move(login), outcome);
    co_return ended;
}

awaitable<Result<void>> oauthbearer(Client& client, Outcome& outcome) {
    pop3::Login login = login_with(Mechanism::oauthbearer);
    auto ended = co_await log_in(client, std::move(login), outcome);
    co_return ended;
}

awaitable<Result<void>> plain(Client& client, Outcome& outcome) {
    pop3::Login login = login_with(Mechanism::plain);
    auto ended = co_await log_in(client, std::move(login), outcome);
    co_return ended;
}

awaitable<Result<void>> user_pass(Client& client, Outcome& outcome) {
    pop3::Login login = login_with(Mechanism::user_pass);
    auto ended = co_await log_in(client, std::move(login), outcome);
    co_return ended;
}

awaitable<Result<void>> stls(Client& client, Outcome& outcome) {
    auto greeting = co_await client.greet();
    if (!greeting) co_return greeting.error();
    auto learned = co_await client.learn_capabilities();
    if (!learned) co_return learned.error();
    const auto tls = net::TlsClient::make({});
    auto secured = co_await client.start_tls(**tls, "pop.example.com");
    if (!secured) co_return secured.error();
    learned = co_await client.learn_capabilities();
    if (!learned) co_return learned.error();
    pop3::Login login = login_with(Mechanism::plain);
    auto answer = co_await client.log_in(std::move(login));
    if (!answer) co_return answer.error();
    outcome.last = *answer;
    co_return Result<void>();
}

enum class Then { keep, remove };

awaitable<Result<void>> visit(Client& client, Client::Part part, Then then, Outcome& outcome) {
    auto identified = co_await client.uidl();
    if (!identified) co_return identified.error();
    for (const auto& entry : identified->entries) outcome.uidls.push_back(entry.uidl);
    auto listed = co_await client.list();
    if (!listed) co_return listed.error();
    auto fetched = co_await client.fetch(listed->entries, part, outcome.sink);
    outcome.unfinished = client.unfinished();
    if (!fetched) co_return fetched.error();
    outcome.refused = std::move(*fetched);
    if (then == Then::remove) {
        std::vector<pop3::Number> numbers;
        for (const auto& [number, body] : outcome.sink.bodies) numbers.push_back(number);
        auto removed = co_await client.remove(std::move(numbers));
        if (!removed) co_return removed.error();
        outcome.not_removed = std::move(*removed);
    }
    auto left = co_await client.quit();
    if (!left) co_return left.error();
    outcome.last = *left;
    co_return Result<void>();
}

awaitable<Result<void>> exchange_session(Client& client, Outcome& outcome) {
    auto logged_in = co_await xoauth2(client, outcome);
    if (!logged_in) co_return logged_in.error();
    auto ended = co_await visit(client, Client::Part::whole, Then::remove, outcome);
    co_return ended;
}

awaitable<Result<void>> gmail_session(Client& client, Outcome& outcome) {
    auto logged_in = co_await xoauth2_on_one_line(client, outcome);
    if (!logged_in) co_return logged_in.error();
    auto ended = co_await visit(client, Client::Part::whole, Then::keep, outcome);
    co_return ended;
}

awaitable<Result<void>> refused_message(Client& client, Outcome& outcome) {
    auto logged_in = co_await user_pass(client, outcome);
    if (!logged_in) co_return logged_in.error();
    auto ended = co_await visit(client, Client::Part::whole, Then::remove, outcome);
    co_return ended;
}

awaitable<Result<void>> heads(Client& client, Outcome& outcome) {
    auto logged_in = co_await user_pass(client, outcome);
    if (!logged_in) co_return logged_in.error();
    auto ended = co_await visit(client, Client::Part::head, Then::keep, outcome);
    co_return ended;
}

using Driver = awaitable<Result<void>> (*)(Client&, Outcome&);

struct Dialogue {
    const char* transcript;
    Driver driver;
    error_code ends_in{};  // empty: well
    ScriptedStream::Start start = ScriptedStream::Start::encrypted;
};

const Dialogue dialogues[] = {
    {"pop3/exchange_session.txt", exchange_session},
    {"pop3/exchange_token_refused.txt", xoauth2},
    {"pop3/exchange_one_line_refused.txt", xoauth2_on_one_line},
    {"pop3/gmail_session.txt", gmail_session},
    {"pop3/gmail_token_refused.txt", xoauth2},
    {"pop3/oauthbearer_refused.txt", oauthbearer},
    {"pop3/plain_login.txt", plain},
    {"pop3/password_login.txt", user_pass},
    {"pop3/in_use.txt", user_pass},
    {"pop3/login_delay.txt", user_pass},
    {"pop3/greeting_refused.txt", plain},
    {"pop3/stls.txt", stls, {}, ScriptedStream::Start::plain},
    {"pop3/refused_message.txt", refused_message},
    {"pop3/heads.txt", heads},
    {"pop3/session_cut_in_message.txt", refused_message, net::errc::closed},
};

awaitable<Result<void>> drive(ScriptedStream& stream, Driver driver, Outcome& outcome) {
    const pop3::Limits limits;
    const pop3::Paces paces;
    Client client(stream, limits, paces);
    auto ended = co_await driver(client, outcome);
    outcome.lines = client.last_lines();
    co_return ended;
}

Result<void> play(ScriptedStream& stream, Driver driver, Outcome& outcome) {
    outcome.sink.sizes_are_hints = true;
    return support::run_coroutine(drive(stream, driver, outcome));
}

const Dialogue& dialogue_of(const std::string& transcript) {
    for (const Dialogue& each : dialogues)
        if (each.transcript == transcript) return each;
    throw std::logic_error("no dialogue for " + transcript);
}

/// Plays a transcript as it is written; its dialogue must end as said in the table.
Outcome outcome_of(const std::string& transcript, std::size_t piece_bytes = 1U << 20U) {
    const Dialogue& dialogue = dialogue_of(transcript);
    Outcome outcome;
    ScriptedStream stream(support::load_transcript(transcript), piece_bytes, dialogue.start);
    const auto ended = play(stream, dialogue.driver, outcome);
    INFO(transcript << " with pieces of " << piece_bytes);
    CHECK((ended ? error_code() : ended.error()) == dialogue.ends_in);
    CHECK(stream.surprise().empty());
    CHECK(stream.finished());
    CHECK(stream.encrypted());
    CHECK(outcome.sink.violations == std::vector<std::string>{});
    return outcome;
}

std::vector<pop3::Number> numbers_of(const std::vector<Client::Refused>& refused) {
    std::vector<pop3::Number> numbers;
    for (const auto& each : refused) numbers.push_back(each.number);
    return numbers;
}

}  // namespace

TEST_CASE("pop3 transcripts: every file has its dialogue", "[pop3]") {
    for (const std::string& name : support::transcripts_in("pop3")) {
        CAPTURE(name);
        CHECK(std::count_if(std::begin(dialogues), std::end(dialogues),
                            [&](const Dialogue& each) { return each.transcript == name; }) == 1);
    }
}

TEST_CASE("pop3 transcripts: any split of the server's bytes gives the same dialogue", "[pop3]") {
    for (const Dialogue& each : dialogues) {
        const Outcome whole = outcome_of(each.transcript);
        for (const std::size_t piece_bytes : {1U, 2U, 3U, 7U}) {
            const Outcome split = outcome_of(each.transcript, piece_bytes);
            CHECK(split.sink.bodies == whole.sink.bodies);
            CHECK(split.sink.broken == whole.sink.broken);
            CHECK(split.uidls == whole.uidls);
            CHECK(split.last.text == whole.last.text);
            CHECK(split.last.challenge == whole.last.challenge);
            CHECK(split.lines == whole.lines);
        }
    }
}

TEST_CASE("pop3 transcripts: a hang-up after any turn is an error, and no message is taken for whole", "[pop3]") {
    for (const Dialogue& each : dialogues) {
        const auto turns = support::load_transcript(each.transcript);
        const Outcome whole = outcome_of(each.transcript);
        for (std::size_t kept = 0; kept < turns.size(); ++kept) {
            CAPTURE(each.transcript, kept);
            Outcome outcome;
            ScriptedStream stream(support::cut_after(turns, kept), 1U << 20U, each.start);
            const auto ended = play(stream, each.driver, outcome);
            // Behind its last answer a log-in asks for capabilities; whoever logged in without hears of the hang-up
            // there.
            CHECK(ended.has_error());
            CHECK(outcome.sink.violations == std::vector<std::string>{});
            for (const auto& [number, body] : outcome.sink.bodies) CHECK(whole.sink.bodies.at(number) == body);
        }
    }
}

TEST_CASE("pop3 transcripts: no line of a dialogue shows a secret", "[pop3]") {
    for (const Dialogue& each : dialogues) {
        for (const auto& line : outcome_of(each.transcript).lines) {
            CAPTURE(each.transcript, line);
            CHECK(line.find("dXNlcj11c2Vy") == std::string::npos);
            CHECK(line.find("bixhPXVz") == std::string::npos);
            CHECK(line.find("AHVzZXJA") == std::string::npos);
            CHECK(line.find("PASS pass") == std::string::npos);
        }
    }
}

TEST_CASE("pop3 transcripts: a session with Exchange", "[pop3]") {
    const Outcome outcome = outcome_of("pop3/exchange_session.txt");
    CHECK(outcome.uidls == std::vector<std::string>{"51", "52"});
    CHECK(outcome.sink.bodies.at(1) == "Subject: one\r\n\r\n.\r\n.a dot\r\n");
    CHECK(outcome.sink.bodies.at(2) == "Subject: two\r\n\r\n");
    CHECK(outcome.not_removed.empty());
    CHECK(outcome.last.text == "Microsoft Exchange Server POP3 server signing off.");
}

TEST_CASE("pop3 transcripts: a session with Gmail", "[pop3]") {
    const Outcome outcome = outcome_of("pop3/gmail_session.txt");
    CHECK(outcome.sink.bodies.size() == 3);
    CHECK(outcome.sink.bodies.at(3) == "Subject: 3\r\n\r\ndrei\r\n");
    CHECK(outcome.capabilities.pipelining);
    CHECK(outcome.capabilities.login_delay == std::chrono::seconds(300));
}

TEST_CASE("pop3 transcripts: refused log-ins", "[pop3]") {
    CHECK(outcome_of("pop3/exchange_token_refused.txt").last.text ==
          "Authentication failure: unknown user name or bad password.");
    CHECK(outcome_of("pop3/exchange_one_line_refused.txt").last.text == "Protocol error. Connection is closed. 10");
    const auto gmail = outcome_of("pop3/gmail_token_refused.txt").last;
    CHECK(gmail.code == "AUTH");
    CHECK(gmail.challenge == R"({"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"})");
    CHECK(outcome_of("pop3/oauthbearer_refused.txt").last.challenge == R"({"status":"invalid_token","scope":"mail"})");
    CHECK(outcome_of("pop3/in_use.txt").last.code == "IN-USE");
    CHECK(outcome_of("pop3/login_delay.txt").last.code == "LOGIN-DELAY");
    CHECK(outcome_of("pop3/greeting_refused.txt").last.code == "SYS/TEMP");
}

TEST_CASE("pop3 transcripts: one message that cannot be had stops no other", "[pop3]") {
    const Outcome outcome = outcome_of("pop3/refused_message.txt");
    CHECK(numbers_of(outcome.refused) == std::vector<pop3::Number>{1});
    CHECK(outcome.sink.bodies.at(3).empty());
    CHECK(outcome.sink.bodies.at(7) == "Subject: seven\r\n\r\n");
    CHECK(numbers_of(outcome.not_removed) == std::vector<pop3::Number>{3});
    CHECK_FALSE(outcome.last.ok());
}

TEST_CASE("pop3 transcripts: heads alone", "[pop3]") {
    const Outcome outcome = outcome_of("pop3/heads.txt");
    CHECK(outcome.uidls.empty());
    CHECK(outcome.sink.bodies.at(2) == "Message-ID: <2@x>\r\n\r\n");
}

TEST_CASE("pop3 transcripts: a message that breaks off is no message", "[pop3]") {
    const Outcome outcome = outcome_of("pop3/session_cut_in_message.txt");
    CHECK(outcome.sink.bodies.empty());
    CHECK(outcome.sink.broken == 1);
    CHECK(outcome.unfinished == 1U);
}

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "protocols/net/tls.hpp"
#include "protocols/smtp/client.hpp"
#include "tests/support/pieces_body.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/transcript.hpp"

using smtp::Client;
using smtp::Mechanism;
using smtp::Phase;
using smtp::Submission;
using support::ScriptedStream;
using Who = ScriptedStream::Turn::Who;

namespace {

struct Plan {
    std::string transcript;
    Mechanism mechanism;
    ScriptedStream::Start start = ScriptedStream::Start::encrypted;
    int mails = 0;
    error_code ends_in{};
};

const Plan plans[] = {
    {"smtp/exchange_session.txt", Mechanism::xoauth2, ScriptedStream::Start::plain, 2},
    {"smtp/exchange_token_refused.txt", Mechanism::xoauth2},
    {"smtp/gmail_token_refused.txt", Mechanism::xoauth2},
    {"smtp/goodbye_in_flight.txt", Mechanism::plain, ScriptedStream::Start::encrypted, 1, smtp::errc::goodbye},
    {"smtp/login_password.txt", Mechanism::login, ScriptedStream::Start::encrypted, 1},
    {"smtp/lone_dot.txt", Mechanism::plain, ScriptedStream::Start::encrypted, 1},
    {"smtp/nobody_in_one_flight.txt", Mechanism::plain, ScriptedStream::Start::encrypted, 3},
    {"smtp/oauthbearer_refused.txt", Mechanism::oauthbearer},
    {"smtp/plain_step_by_step.txt", Mechanism::plain, ScriptedStream::Start::encrypted, 1},
    {"smtp/refused_recipients.txt", Mechanism::plain, ScriptedStream::Start::encrypted, 2},
};

/// What a dialogue brought.
struct Outcome {
    smtp::LoginAnswer login;
    std::vector<Submission> mails;
    Phase phase = Phase::greeting;
    bool in_doubt = false;
    std::vector<std::string> lines;
};

smtp::Envelope envelope() {
    smtp::Envelope envelope;
    envelope.sender = *smtp::Address::of("desk@example.com");
    envelope.recipients.push_back({*smtp::Address::of("a@example.org")});
    envelope.recipients.push_back({*smtp::Address::of("b@example.org")});
    return envelope;
}

awaitable<Result<void>> open(Client& client, const Plan& plan) {
    auto greeting = co_await client.greet();
    if (!greeting) co_return greeting.error();
    auto hello = co_await client.hello("rohrpost.example");
    if (!hello) co_return hello.error();
    if (plan.start == ScriptedStream::Start::encrypted) co_return Result<void>();
    const auto tls = net::TlsClient::make({});
    auto started = co_await client.start_tls(**tls, "smtp.example.com");
    if (!started) co_return started.error();
    hello = co_await client.hello("rohrpost.example");
    if (!hello) co_return hello.error();
    co_return Result<void>();
}

awaitable<Result<void>> talk(Client& client, const Plan& plan, Outcome& outcome) {
    auto opened = co_await open(client, plan);
    if (!opened) co_return opened.error();
    const bool token = plan.mechanism == Mechanism::xoauth2 || plan.mechanism == Mechanism::oauthbearer;
    smtp::Login login{plan.mechanism, "user@example.com", Secret(token ? "ya29.token" : "pass"), "smtp.example.com",
                      587};
    auto answer = co_await client.log_in(std::move(login));
    if (!answer) co_return answer.error();
    outcome.login = *answer;
    const smtp::Envelope mail = envelope();
    for (int sent = 0; sent < plan.mails; ++sent) {
        support::PiecesBody body("Subject: one\r\n\r\n", 5);
        auto submitted = co_await client.submit(mail, body);
        if (!submitted) co_return submitted.error();
        outcome.mails.push_back(*submitted);
        if (!client.usable()) co_return client.farewell().came() ? smtp::errc::goodbye : smtp::errc::unusable;
    }
    auto left = co_await client.quit();
    co_return left;
}

Result<void> play(ScriptedStream& stream, const Plan& plan, Outcome& outcome) {
    Client client(stream, {}, {});
    const auto ended = support::run_coroutine(talk(client, plan, outcome));
    outcome.phase = client.phase();
    outcome.in_doubt = client.in_doubt();
    outcome.lines = client.last_lines();
    return ended;
}

Outcome outcome_of(const std::string& transcript, std::size_t piece_bytes = 1U << 20U) {
    for (const Plan& plan : plans) {
        if (plan.transcript != transcript) continue;
        Outcome outcome;
        ScriptedStream stream(support::load_transcript(transcript), piece_bytes, plan.start);
        const auto ended = play(stream, plan, outcome);
        INFO(transcript << " with pieces of " << piece_bytes);
        CHECK((ended ? error_code() : ended.error()) == plan.ends_in);
        CHECK(stream.surprise().empty());
        CHECK(stream.finished());
        return outcome;
    }
    throw std::logic_error("no plan for " + transcript);
}

std::vector<std::string> words_of(const Submission& mail) {
    std::vector<std::string> words = {mail.sender.text()};
    for (const auto& reply : mail.recipients) words.push_back(reply.text());
    words.push_back(mail.body.text());
    return words;
}

bool mentions(const std::vector<std::string>& lines, std::string_view words) {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.find(words) != std::string::npos; });
}

std::size_t turn_of_quit(const support::Transcript& turns) {
    const auto quit =
        std::find_if(turns.begin(), turns.end(), [](const auto& turn) { return turn.bytes == "QUIT\r\n"; });
    return static_cast<std::size_t>(quit - turns.begin());
}

/// Whether a mail may have been taken when the server hangs up behind `turns`, told by the transcript alone: the last
/// thing said by us ended a mail, and somebody is still accepted or unanswered while its reply is missing.
bool doubt_behind(const support::Transcript& turns, std::size_t kept) {
    std::vector<std::string> owed;  // commands without a reply
    bool ended = false;             // the mail's last byte went out
    int accepted_or_open = 0;
    for (std::size_t at = 0; at < kept; ++at) {
        const std::string& bytes = turns[at].bytes;
        const bool block_ends = at + 1 == turns.size() || turns[at + 1].who == Who::server;
        if (turns[at].who == Who::client) {
            if (bytes.starts_with("MAIL")) accepted_or_open = 0;
            if (bytes.starts_with("RCPT")) ++accepted_or_open;
            const bool command = bytes.starts_with("RSET") || bytes.starts_with("MAIL") || bytes.starts_with("RCPT") ||
                                 bytes.starts_with("BDAT") || bytes.starts_with("DATA") || bytes == ".\r\n";
            if (command) owed.push_back(bytes);
            if (block_ends && !owed.empty() && (owed.back() == ".\r\n" || owed.back().starts_with("BDAT")))
                ended = true;
        } else if (!owed.empty() && bytes[3] == ' ') {
            const bool refused = bytes[0] >= '4';
            if (owed.front().starts_with("MAIL") && refused) accepted_or_open = -1000;
            if (owed.front().starts_with("RCPT") && refused) --accepted_or_open;
            owed.erase(owed.begin());
            if (bytes.starts_with("421") || owed.empty()) ended = false;
        }
    }
    return ended && accepted_or_open > 0;
}

}  // namespace

TEST_CASE("smtp transcripts: every file has its dialogue", "[smtp]") {
    for (const std::string& name : support::transcripts_in("smtp")) {
        CAPTURE(name);
        CHECK(std::count_if(std::begin(plans), std::end(plans),
                            [&](const Plan& plan) { return plan.transcript == name; }) == 1);
    }
}

TEST_CASE("smtp transcripts: any split of the server's bytes gives the same dialogue", "[smtp]") {
    for (const Plan& plan : plans) {
        const Outcome whole = outcome_of(plan.transcript);
        for (const std::size_t piece_bytes : {1U, 2U, 3U, 7U}) {
            const Outcome split = outcome_of(plan.transcript, piece_bytes);
            CHECK(split.login.reply == whole.login.reply);
            CHECK(split.login.challenge == whole.login.challenge);
            CHECK(split.phase == whole.phase);
            CHECK(split.lines == whole.lines);
            REQUIRE(split.mails.size() == whole.mails.size());
            for (std::size_t mail = 0; mail < whole.mails.size(); ++mail)
                CHECK(words_of(split.mails[mail]) == words_of(whole.mails[mail]));
        }
    }
}

TEST_CASE("smtp transcripts: a hang-up after any turn ends in an error, and says whether the mail is in doubt",
          "[smtp]") {
    int doubts = 0;
    for (const Plan& plan : plans) {
        const support::Transcript turns = support::load_transcript(plan.transcript);
        for (std::size_t kept = 0; kept < turn_of_quit(turns); ++kept) {
            CAPTURE(plan.transcript, kept);
            Outcome outcome;
            ScriptedStream stream(support::cut_after(turns, kept), 1U << 20U, plan.start);
            CHECK(play(stream, plan, outcome).has_error());
            CHECK(outcome.in_doubt == doubt_behind(turns, kept));
            CHECK((outcome.phase == Phase::final_sent) >= outcome.in_doubt);
            doubts += outcome.in_doubt ? 1 : 0;
        }
    }
    CHECK(doubts == 26);  // counted by hand
}

TEST_CASE("smtp transcripts: no secret in the last lines", "[smtp][hostile-50]") {
    for (const Plan& plan : plans) {
        const Outcome outcome = outcome_of(plan.transcript);
        CAPTURE(plan.transcript);
        CHECK_FALSE(outcome.lines.empty());
        CHECK(outcome.lines.size() <= 20);
        CHECK_FALSE(mentions(outcome.lines, "ya29"));
        CHECK_FALSE(mentions(outcome.lines, "eWEyOS50b2tlbg"));
        CHECK_FALSE(mentions(outcome.lines, "YTI5LnRva2Vu"));
        CHECK_FALSE(mentions(outcome.lines, "cGFzcw"));
        CHECK_FALSE(mentions(outcome.lines, "AHBhc3M"));
    }
    CHECK(mentions(outcome_of("smtp/gmail_token_refused.txt").lines, "C: AUTH XOAUTH2 <redacted>"));
    CHECK(mentions(outcome_of("smtp/login_password.txt").lines, "C: <redacted>"));
}

TEST_CASE("smtp client: a whole session at Exchange Online, each mail in one flight", "[smtp][hostile-16]") {
    const Outcome outcome = outcome_of("smtp/exchange_session.txt");
    CHECK(outcome.login.reply.text() == "235 2.7.0 Authentication successful");
    CHECK(outcome.mails[0].delivered_to(0));
    CHECK(outcome.mails[0].delivered_to(1));
    CHECK(outcome.mails[1].delivered_to(0));
    CHECK_FALSE(outcome.mails[1].delivered_to(1));
    CHECK(outcome.mails[1].verdict_for(1).enhanced == smtp::EnhancedCode{5, 1, 10});
    CHECK(outcome.mails[1].verdict_for(0).code == 250);
    CHECK(outcome.phase == Phase::replied);
}

TEST_CASE("smtp client: what a server says about a token it refuses is kept", "[smtp][hostile-23]") {
    const Outcome gmail = outcome_of("smtp/gmail_token_refused.txt");
    CHECK(gmail.login.challenge == R"({"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"})");
    CHECK(gmail.login.reply.code == 535);
    CHECK(gmail.login.reply.enhanced == smtp::EnhancedCode{5, 7, 8});
    const Outcome oauthbearer = outcome_of("smtp/oauthbearer_refused.txt");
    CHECK(oauthbearer.login.challenge == R"({"status":"invalid_token"})");
    CHECK(oauthbearer.login.reply.code == 535);
    const Outcome exchange = outcome_of("smtp/exchange_token_refused.txt");
    CHECK(exchange.login.challenge.empty());
    CHECK(exchange.login.reply.enhanced == smtp::EnhancedCode{5, 7, 3});
}

TEST_CASE("smtp client: each recipient has its own verdict", "[smtp][hostile-16]") {
    const Outcome mixed = outcome_of("smtp/plain_step_by_step.txt");
    CHECK(mixed.mails[0].delivered_to(0));
    CHECK(mixed.mails[0].verdict_for(1).text() == "452 4.5.3 too many recipients");
    const Outcome nobody = outcome_of("smtp/refused_recipients.txt");
    CHECK(nobody.mails[0].verdict_for(0).code == 452);
    CHECK(nobody.mails[0].verdict_for(1).code == 550);
    CHECK_FALSE(nobody.mails[0].body.came());
    CHECK(nobody.mails[1].verdict_for(0).enhanced == smtp::EnhancedCode{5, 7, 60});
    CHECK(nobody.mails[1].verdict_for(1).enhanced == smtp::EnhancedCode{5, 7, 60});
}

TEST_CASE("smtp client: a mail that nobody was accepted for is not delivered, and the session goes on",
          "[smtp][hostile-15]") {
    const Outcome flight = outcome_of("smtp/nobody_in_one_flight.txt");
    CHECK(flight.mails[0].verdict_for(0).code == 550);
    CHECK(flight.mails[0].verdict_for(1).code == 452);
    CHECK_FALSE(flight.mails[0].body.came());
    CHECK(flight.mails[1].verdict_for(0).text() == "452 4.3.1 no space");
    CHECK(flight.mails[2].delivered_to(1));
    const Outcome dot = outcome_of("smtp/lone_dot.txt");
    CHECK(dot.mails[0].verdict_for(0).code == 550);
    CHECK_FALSE(dot.mails[0].body.came());
}

TEST_CASE("smtp client: 421 answers everything that is owed, and nothing is in doubt", "[smtp][hostile-17]") {
    const Outcome outcome = outcome_of("smtp/goodbye_in_flight.txt");
    CHECK(outcome.mails[0].recipients[0].accepted());
    CHECK(outcome.mails[0].verdict_for(0).code == 421);
    CHECK(outcome.mails[0].verdict_for(1).code == 421);
    CHECK_FALSE(outcome.in_doubt);
    CHECK(outcome.phase == Phase::replied);
}

#include <catch2/catch.hpp>
#include <functional>

#include "protocols/imap/client.hpp"
#include "protocols/net/errc.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/transcript.hpp"

using imap::Client;
using support::CollectingSink;
using support::ScriptedStream;

namespace {

/// What a dialogue brought; every driver fills in what it has.
struct Outcome {
    CollectingSink sink;
    Client::Fetch fetch;
    CollectingSink part_sink;
    Client::Fetch part;
    imap::Answer last;
    imap::Selected selected;
    imap::Selected counted;
    imap::UidSet found;
    std::vector<imap::ListEntry> listed;
    std::vector<Client::Woken> woken;
    std::vector<std::string> lines;
    std::string bye;
};

constexpr std::chrono::minutes nine{9};

imap::Login login_with(imap::Mechanism mechanism) {
    return {mechanism, "user@example.com", Secret("ya29.token"), "imap.example.com", 993};
}

awaitable<Result<void>> greet_and_log_in(Client& client, imap::Login login, Outcome& outcome) {
    auto greeting = co_await client.greet();
    if (!greeting) co_return greeting.error();
    auto answer = co_await client.log_in(std::move(login));
    if (!answer) co_return answer.error();
    outcome.last = *answer;
    co_return Result<void>();
}

awaitable<Result<void>> log_in_xoauth2(Client& client, Outcome& outcome) {
    imap::Login login = login_with(imap::Mechanism::xoauth2);
    auto logged_in = co_await greet_and_log_in(client, std::move(login), outcome);
    co_return logged_in;
}

awaitable<Result<void>> log_in_oauthbearer(Client& client, Outcome& outcome) {
    imap::Login login = login_with(imap::Mechanism::oauthbearer);
    auto logged_in = co_await greet_and_log_in(client, std::move(login), outcome);
    co_return logged_in;
}

awaitable<Result<void>> log_in_plain(Client& client, Outcome& outcome) {
    imap::Login login = login_with(imap::Mechanism::plain);
    login.secret = Secret("pass");
    auto logged_in = co_await greet_and_log_in(client, std::move(login), outcome);
    co_return logged_in;
}

awaitable<Result<void>> log_in_with_password(Client& client, Outcome& outcome) {
    imap::Login login = login_with(imap::Mechanism::login);
    login.secret = Secret("p\xc3\xa4ss\"w");
    auto logged_in = co_await greet_and_log_in(client, std::move(login), outcome);
    co_return logged_in;
}

awaitable<Result<void>> open_inbox(Client& client, Outcome& outcome) {
    auto logged_in = co_await log_in_xoauth2(client, outcome);
    if (!logged_in) co_return logged_in.error();
    auto opened = co_await client.open("INBOX", Client::Access::read_write);
    if (!opened) co_return opened.error();
    outcome.last = opened->answer;
    outcome.selected = opened->selected;
    co_return Result<void>();
}

awaitable<Result<void>> fetch(Client& client, imap::UidSet uids, Client::FetchPlan plan, Outcome& outcome) {
    auto fetched = co_await client.fetch(std::move(uids), plan, outcome.sink);
    if (!fetched) co_return fetched.error();
    outcome.fetch = std::move(*fetched);
    co_return Result<void>();
}

awaitable<Result<void>> exchange_session(Client& client, Outcome& outcome) {
    auto opened = co_await open_inbox(client, outcome);
    if (!opened) co_return opened.error();
    auto found = co_await client.search("ALL");
    if (!found) co_return found.error();
    outcome.found = found->uids;
    const Client::FetchPlan plan{.batch_uids = 2};
    auto fetched = co_await fetch(client, found->uids, plan, outcome);
    if (!fetched) co_return fetched.error();
    for (int round = 0; round < 2; ++round) {
        auto woken = co_await client.idle(nine);
        if (!woken) co_return woken.error();
        outcome.woken.push_back(*woken);
    }
    outcome.selected = client.selected();
    auto logged_out = co_await client.log_out();
    co_return logged_out;
}

awaitable<Result<void>> exchange_not_connected(Client& client, Outcome& outcome) {
    auto opened = co_await open_inbox(client, outcome);
    if (!opened) co_return opened.error();
    auto answer = co_await client.noop();
    if (!answer) co_return answer.error();
    co_return Result<void>();
}

awaitable<Result<void>> idle_once(Client& client, Outcome& outcome) {
    auto opened = co_await open_inbox(client, outcome);
    if (!opened) co_return opened.error();
    auto woken = co_await client.idle(nine);
    if (!woken) co_return woken.error();
    co_return Result<void>();
}

awaitable<Result<void>> fetch_without_data(Client& client, Outcome& outcome) {
    auto opened = co_await open_inbox(client, outcome);
    if (!opened) co_return opened.error();
    imap::UidSet uids;
    uids.add({11, 14});
    const Client::FetchPlan plan;
    auto fetched = co_await fetch(client, std::move(uids), plan, outcome);
    co_return fetched;
}

awaitable<Result<void>> look_around(Client& client, Outcome& outcome) {
    std::vector<std::pair<std::string, std::string>> fields = {{"name", "rohrpost"}};
    auto identified = co_await client.identify(std::move(fields));
    if (!identified) co_return identified.error();
    auto listed = co_await client.list("*");
    if (!listed) co_return listed.error();
    outcome.listed = listed->entries;
    if (outcome.listed.size() != 4) co_return imap::errc::malformed_response;
    auto opened = co_await client.open(outcome.listed[3].name, Client::Access::read_only);
    if (!opened) co_return opened.error();
    outcome.selected = opened->selected;
    co_return Result<void>();
}

awaitable<Result<void>> fetch_rest_of_8(Client& client, Outcome& outcome) {
    auto fetched = co_await client.fetch_part(8, 2, 3, outcome.part_sink);
    if (!fetched) co_return fetched.error();
    outcome.part = std::move(*fetched);
    co_return Result<void>();
}

awaitable<Result<void>> gmail_session(Client& client, Outcome& outcome) {
    auto logged_in = co_await log_in_oauthbearer(client, outcome);
    if (!logged_in) co_return logged_in.error();
    auto looked = co_await look_around(client, outcome);
    if (!looked) co_return looked.error();
    auto found = co_await client.search("UID 1:*");
    if (!found) co_return found.error();
    outcome.found = found->uids;
    auto counted = co_await client.status("INBOX");
    if (!counted) co_return counted.error();
    outcome.counted = counted->status;
    const Client::FetchPlan plan;
    auto fetched = co_await fetch(client, outcome.found, plan, outcome);
    if (!fetched) co_return fetched.error();
    auto part = co_await fetch_rest_of_8(client, outcome);
    if (!part) co_return part.error();
    auto answer = co_await client.noop();
    if (!answer) co_return answer.error();
    co_return Result<void>();
}

awaitable<Result<void>> refused_batch(Client& client, Outcome& outcome) {
    auto logged_in = co_await log_in_xoauth2(client, outcome);
    if (!logged_in) co_return logged_in.error();
    imap::UidSet uids;
    uids.add({1, 9});
    const Client::FetchPlan plan{.batch_uids = 2, .batches_in_flight = 2};
    auto fetched = co_await fetch(client, std::move(uids), plan, outcome);
    co_return fetched;
}

awaitable<Result<void>> wrong_data(Client& client, Outcome& outcome) {
    auto logged_in = co_await log_in_xoauth2(client, outcome);
    if (!logged_in) co_return logged_in.error();
    imap::UidSet uids;
    uids.add({1, 3});
    const Client::FetchPlan plan;
    auto fetched = co_await fetch(client, std::move(uids), plan, outcome);
    co_return fetched;
}

/// PLAIN, INBOX, and what is in it, through one IDLE.
awaitable<Result<void>> look_into(Client& client, Client::Access access, Outcome& outcome) {
    auto opened = co_await client.open("INBOX", access);
    if (!opened) co_return opened.error();
    outcome.selected = opened->selected;
    auto found = co_await client.search("UID 1:*");
    if (!found) co_return found.error();
    outcome.found = found->uids;
    const Client::FetchPlan plan;
    auto fetched = co_await fetch(client, outcome.found, plan, outcome);
    if (!fetched) co_return fetched.error();
    auto woken = co_await client.idle(nine);
    if (!woken) co_return woken.error();
    outcome.woken.push_back(*woken);
    co_return Result<void>();
}

awaitable<Result<void>> courier_session(Client& client, Outcome& outcome) {
    auto logged_in = co_await log_in_plain(client, outcome);
    if (!logged_in) co_return logged_in.error();
    auto examined = co_await client.open("INBOX", Client::Access::read_only);
    if (!examined) co_return examined.error();
    outcome.counted = examined->selected;
    auto looked = co_await look_into(client, Client::Access::read_write, outcome);
    if (!looked) co_return looked.error();
    auto logged_out = co_await client.log_out();
    co_return logged_out;
}

awaitable<Result<void>> cyrus_session(Client& client, Outcome& outcome) {
    auto logged_in = co_await log_in_plain(client, outcome);
    if (!logged_in) co_return logged_in.error();
    auto looked = co_await look_into(client, Client::Access::read_only, outcome);
    if (!looked) co_return looked.error();
    auto opened = co_await client.open("No such folder", Client::Access::read_only);
    if (!opened) co_return opened.error();
    outcome.last = opened->answer;
    co_return Result<void>();
}

using Driver = awaitable<Result<void>> (*)(Client&, Outcome&);

struct Dialogue {
    const char* transcript;
    Driver driver;
    error_code ends_in;  // empty: well
};

const Dialogue dialogues[] = {
    {"imap/exchange_session.txt", exchange_session, {}},
    {"imap/exchange_token_refused.txt", log_in_xoauth2, {}},
    {"imap/exchange_not_connected.txt", exchange_not_connected, imap::errc::bye},
    {"imap/exchange_unavailable.txt", open_inbox, imap::errc::bye},
    {"imap/exchange_token_expired_in_idle.txt", idle_once, imap::errc::bye},
    {"imap/exchange_fetch_without_data.txt", fetch_without_data, {}},
    {"imap/gmail_session.txt", gmail_session, {}},
    {"imap/gmail_token_refused.txt", log_in_xoauth2, {}},
    {"imap/oauthbearer_refused.txt", log_in_oauthbearer, {}},
    {"imap/xoauth2_two_steps.txt", log_in_xoauth2, {}},
    {"imap/password_login.txt", log_in_with_password, {}},
    {"imap/plain_login.txt", log_in_plain, {}},
    {"imap/courier_session.txt", courier_session, {}},
    {"imap/cyrus_session.txt", cyrus_session, {}},
    {"imap/refused_batch.txt", refused_batch, {}},
    {"imap/wrong_data.txt", wrong_data, {}},
};

awaitable<Result<void>> drive(ScriptedStream& stream, Driver driver, Outcome& outcome) {
    const imap::Limits limits;
    const imap::Paces paces;
    Client client(stream, limits, paces);
    auto ended = co_await driver(client, outcome);
    outcome.lines = client.last_lines();
    outcome.bye = client.bye();
    co_return ended;
}

Result<void> play(ScriptedStream& stream, Driver driver, Outcome& outcome) {
    return support::run_coroutine(drive(stream, driver, outcome));
}

/// Plays a transcript as it is written; its dialogue must end as said in the table.
Outcome outcome_of(const std::string& transcript, std::size_t piece_bytes = 1U << 20U) {
    for (const Dialogue& each : dialogues) {
        if (each.transcript != transcript) continue;
        Outcome outcome;
        ScriptedStream stream(support::load_transcript(transcript), piece_bytes);
        const auto ended = play(stream, each.driver, outcome);
        INFO(transcript << " with pieces of " << piece_bytes);
        CHECK((ended ? error_code() : ended.error()) == each.ends_in);
        CHECK(stream.surprise().empty());
        CHECK(stream.finished());
        CHECK(outcome.sink.violations == std::vector<std::string>{});
        return outcome;
    }
    throw std::logic_error("no dialogue for " + transcript);
}

bool mentions(const std::vector<std::string>& lines, std::string_view words) {
    for (const std::string& line : lines)
        if (line.find(words) != std::string::npos) return true;
    return false;
}

}  // namespace

TEST_CASE("imap transcripts: every file has its dialogue", "[imap]") {
    for (const std::string& name : support::transcripts_in("imap")) {
        CAPTURE(name);
        CHECK(std::count_if(std::begin(dialogues), std::end(dialogues),
                            [&](const Dialogue& each) { return each.transcript == name; }) == 1);
    }
}

TEST_CASE("imap transcripts: any split of the server's bytes gives the same dialogue", "[imap]") {
    for (const Dialogue& each : dialogues) {
        const Outcome whole = outcome_of(each.transcript);
        for (const std::size_t piece_bytes : {1U, 2U, 3U, 7U}) {
            const Outcome split = outcome_of(each.transcript, piece_bytes);
            CHECK(split.sink.bodies == whole.sink.bodies);
            CHECK(split.sink.broken == whole.sink.broken);
            CHECK(split.fetch.unanswered == whole.fetch.unanswered);
            CHECK(split.last.text == whole.last.text);
            CHECK(split.bye == whole.bye);
            CHECK(split.lines == whole.lines);
        }
    }
}

TEST_CASE("imap transcripts: a hang-up after any turn ends in an error", "[imap]") {
    for (const Dialogue& each : dialogues) {
        const support::Transcript turns = support::load_transcript(each.transcript);
        for (std::size_t kept = 0; kept < turns.size(); ++kept) {
            CAPTURE(each.transcript, kept);
            Outcome outcome;
            ScriptedStream stream(support::cut_after(turns, kept));
            CHECK(play(stream, each.driver, outcome).has_error());
            CHECK(outcome.sink.violations == std::vector<std::string>{});
        }
    }
}

TEST_CASE("imap transcripts: no secret in the last lines", "[imap]") {
    for (const Dialogue& each : dialogues) {
        const Outcome outcome = outcome_of(each.transcript);
        CAPTURE(each.transcript);
        CHECK_FALSE(outcome.lines.empty());
        CHECK(outcome.lines.size() <= 21);
        CHECK_FALSE(mentions(outcome.lines, "eWEyOS50b2tlbg"));  // ya29.token
        CHECK_FALSE(mentions(outcome.lines, "YTI5LnRva2Vu"));
        CHECK_FALSE(mentions(outcome.lines, "AHBhc3M"));
        CHECK_FALSE(mentions(outcome.lines, "p\\xc3"));
    }
    CHECK(mentions(outcome_of("imap/exchange_token_refused.txt").lines, "C: R2 AUTHENTICATE XOAUTH2 <redacted>"));
    CHECK(mentions(outcome_of("imap/password_login.txt").lines, "C: R1 LOGIN <redacted>"));
}

TEST_CASE("imap client: a whole session at Exchange Online", "[imap]") {
    const Outcome outcome = outcome_of("imap/exchange_session.txt");
    CHECK(outcome.found.text() == "23068:23069,23071");
    CHECK(outcome.sink.bodies == std::map<imap::Uid, std::string>{{23068, "Subject: one\r\n\r\na\r\n"},
                                                                  {23069, "Subject: two\r\n\r\n"},
                                                                  {23071, "b: \"c\""}});
    REQUIRE(outcome.sink.items.size() == 3);
    CHECK(outcome.sink.items[0].flags == std::vector<std::string>{"\\Seen"});
    CHECK(outcome.sink.items[0].size == 19189);
    CHECK(outcome.sink.items[1].internal_date == " 3-Nov-2026 10:11:12 +0000");
    CHECK(outcome.fetch.unanswered.empty());
    CHECK(outcome.fetch.refused.empty());
    CHECK(outcome.fetch.not_asked.empty());
    CHECK(outcome.woken == std::vector<Client::Woken>{Client::Woken::news, Client::Woken::time});
    CHECK(outcome.selected.exists == 2557);
    CHECK(outcome.selected.uid_validity == 170535);
    CHECK(outcome.selected.uid_next == 23072);
    CHECK_FALSE(outcome.selected.read_only);
    CHECK(outcome.bye == "Microsoft Exchange Server IMAP4 server signing off.");
}

TEST_CASE("imap client: a whole session at Gmail", "[imap]") {
    const Outcome outcome = outcome_of("imap/gmail_session.txt");
    CHECK(outcome.last.text == "user@example.com authenticated (Success)");
    CHECK(outcome.listed[3].name == "[Gmail]/Entw\xc3\xbcrfe");
    CHECK(outcome.listed[3].wire_name == "[Gmail]/Entw&APw-rfe");
    CHECK(outcome.listed[1].attributes == std::vector<std::string>{"\\HasChildren", "\\Noselect"});
    CHECK(outcome.listed[0].delimiter == '/');
    CHECK(outcome.selected.read_only);
    CHECK(outcome.selected.uid_next == 10);
    CHECK(outcome.found.text() == "7:8");
    CHECK(outcome.counted.exists == 231);
    CHECK(outcome.counted.uid_next == 44292);
    CHECK(outcome.counted.uid_validity == 5);
    CHECK(outcome.part_sink.bodies == std::map<imap::Uid, std::string>{{8, "\r\nf"}});
    CHECK(outcome.part.unanswered.empty());
    CHECK(outcome.sink.bodies == std::map<imap::Uid, std::string>{{7, "abc"}, {8, "de\r\nf"}});
}

TEST_CASE("imap client: a whole session at Courier", "[imap]") {
    const Outcome outcome = outcome_of("imap/courier_session.txt");
    CHECK(outcome.counted.uid_next == 0);  // that of EXAMINE
    CHECK(outcome.counted.read_only);
    CHECK(outcome.selected.uid_next == 0);
    CHECK(outcome.selected.uid_validity == 795719053);
    CHECK_FALSE(outcome.selected.read_only);
    CHECK(outcome.found.text() == "1,4:5");
    CHECK(outcome.sink.bodies.at(1) == "Subject: x\r\n\r\nhello\r\n");
    CHECK(outcome.sink.bodies.at(5).size() == 129);
    CHECK(outcome.fetch.unanswered.text() == "4");  // without a single byte
    CHECK(outcome.woken == std::vector<Client::Woken>{Client::Woken::news});
}

TEST_CASE("imap client: a whole session at Cyrus", "[imap]") {
    const Outcome outcome = outcome_of("imap/cyrus_session.txt");
    CHECK(outcome.selected.uid_next == 2);
    CHECK(outcome.selected.read_only);
    CHECK(outcome.sink.bodies == std::map<imap::Uid, std::string>{{1, "Subject: x\r\n\r\nhello\r\n"}});
    CHECK(outcome.woken == std::vector<Client::Woken>{Client::Woken::news});
    CHECK(outcome.last.status == imap::Status::no);
    CHECK(outcome.last.text == "Mailbox does not exist");
}

TEST_CASE("imap client: refusals of a login are answers with the server's words", "[imap]") {
    CHECK(outcome_of("imap/exchange_token_refused.txt").last.text == "AUTHENTICATE failed.");
    CHECK(outcome_of("imap/gmail_token_refused.txt").last.code == "AUTHENTICATIONFAILED");
    CHECK(outcome_of("imap/oauthbearer_refused.txt").last.status == imap::Status::no);
    CHECK(outcome_of("imap/xoauth2_two_steps.txt").last.status == imap::Status::no);
    const Outcome not_connected = outcome_of("imap/exchange_not_connected.txt");
    CHECK(imap::hint_of(not_connected.last).kind == imap::Hint::Kind::not_connected);
    CHECK(not_connected.bye == "Connection closed. 14");
}

TEST_CASE("imap client: BYE keeps its words, in IDLE and after a line that follows no rule", "[imap][hostile-38]") {
    const Outcome expired = outcome_of("imap/exchange_token_expired_in_idle.txt");
    CHECK(imap::hint_of(expired.bye).kind == imap::Hint::Kind::token_expired);
    const Outcome unavailable = outcome_of("imap/exchange_unavailable.txt");
    CHECK(mentions(unavailable.lines, "S: Server Unavailable. 15"));
}

TEST_CASE("imap client: OK without data leaves the message unanswered", "[imap][hostile-37]") {
    const Outcome outcome = outcome_of("imap/exchange_fetch_without_data.txt");
    CHECK(outcome.sink.bodies == std::map<imap::Uid, std::string>{{11, "one"}});
    CHECK(outcome.fetch.unanswered.text() == "12:14");
    CHECK(outcome.fetch.refused.empty());
}

TEST_CASE("imap client: what was not asked for never arrives as a body", "[imap][hostile-37]") {
    const Outcome outcome = outcome_of("imap/wrong_data.txt");
    CHECK(outcome.sink.bodies == std::map<imap::Uid, std::string>{{1, "1"}});
    CHECK(outcome.sink.broken == 1);  // the one whose UID came after the body
    CHECK(outcome.fetch.unanswered.text() == "2:3");
}

TEST_CASE("imap client: each UID of a refused fetch is accounted for", "[imap]") {
    const Outcome outcome = outcome_of("imap/refused_batch.txt");
    CHECK(outcome.sink.bodies == std::map<imap::Uid, std::string>{{1, "1"}, {3, "3"}});
    CHECK(outcome.fetch.refused.text() == "2");
    CHECK(outcome.fetch.unanswered.text() == "4");
    CHECK(outcome.fetch.not_asked.text() == "5:9");
    REQUIRE(outcome.fetch.refusals.size() == 1);
    CHECK(imap::hint_of(outcome.fetch.refusals[0]).back_off_ms == 92415);
}

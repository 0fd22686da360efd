#include "engine/consumers/lmtp.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/consumers/calling.hpp"

using namespace consumers;
using namespace consumers_test;
using Fault = Delivered::Fault;

namespace {

Lmtp::Options options() {
    Lmtp::Options options;
    options.host = "/run/lmtp";
    options.where = "unix:/run/lmtp";
    options.recipient = "{address}";
    options.own_name = "rohrpost.example";
    return options;
}

std::vector<Turn> greeted(std::vector<Turn> turns, const std::string& offered = "250-lda\r\n250 PIPELINING\r\n") {
    turns.insert(turns.begin(),
                 {server_says("220 lda LMTP\r\n"), client_says("LHLO rohrpost.example\r\n"), server_says(offered)});
    return turns;
}

std::string front(int seq, const std::string& mailbox) {
    return "X-Rohrpost-Id: " + Office::id(seq) + "\r\nX-Rohrpost-Mailbox: " + mailbox + "\r\n";
}

/// The turns of one mail through DATA.
std::vector<Turn> mail_turns(const std::string& from, const std::string& to, const std::string& body,
                             const std::string& said) {
    return {client_says("MAIL FROM:<" + from + ">\r\nRCPT TO:<" + to + ">\r\nDATA\r\n"),
            server_says("250 ok\r\n250 ok\r\n354 go\r\n"), client_says(body + ".\r\n"), server_says(said + "\r\n")};
}

std::vector<Turn> operator+(std::vector<Turn> a, const std::vector<Turn>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace

TEST_CASE("lmtp: mails go over one session, with their ids in front and the sender of their Return-Path",
          "[consumers][lmtp]") {
    Office office;
    office.put("support", "support@example.com", "Return-Path: <a@example.org>\r\nSubject: 1\r\n\r\nx\r\n");
    office.put("sales", "sales@example.com", "Subject: 2\r\n\r\n.\r\n").possible_repeat = true;
    office.dialer.scripts = {greeted(
        mail_turns("a@example.org", "support@example.com",
                   front(1, "support") + "Return-Path: <a@example.org>\r\nSubject: 1\r\n\r\nx\r\n", "250 2.0.0 saved") +
        mail_turns("", "sales@example.com",
                   front(2, "sales") + "X-Rohrpost-Possible-Repeat: yes\r\nSubject: 2\r\n\r\n..\r\n",
                   "250 2.0.0 saved"))};
    Lmtp lmtp(options(), office.seams);
    const auto delivered = office.deliver(lmtp);
    CHECK(delivered.reason == "");
    CHECK(delivered.count == 2);
    REQUIRE(office.dialer.streams.size() == 1);
    CHECK(office.dialer.streams[0]->surprise() == "");
    CHECK(office.dialer.dialled[0].host == "/run/lmtp");
    CHECK(office.dialer.dialled[0].security == net::Security::plain);
}

TEST_CASE("lmtp: recipients are made of the mailbox's id or address", "[consumers][lmtp]") {
    Office office;
    office.put("support", "support@example.com", "Subject: 1\r\n\r\n");
    office.dialer.scripts = {
        greeted(mail_turns("", "in+support@lda.example", front(1, "support") + "Subject: 1\r\n\r\n", "250 saved"))};
    auto set = options();
    set.recipient = "in+{mailbox}@lda.example";
    Lmtp lmtp(set, office.seams);
    CHECK(office.deliver(lmtp).count == 1);

    set.recipient = "{mailbox}";
    Lmtp without_domain(set, office.seams);
    const auto delivered = office.deliver(without_domain);
    CHECK(delivered.fault == Fault::mailbox);
    CHECK_THAT(delivered.reason, Catch::Contains("the recipient \"support\" is no address"));
    CHECK(office.dialer.dialled.size() == 1);
}

TEST_CASE("lmtp: a refused mail ends the batch, and the session serves the next one", "[consumers][lmtp]") {
    Office office;
    office.put("a", "a@example.com", "Subject: 1\r\n\r\n");
    office.put("a", "a@example.com", "Subject: 2\r\n\r\n");
    office.put("b", "b@example.com", "Subject: 3\r\n\r\n");
    office.dialer.scripts = {
        greeted(mail_turns("", "a@example.com", front(1, "a") + "Subject: 1\r\n\r\n", "250 saved") +
                mail_turns("", "a@example.com", front(2, "a") + "Subject: 2\r\n\r\n", "554 5.6.0 no such type") +
                std::vector<Turn>{client_says("RSET\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"),
                                  server_says("250 ok\r\n250 ok\r\n550 5.1.1 no such user\r\n503 nobody\r\n")})};
    Lmtp lmtp(options(), office.seams);
    auto delivered = office.deliver(lmtp);
    CHECK(delivered.count == 1);
    CHECK(delivered.attempted == 1);
    CHECK(delivered.fault == Fault::refused);
    CHECK(delivered.reason ==
          "LMTP to unix:/run/lmtp: the mail for <a@example.com> was answered: 554 5.6.0 no such type");
    office.mails.erase(office.mails.begin(), office.mails.begin() + 2);
    delivered = office.deliver(lmtp);
    CHECK(delivered.count == 0);
    CHECK(delivered.attempted == 0);
    CHECK(delivered.fault == Fault::mailbox);
    CHECK_THAT(delivered.reason, Catch::Contains("RCPT TO:<b@example.com> was answered: 550 5.1.1 no such user"));
    CHECK(office.dialer.dialled.size() == 1);
}

TEST_CASE("lmtp: without a reply to its last byte a mail may be there, and is tried again as a possible repeat",
          "[consumers][lmtp][hostile-17]") {
    Office office;
    office.put("a", "a@example.com", "Subject: 1\r\n\r\n");
    office.put("a", "a@example.com", "Subject: 2\r\n\r\n");
    auto turns = mail_turns("", "a@example.com", front(1, "a") + "Subject: 1\r\n\r\n", "");
    turns.pop_back();
    office.dialer.scripts = {greeted(turns)};
    Lmtp lmtp(options(), office.seams);
    const auto delivered = office.deliver(lmtp);
    CHECK(delivered.count == 0);
    CHECK(delivered.attempted == 1);
    CHECK(delivered.fault == Fault::mail);
    CHECK_THAT(delivered.reason, Catch::Contains("the mail may have been taken"));
}

TEST_CASE("lmtp: a server that takes nothing has everything wait", "[consumers][lmtp]") {
    Office office;
    office.put("a", "a@example.com", "Subject: 1\r\n\r\n");
    Lmtp lmtp(options(), office.seams);
    auto delivered = office.deliver(lmtp);
    CHECK(delivered.fault == Fault::consumer);
    CHECK(delivered.attempted == 0);
    CHECK_THAT(delivered.reason, Catch::Contains("connecting failed: connection refused"));

    office.dialer.scripts = {{server_says("421 4.3.2 too busy\r\n")}};
    delivered = office.deliver(lmtp);
    CHECK(delivered.fault == Fault::consumer);
    CHECK_THAT(delivered.reason, Catch::Contains("greeted with 421 4.3.2 too busy"));

    office.dialer.scripts = {
        {server_says("220 smtp\r\n"), client_says("LHLO rohrpost.example\r\n"), server_says("500 what?\r\n")}};
    delivered = office.deliver(lmtp);
    CHECK(delivered.fault == Fault::consumer);
    CHECK_THAT(delivered.reason, Catch::Contains("LHLO was answered: 500 what?"));
}

TEST_CASE("lmtp: a sender that the server refuses is left out", "[consumers][lmtp]") {
    Office office;
    office.put("a", "a@example.com", "Return-Path: <x@example.org>\r\n\r\n");
    const auto body = front(1, "a") + "Return-Path: <x@example.org>\r\n\r\n";
    office.dialer.scripts = {
        greeted({client_says("MAIL FROM:<x@example.org>\r\n"), server_says("550 5.1.8 no such domain\r\n"),
                 client_says("MAIL FROM:<>\r\n"), server_says("250 ok\r\n"), client_says("RCPT TO:<a@example.com>\r\n"),
                 server_says("250 ok\r\n"), client_says("DATA\r\n"), server_says("354 go\r\n"),
                 client_says(body + ".\r\n"), server_says("250 saved\r\n")},
                "250 lda\r\n")};
    Lmtp lmtp(options(), office.seams);
    const auto delivered = office.deliver(lmtp);
    CHECK(delivered.reason == "");
    CHECK(delivered.count == 1);
}

TEST_CASE("lmtp: line ends by themselves become whole ones, whatever the size of the mail",
          "[consumers][lmtp][hostile-14]") {
    Office office;
    const bool large = GENERATE(false, true);
    CAPTURE(large);
    std::string body = "Subject: 1\n\n", canonical = "Subject: 1\r\n\r\n";
    for (int line = 0; line < (large ? 20'000 : 3); ++line) {
        body += ".a line of twenty byte\n";
        canonical += "..a line of twenty byte\r\n";
    }
    office.put("a", "a@example.com", body + "the end");
    office.dialer.scripts = {
        greeted({client_says("MAIL FROM:<>\r\n"), server_says("250 ok\r\n"), client_says("RCPT TO:<a@example.com>\r\n"),
                 server_says("250 ok\r\n"), client_says("DATA\r\n"), server_says("354 go\r\n"),
                 client_says(front(1, "a") + canonical + "the end\r\n.\r\n"), server_says("250 saved\r\n")},
                "250 lda\r\n")};
    Lmtp lmtp(options(), office.seams);
    const auto delivered = office.deliver(lmtp);
    CHECK(delivered.reason == "");
    CHECK(delivered.count == 1);
    CHECK(office.bodies.largest_read <= BodyReader::piece_bytes);
}

TEST_CASE("lmtp: a large mail goes in chunks where they are taken", "[consumers][lmtp]") {
    Office office;
    std::string body = "Subject: 1\r\n\r\n";
    while (body.size() < 600'000) body += "a line of text\r\n";
    office.put("a", "a@example.com", body);
    const auto whole = front(1, "a") + body;
    office.dialer.scripts = {greeted(
        {client_says("MAIL FROM:<> SIZE=" + std::to_string(whole.size()) + "\r\nRCPT TO:<a@example.com>\r\nBDAT " +
                     std::to_string(whole.size()) + " LAST\r\n" + whole),
         server_says("250 ok\r\n250 ok\r\n250 saved\r\n")},
        "250-lda\r\n250-PIPELINING\r\n250-SIZE\r\n250 CHUNKING\r\n")};
    Lmtp lmtp(options(), office.seams);
    const auto delivered = office.deliver(lmtp);
    CHECK(delivered.reason == "");
    CHECK(delivered.count == 1);
    CHECK(office.bodies.largest_read <= BodyReader::piece_bytes);
}

TEST_CASE("lmtp: a damaged mail is the mail's fault, and nothing of it is delivered", "[consumers][lmtp][hostile-58]") {
    Office office;
    const bool large = GENERATE(false, true);
    CAPTURE(large);
    auto& mail =
        office.put("a", "a@example.com", "Subject: 1\r\n\r\n" + std::string(large ? 600'000 : 5, 'x') + "\r\n");
    office.bodies.damage(mail.record.body.segment);
    Lmtp lmtp(options(), office.seams);
    const auto delivered = office.deliver(lmtp);
    CHECK(delivered.fault == Fault::message);
    CHECK(delivered.count == 0);
    CHECK(office.dialer.dialled.empty());
}

TEST_CASE("lmtp: a session that ended while nobody used it is replaced", "[consumers][lmtp]") {
    Office office;
    office.put("a", "a@example.com", "Subject: 1\r\n\r\n");
    const auto turns = greeted(mail_turns("", "a@example.com", front(1, "a") + "Subject: 1\r\n\r\n", "250 saved") +
                               std::vector<Turn>{server_says("421 4.4.2 idle for too long\r\n")});
    office.dialer.scripts = {turns, turns};
    Lmtp lmtp(options(), office.seams);
    CHECK(office.deliver(lmtp).count == 1);
    CHECK(office.deliver(lmtp).count == 1);
    CHECK(office.dialer.dialled.size() == 2);
}

TEST_CASE("lmtp: whoever winds up begins no further mail", "[consumers][lmtp]") {
    Office office;
    office.put("a", "a@example.com", "Subject: 1\r\n\r\n");
    Lmtp lmtp(options(), office.seams);
    lmtp.wind_up();
    const auto delivered = office.deliver(lmtp);
    CHECK(delivered.count == 0);
    CHECK(delivered.attempted == 0);
    CHECK(delivered.reason.empty());
    CHECK(office.dialer.dialled.empty());
}

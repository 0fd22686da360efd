#include <catch2/catch.hpp>
#include <deque>
#include <functional>

#include "protocols/smtp/server.hpp"

using smtp::Answer;
using smtp::ServerSession;
using Wants = ServerSession::Wants;

namespace {

struct Mail {
    std::string sender;
    std::vector<std::string> recipients;
    std::string message;
    std::string protocol;
    [[nodiscard]] bool operator==(const Mail&) const = default;
};

/// Drives a session as the inlet does, over any split of what a client says.
struct Driver {
    explicit Driver(ServerSession::Options options = {})
        : session([&] {
              options.name = "mx.example";
              return options;
          }()) {
        session.greet(out);
    }

    std::string say(std::string_view bytes, std::size_t piece_bytes = 1U << 20U) {
        while (!bytes.empty() && !ended) {
            const auto piece = bytes.substr(0, piece_bytes);
            bytes.remove_prefix(piece.size());
            unread += piece;
            go_on();
        }
        return std::exchange(out, {});
    }

    void go_on() {
        for (;;) {
            std::string_view input = unread;
            const auto wants = session.advance(input, out);
            unread.erase(0, unread.size() - input.size());
            held_bytes_max = std::max(held_bytes_max, session.held_bytes());
            switch (wants) {
                case Wants::bytes:
                    return;
                case Wants::sender:
                    session.answer(session.mail().sender && session.mail().sender->domain() == "b.example"
                                       ? Answer{250, "2.1.0 ok"}
                                       : Answer{550, "5.7.1 no"},
                                   out);
                    break;
                case Wants::login:
                    session.answer(session.user() == "app" && session.password().reveal() == "token"
                                       ? Answer{235, "2.7.0 welcome"}
                                       : Answer{535, "5.7.8 wrong"},
                                   out);
                    break;
                case Wants::tls:
                    session.tls_started();
                    unread.clear();
                    tls = true;
                    break;
                case Wants::mail: {
                    Mail mail{session.mail().sender->text(), {}, session.take_message(), session.protocol()};
                    for (const auto& to : session.mail().recipients) mail.recipients.push_back(to.address.text());
                    mails.push_back(std::move(mail));
                    session.answer({250, "2.0.0 queued"}, out);
                    break;
                }
                case Wants::end:
                    ended = true;
                    return;
            }
        }
    }

    ServerSession session;
    std::string out, unread;
    std::vector<Mail> mails;
    std::size_t held_bytes_max = 0;
    bool tls = false;
    bool ended = false;
};

/// The codes of replies, the last line of each.
std::string codes(std::string_view replies) {
    std::string words;
    while (!replies.empty()) {
        const auto end = replies.find("\r\n");
        const auto line = replies.substr(0, end);
        if (line.size() < 4 || line[3] != '-') words += (words.empty() ? "" : " ") + std::string(line.substr(0, 3));
        replies.remove_prefix(end + 2);
    }
    return words;
}

const std::string envelope = "EHLO app.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n";

}  // namespace

TEST_CASE("smtp server: a flight of commands with two mails, in any split", "[smtp]") {
    const std::string flight =
        envelope + "DATA\r\nSubject: 1\r\n\r\n..one\r\n.\r\n" +
        "MAIL FROM:<a@b.example> SMTPUTF8\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<e@f.example>\r\n" +
        "BDAT 5\r\nabc\r\nBDAT 3 LAST\r\n.\r\nQUIT\r\n";
    const std::vector<Mail> expected{{"a@b.example", {"c@d.example"}, "Subject: 1\r\n\r\n.one\r\n", "ESMTP"},
                                     {"a@b.example", {"c@d.example", "e@f.example"}, "abc\r\n.\r\n", "UTF8SMTP"}};
    for (std::size_t piece = 1; piece <= flight.size(); ++piece) {
        CAPTURE(piece);
        Driver driver;
        CHECK(codes(driver.say(flight, piece)) == "220 250 250 250 354 250 250 250 250 250 250 221");
        CHECK(driver.mails == expected);
        CHECK(driver.ended);
        CHECK(driver.session.left());
    }
}

TEST_CASE("smtp server: commands out of order are refused, and nothing is lost by it", "[smtp]") {
    const std::vector<std::pair<std::string, std::string>> table{
        {"MAIL FROM:<a@b.example>\r\n", "503"},
        {"HELO app\r\nMAIL FROM:<a@b.example>\r\n", "250 250"},
        {"EHLO app\r\nRCPT TO:<a@b.example>\r\nDATA\r\n", "250 503 503"},
        {"EHLO app\r\nMAIL FROM:<a@b.example>\r\nDATA\r\n", "250 250 503"},
        {"EHLO app\r\nMAIL FROM:<a@b.example>\r\nMAIL FROM:<a@b.example>\r\n", "250 250 503"},
        {"EHLO app\r\nMAIL FROM:<a@elsewhere.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nNOOP\r\n",
         "250 550 503 503 250"},
        {"EHLO app\r\nMAIL FROM:<>\r\n", "250 550"},
        {envelope + "RSET\r\nDATA\r\n", "250 250 250 250 503"},
        {envelope + "EHLO app\r\nDATA\r\n", "250 250 250 250 503"},
        {envelope + "BDAT 2\r\nabDATA\r\n", "250 250 250 250 503"},
        {envelope + "BDAT 2\r\nabRCPT TO:<x@y.example>\r\n", "250 250 250 250 503"},
        {envelope + "BDAT 2\r\nabRSET\r\nNOOP\r\n", "250 250 250 250 250 250"},
        {"EHLO app\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", "250 503 250"},
        {"EHLO app\r\nMAIL FROM:<a@b.example>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", "250 250 503 250"},
        {"EHLO app\r\nAUTH PLAIN AGFwcAB0b2tlbg==\r\nAUTH PLAIN AGFwcAB0b2tlbg==\r\n", "250 235 503"},
        {"AUTH PLAIN AGFwcAB0b2tlbg==\r\n", "503"},
        {"EHLO app\r\nAUTH PLAIN\r\nAGFwcAB0b2tlbg==\r\n", "250 334 235"},
        {"EHLO app\r\nAUTH LOGIN\r\nYXBw\r\ndG9rZW4=\r\n", "250 334 334 235"},
        {"EHLO app\r\nAUTH LOGIN YXBw\r\ndG9rZW4=\r\n", "250 334 235"},
        {"EHLO app\r\nAUTH LOGIN\r\n*\r\nNOOP\r\n", "250 334 501 250"},
        {"EHLO app\r\nAUTH PLAIN !!\r\nNOOP\r\n", "250 501 250"},
        {"EHLO app\r\nAUTH PLAIN YXBw\r\nNOOP\r\n", "250 501 250"},
        {"EHLO app\r\nAUTH CRAM-MD5\r\n", "250 504"},
        {"EHLO app\r\nSTARTTLS\r\n", "250 502"},
        {"VRFY a\r\nHELP\r\nNOOP\r\nEXPN a\r\n", "252 214 250 502"},
    };
    for (const auto& [said, expected] : table) {
        CAPTURE(said);
        for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, said.size()}) {
            Driver driver;
            CHECK(codes(driver.say(said, piece)) == "220 " + expected);
            CHECK(driver.mails.empty());
        }
    }
}

TEST_CASE("smtp server: a mail with a CR or LF by itself is refused as one, and the next one comes",
          "[smtp][hostile-14]") {
    for (const std::string message :
         {"a\n.\nMAIL FROM:<x@y>\r\n.\r\n", "a\r.\r\nb\r\n.\r\n", "a\r\n.\nb\r\n.\r\n", "a\r\n.\r\r\nb\r\n.\r\n"}) {
        for (std::size_t piece = 1; piece <= message.size(); ++piece) {
            CAPTURE(message, piece);
            Driver driver;
            CHECK(codes(driver.say(envelope + "DATA\r\n")) == "220 250 250 250 354");
            const auto replies = driver.say(message, piece);
            CHECK(replies.starts_with("550 5.6.11 "));
            CHECK(codes(replies) == "550");
            CHECK(codes(driver.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 3 LAST\r\na\nb")) ==
                  "250 250 550");
            CHECK(codes(driver.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 4 LAST\r\na\r\nb")) ==
                  "250 250 250");
            CHECK(driver.mails.size() == 1);
        }
    }
}

TEST_CASE("smtp server: what comes behind STARTTLS before TLS ends the session", "[smtp][hostile-1]") {
    ServerSession::Options options;
    options.offers_tls = true;
    options.takes_login_plain = false;
    options.needs_login = true;
    {
        Driver driver(options);
        CHECK(codes(driver.say("EHLO app\r\nSTARTTLS\r\nMAIL FROM:<a@b.example>\r\n")) == "220 250 554");
        CHECK(driver.ended);
        CHECK_FALSE(driver.tls);
    }
    Driver driver(options);
    CHECK(driver.say("EHLO app\r\n").find("STARTTLS") != std::string::npos);
    CHECK(codes(driver.say("AUTH PLAIN AGFwcAB0b2tlbg==\r\n")) == "538");
    CHECK(driver.say("MAIL FROM:<a@b.example>\r\n").starts_with("530 5.7.0 say STARTTLS"));
    CHECK(codes(driver.say("STARTTLS\r\n")) == "220");
    REQUIRE(driver.tls);
    CHECK(codes(driver.say("MAIL FROM:<a@b.example>\r\n")) == "503");  // what was said before is forgotten
    const auto offered = driver.say("EHLO app\r\n");
    CHECK(offered.find("STARTTLS") == std::string::npos);
    CHECK(offered.find("AUTH PLAIN LOGIN") != std::string::npos);
    CHECK(codes(driver.say("STARTTLS\r\n")) == "503");
    CHECK(codes(driver.say("MAIL FROM:<a@b.example>\r\n")) == "530");
    CHECK(codes(driver.say("AUTH PLAIN AGFwcAB0b2tlbg==\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"
                           "BDAT 2 LAST\r\nab")) == "235 250 250 250");
    CHECK(driver.mails.at(0).protocol == "ESMTPSA");
}

TEST_CASE("smtp server: sizes, recipients, nonsense and guesses have limits", "[smtp]") {
    ServerSession::Options options;
    options.message_bytes_max = 100'000;
    options.recipients_max = 2;
    {
        Driver driver(options);
        CHECK(codes(driver.say("EHLO a\r\nMAIL FROM:<a@b.example> SIZE=100001\r\n")) == "220 250 552");
        CHECK(codes(driver.say("MAIL FROM:<a@b.example> SIZE=100000\r\nRCPT TO:<1@d.example>\r\n"
                               "RCPT TO:<2@d.example>\r\nRCPT TO:<3@d.example>\r\nDATA\r\n")) == "250 250 250 452 354");
        CHECK(driver.say(std::string(200'000, 'x'), 1000).empty());
        CHECK(driver.session.held_bytes() < 4096);
        CHECK(codes(driver.say("\r\n.\r\nNOOP\r\n")) == "552 250");
        CHECK(driver.held_bytes_max < 250'000);
        CHECK(driver.mails.empty());
    }
    {
        Driver driver(options);
        driver.say(envelope + "DATA\r\n");
        CHECK(codes(driver.say(std::string(1'000'000, 'x'), 1000)) == "421");
        CHECK(driver.ended);
    }
    {
        Driver driver(options);
        driver.say(envelope);
        CHECK(codes(driver.say("BDAT 200000 LAST\r\n" + std::string(200'000, 'x') + "NOOP\r\n", 1000)) == "552 250");
        CHECK(codes(driver.say("BDAT 4611686018427387904\r\n")).empty());
        CHECK(codes(driver.say(std::string(1'000'000, 'x'), 1000)) == "421");
        CHECK(driver.held_bytes_max < 250'000);
    }
    {
        Driver driver;
        driver.say("EHLO a\r\n");
        std::string all;
        for (int each = 0; each < 30; ++each) all += driver.say("NONSENSE\r\n");
        CHECK(codes(all).ends_with("500 421"));
        CHECK(driver.ended);
    }
    {
        Driver driver(options);
        std::string all;
        for (int each = 0; each < 200; ++each) all += driver.say("NOOP\r\n");
        CHECK(codes(all).ends_with("250 421"));
    }
    {
        Driver driver;
        CHECK(codes(driver.say("EHLO a\r\nAUTH PLAIN AGFwcAB4\r\nAUTH PLAIN AGFwcAB4\r\nAUTH PLAIN AGFwcAB4\r\n")) ==
              "220 250 535 535 535 421");
        CHECK(driver.ended);
    }
    {
        Driver driver;
        CHECK(codes(driver.say("NOOP " + std::string(3000, 'x') + "\r\nNOOP\r\n", 100)) == "220 500 250");
        CHECK(codes(driver.say(std::string(100'000, 'x'), 100)) == "421");
    }
}

TEST_CASE("smtp server: a message that is given up is read to its end", "[smtp]") {
    Driver driver;
    driver.say(envelope + "DATA\r\n");
    driver.say("half of it");
    driver.session.give_up_message({452, "4.3.1 no room"});
    CHECK(driver.session.held_bytes() < 64);
    CHECK(codes(driver.say(" and the rest\r\n.\r\n")) == "452");
    CHECK(driver.mails.empty());
}

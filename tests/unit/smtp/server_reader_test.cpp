#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "protocols/smtp/command_reader.hpp"
#include "protocols/smtp/data.hpp"
#include "protocols/smtp/data_reader.hpp"
#include "protocols/smtp/server_command.hpp"
#include "tests/support/smtp_readers.hpp"

using smtp::DataReader;
using smtp::LineReader;

namespace {

std::vector<std::string> lines_of(std::string_view bytes, std::size_t piece_bytes, std::size_t line_bytes_max = 40) {
    std::vector<std::string> words;
    LineReader reader;
    while (!bytes.empty()) {
        auto piece = bytes.substr(0, piece_bytes);
        bytes.remove_prefix(piece.size());
        while (!piece.empty()) {
            const auto line = reader.read(piece, line_bytes_max);
            if (!line) break;
            if (line->fault == LineReader::Fault::bare_line_end) {
                words.emplace_back("<bare>");
                return words;  // the session ends there
            }
            words.push_back(line->fault == LineReader::Fault::too_long ? "<too long>" : line->text);
        }
    }
    return words;
}

/// What a server that goes by the reader makes of bytes: mails, and what is left for commands.
support::ReadData read_data(std::string_view bytes, std::size_t piece_bytes) {
    support::ReadData read;
    DataReader reader;
    std::string mail;
    std::string_view begin = bytes;
    for (std::size_t at = 0; at < bytes.size();) {
        auto piece = bytes.substr(at, piece_bytes);
        const auto before = piece.size();
        const auto state = reader.read(piece, mail);
        at += before - piece.size();
        if (state == DataReader::Read::end) {
            read.mails.push_back(std::exchange(mail, {}));
            begin = bytes.substr(at);
        } else {
            REQUIRE(piece.empty());
        }
    }
    read.rest = begin;
    return read;
}

const std::vector<std::string> smuggled = {
    "a\n.\nMAIL FROM:<x@y>\r\n.\r\n",       "a\n.\r\nMAIL FROM:<x@y>\r\n.\r\n",
    "a\r.\rMAIL FROM:<x@y>\r\n.\r\n",       "a\r.\r\nMAIL FROM:<x@y>\r\n.\r\n",
    "a\r\n.\nMAIL FROM:<x@y>\r\n.\r\n",     "a\r\n.\rMAIL FROM:<x@y>\r\n.\r\n",
    "a\r\n.\r\r\nMAIL FROM:<x@y>\r\n.\r\n", "a\r\r\n.\r\r\nMAIL FROM:<x@y>\r\n.\r\n",
    "a\n\n.\n\nMAIL FROM:<x@y>\r\n.\r\n",   std::string("a\r\n\0.\r\nMAIL FROM:<x@y>\r\n.\r\n", 27),
    "a\n.\r\r\nMAIL FROM:<x@y>\r\n.\r\n",   ".\nMAIL FROM:<x@y>\r\n.\r\n",
};

std::string read_and_print(std::string_view line) {
    const auto read = smtp::read_command(line);
    if (const auto* answer = std::get_if<smtp::Answer>(&read)) return std::to_string(answer->code);
    const auto& command = std::get<smtp::ClientCommand>(read);
    if (const auto* hello = std::get_if<smtp::Hello>(&command))
        return (hello->extended ? "ehlo " : "helo ") + hello->name;
    if (const auto* mail = std::get_if<smtp::MailFrom>(&command)) {
        std::string words = "mail " + (mail->sender ? mail->sender->text() : "nobody");
        if (mail->size_bytes) words += " size " + std::to_string(*mail->size_bytes);
        if (mail->body_kind == smtp::BodyKind::eight_bit) words += " 8bit";
        if (mail->smtputf8) words += " utf8";
        if (mail->returned == smtp::Returned::full) words += " full";
        if (mail->returned == smtp::Returned::headers) words += " headers";
        return words + (mail->envelope_id.empty() ? "" : " id " + mail->envelope_id);
    }
    if (const auto* to = std::get_if<smtp::RcptTo>(&command)) {
        std::string words = "rcpt " + to->recipient.address.text();
        const auto& notify = to->recipient.notify;
        if (notify.never) words += " never";
        if (notify.success) words += " success";
        if (notify.failure) words += " failure";
        if (notify.delay) words += " delay";
        return words + (to->recipient.original.empty() ? "" : " for " + to->recipient.original);
    }
    if (const auto* chunk = std::get_if<smtp::ChunkBegin>(&command))
        return "bdat " + std::to_string(chunk->bytes) + (chunk->last ? " last" : "");
    if (const auto* auth = std::get_if<smtp::Auth>(&command))
        return "auth " + auth->mechanism + (auth->initial ? " " + std::string(auth->initial->reveal()) : "");
    return "command " + std::to_string(command.index());
}

}  // namespace

TEST_CASE("smtp server: any split of a client's bytes gives the same lines", "[smtp]") {
    const std::string bytes = "EHLO a.example\r\n\r\nNOOP  x\r\n" + std::string(50, 'y') + "\r\nRSET\r\n" +
                              std::string(38, 'z') + "\r\n" + std::string(39, 'w') + "\r\nQUIT";
    const std::vector<std::string> expected{"EHLO a.example",     "",          "NOOP  x", "<too long>", "RSET",
                                            std::string(38, 'z'), "<too long>"};
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        CAPTURE(piece);
        CHECK(lines_of(bytes, piece) == expected);
    }
    for (std::size_t kept = 0; kept < bytes.size(); ++kept) {  // each prefix: the same lines as far as they end
        const auto lines = lines_of(std::string_view(bytes).substr(0, kept), 7);
        CAPTURE(kept);
        REQUIRE(lines.size() <= expected.size());
        CHECK(std::equal(lines.begin(), lines.end(), expected.begin()));
    }
}

TEST_CASE("smtp server: a CR or LF by itself is the last thing that is read", "[smtp][hostile-14]") {
    for (const std::string bytes : {"EHLO a\nMAIL FROM:<b@c>\r\n", "EHLO a\rMAIL FROM:<b@c>\r\n",
                                    "EHLO a\r\r\nMAIL\r\n", "\nMAIL\r\n", "EHLO a\r \nNOOP\r\n"}) {
        for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
            CAPTURE(bytes, piece);
            CHECK(lines_of(bytes, piece) == std::vector<std::string>{"<bare>"});
        }
    }
}

TEST_CASE("smtp server: a gigabyte without a line end costs nothing", "[smtp]") {
    LineReader reader;
    const std::string piece(1U << 20U, 'x');
    for (int each = 0; each < 1024; ++each) {
        std::string_view input = piece;
        REQUIRE_FALSE(reader.read(input, 512));
        REQUIRE(input.empty());
    }
    CHECK(reader.passed_over_bytes() > (1U << 29U));
}

TEST_CASE("smtp server: only CRLF.CRLF ends a mail, however it comes", "[smtp][hostile-14]") {
    for (const auto& bytes : smuggled) {
        for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
            CAPTURE(bytes, piece);
            const auto read = read_data(bytes, piece);
            REQUIRE(read.mails.size() == 1);
            CHECK(read.rest.empty());
            smtp::BodyInspection inspection;
            inspection.take(read.mails.front());
            const auto facts = inspection.facts();
            CHECK((facts.bare_cr || facts.bare_lf || facts.nul));  // whatever is asked next refuses it
        }
    }
}

TEST_CASE("smtp server: a mail is what a strict reader makes of it, and what was stuffed comes back", "[smtp]") {
    std::minstd_rand random(7);
    static constexpr std::string_view letters = "\r\n.\r\n.\r\nab";
    for (int each = 0; each < 20'000; ++each) {
        std::string bytes;
        for (std::size_t left = random() % 40; left > 0; --left) bytes += letters[random() % letters.size()];
        CAPTURE(bytes);
        const auto expected = support::read_data_strictly(bytes);
        const auto read = read_data(bytes, 1 + random() % 8);
        REQUIRE(read.mails == expected.mails);
        REQUIRE(read.rest == expected.rest);

        std::string canonical, stuffed;
        smtp::Canonicalisation canonicalisation;
        canonicalisation.put(bytes, canonical);
        canonicalisation.finish(canonical);
        smtp::DotStuffing stuffing;
        REQUIRE(stuffing.put(canonical, stuffed).has_value());
        REQUIRE(stuffing.finish(stuffed).has_value());
        const auto back = read_data(stuffed, 1 + random() % 8);
        REQUIRE(back.mails == std::vector<std::string>{canonical});
        REQUIRE(back.rest.empty());
    }
}

TEST_CASE("smtp server: commands are read with all their parameters, and what is none is answered", "[smtp]") {
    const std::vector<std::pair<std::string, std::string>> table{
        {"EHLO app.example", "ehlo app.example"},
        {"helo [127.0.0.1]", "helo [127.0.0.1]"},
        {"EHLO under_score", "ehlo "},
        {"EHLO a<b>", "ehlo "},
        {"EHLO", "501"},
        {"MAIL FROM:<a@b.example>", "mail a@b.example"},
        {"mail from: <a@b.example> size=12 body=8bitmime ret=hdrs envid=a+2Bb",
         "mail a@b.example size 12 8bit headers id a+b"},
        {"MAIL FROM:<> RET=FULL AUTH=<>", "mail nobody full"},
        {"MAIL FROM:<\"a>b\"@c.example>", "mail \"a>b\"@c.example"},
        {"MAIL FROM:<@x.example,@y.example:a@b.example>", "mail a@b.example"},
        {"MAIL FROM:<j\xc3\xb6rg@b.example> SMTPUTF8", "mail j\xc3\xb6rg@b.example utf8"},
        {"MAIL FROM:<j\xc3\xb6rg@b.example>", "553"},
        {"MAIL FROM:a@b.example", "501"},
        {"MAIL FROM:<a@b.example", "501"},
        {"MAIL FROM:<a@b.example>SIZE=1", "501"},
        {"MAIL FROM:<a@b.example> SIZE=-1", "501"},
        {"MAIL FROM:<a@b.example> SIZE=1 SIZE=2", "501"},
        {"MAIL FROM:<a@b.example> BODY=BINARYMIME", "501"},
        {"MAIL FROM:<a@b.example> SMTPUTF8=yes", "501"},
        {"MAIL FROM:<a@b.example> ENVID=a+0Ab", "501"},
        {"MAIL FROM:<a@b.example> HOLDFOR=1", "555"},
        {"MAIL FROM:<a@b_c>", "501"},
        {"MAIL", "501"},
        {"RCPT TO:<a@b.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;x+2By@z",
         "rcpt a@b.example success delay for rfc822;x+y@z"},
        {"RCPT TO:<a@b.example> NOTIFY=NEVER", "rcpt a@b.example never"},
        {"RCPT TO:<a@b.example> NOTIFY=NEVER,DELAY", "501"},
        {"RCPT TO:<a@b.example> NOTIFY=", "501"},
        {"RCPT TO:<a@b.example> ORCPT=x", "501"},
        {"RCPT TO:<a@b.example> ORCPT=rfc822;a+0D+0Ab", "501"},
        {"RCPT TO:<a@b.example> X=1", "555"},
        {"RCPT TO:<>", "501"},
        {"RCPT TO:<Postmaster>", "501"},
        {"DATA", "command 3"},
        {"DATA now", "501"},
        {"BDAT 17", "bdat 17"},
        {"BDAT 0 LAST", "bdat 0 last"},
        {"BDAT 99999999999999999999", "501"},
        {"BDAT 9223372036854775807", "501"},
        {"BDAT -1", "501"},
        {"BDAT 1 LAST LAST", "501"},
        {"BDAT", "501"},
        {"RSET ", "command 5"},
        {"NOOP anything", "command 6"},
        {"QUIT", "command 7"},
        {"VRFY a", "command 8"},
        {"HELP", "command 9"},
        {"STARTTLS", "command 10"},
        {"AUTH plain AGEAYg==", "auth PLAIN AGEAYg=="},
        {"AUTH LOGIN", "auth LOGIN"},
        {"AUTH PLAIN =", "auth PLAIN "},
        {"AUTH", "501"},
        {"EXPN list", "502"},
        {"GET / HTTP/1.1", "500"},
        {"", "500"},
        {"MAIL FROM:<a@b.example>\tSIZE=1", "500"},
        {std::string("NOOP a\0b", 8), "500"},
    };
    for (const auto& [line, expected] : table) {
        CAPTURE(line);
        CHECK(read_and_print(line) == expected);
    }
}

TEST_CASE("smtp server: an answer is one line, whatever is in it", "[smtp][hostile-12]") {
    CHECK(smtp::reply_line({250, "2.0.0 ok"}) == "250 2.0.0 ok\r\n");
    const auto line = smtp::reply_line({550, std::string("5.1.1 <a\r\n250 ok\0>", 19)});
    CHECK(line.find('\r') == line.size() - 2);
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(line.find('\0') == std::string::npos);
}

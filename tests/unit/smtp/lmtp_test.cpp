// The client's dialogue with an LMTP server. RFC 2033.

#include <catch2/catch.hpp>

#include "protocols/net/errc.hpp"
#include "protocols/smtp/client.hpp"
#include "tests/support/pieces_body.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_stream.hpp"

using smtp::Client;
using support::PiecesBody;
using support::run_coroutine;
using support::ScriptedStream;
using Turn = ScriptedStream::Turn;
using Who = Turn::Who;

namespace {

Turn server(std::string bytes) { return {Who::server, std::move(bytes)}; }
Turn client_says(std::string bytes) { return {Who::client, std::move(bytes)}; }

const std::string pipelining = "250-lda.example\r\n250 PIPELINING\r\n";
const std::string chunking = "250-lda.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
const std::string nothing = "250 lda.example\r\n";
const std::string body_text = "Subject: one\r\n\r\n";
const std::string mail_and_rcpts =
    "MAIL FROM:<>\r\nRCPT TO:<a@lda.example>\r\nRCPT TO:<b@lda.example>\r\nRCPT TO:<c@lda.example>\r\n";
const std::string recipients_taken = "250 ok\r\n250 ok\r\n550 5.1.1 no such user\r\n250 ok\r\n";

struct Scripted {
    Scripted(const std::string& offered, std::vector<Turn> turns) : stream(with_hello(offered, std::move(turns))) {
        REQUIRE(run_coroutine(client.greet()).has_value());
        REQUIRE(run_coroutine(client.hello("rohrpost.example", Client::Dialect::lmtp)).has_value());
    }
    static std::vector<Turn> with_hello(const std::string& offered, std::vector<Turn> turns) {
        turns.insert(turns.begin(),
                     {server("220 lda.example LMTP\r\n"), client_says("LHLO rohrpost.example\r\n"), server(offered)});
        return turns;
    }
    Result<smtp::Submission> submit(std::vector<std::string> recipients) {
        smtp::Envelope envelope;
        for (const auto& recipient : recipients)
            envelope.recipients.push_back({*smtp::Address::of(recipient + "@lda.example")});
        PiecesBody body(body_text);
        return run_coroutine(client.submit(envelope, body));
    }
    [[nodiscard]] bool went_as_written() const { return stream.surprise().empty() && stream.finished(); }

    ScriptedStream stream;
    Client client{stream, {}, {}};
};

}  // namespace

TEST_CASE("lmtp: each recipient that was accepted gets a reply of its own after the data", "[smtp][lmtp][hostile-16]") {
    const std::string replies = "250 2.0.0 a saved\r\n452 4.2.2 c is full\r\n";
    const bool in_chunks = GENERATE(false, true);
    CAPTURE(in_chunks);
    Scripted scripted =
        in_chunks
            ? Scripted(chunking, {client_says(mail_and_rcpts + "BDAT 16 LAST\r\n" + body_text),
                                  server(recipients_taken + replies)})
            : Scripted(pipelining, {client_says(mail_and_rcpts + "DATA\r\n"), server(recipients_taken + "354 go\r\n"),
                                    client_says(body_text + ".\r\n"), server(replies)});
    const auto done = scripted.submit({"a", "b", "c"});
    REQUIRE(done.has_value());
    CHECK(scripted.went_as_written());
    CHECK(done->delivered_to(0));
    CHECK_FALSE(done->delivered_to(1));
    CHECK(done->verdict_for(1).code == 550);
    CHECK_FALSE(done->delivered_to(2));
    CHECK(done->verdict_for(2).text() == "452 4.2.2 c is full");
    CHECK(done->body.accepted());
    CHECK(scripted.client.usable());
    CHECK_FALSE(scripted.client.in_doubt());
}

TEST_CASE("lmtp: after a mail that was refused for each recipient the session goes on", "[smtp][lmtp]") {
    Scripted scripted(
        nothing, {client_says("MAIL FROM:<>\r\n"), server("250 ok\r\n"), client_says("RCPT TO:<a@lda.example>\r\n"),
                  server("250 ok\r\n"), client_says("DATA\r\n"), server("354 go\r\n"), client_says(body_text + ".\r\n"),
                  server("554 5.6.0 not this one\r\n"), client_says("RSET\r\n"), server("250 ok\r\n"),
                  client_says("MAIL FROM:<>\r\n"), server("250 ok\r\n"), client_says("RCPT TO:<b@lda.example>\r\n"),
                  server("250 ok\r\n"), client_says("DATA\r\n"), server("354 go\r\n"), client_says(body_text + ".\r\n"),
                  server("250 saved\r\n")});
    auto done = scripted.submit({"a"});
    REQUIRE(done.has_value());
    CHECK(done->verdict_for(0).text() == "554 5.6.0 not this one");
    done = scripted.submit({"b"});
    REQUIRE(done.has_value());
    CHECK(done->delivered_to(0));
    CHECK(scripted.went_as_written());
}

TEST_CASE("lmtp: data for nobody is answered once", "[smtp][lmtp][hostile-15]") {
    Scripted scripted(pipelining, {client_says("MAIL FROM:<>\r\nRCPT TO:<a@lda.example>\r\nDATA\r\n"),
                                   server("250 ok\r\n550 5.1.1 no such user\r\n503 5.5.1 no recipients\r\n")});
    const auto done = scripted.submit({"a"});
    REQUIRE(done.has_value());
    CHECK(scripted.went_as_written());
    CHECK(done->refused_before_body());
    CHECK(scripted.client.usable());
}

TEST_CASE("lmtp: a server that leaves between two replies leaves the rest in doubt", "[smtp][lmtp][hostile-17]") {
    Scripted scripted(pipelining,
                      {client_says("MAIL FROM:<>\r\nRCPT TO:<a@lda.example>\r\nRCPT TO:<b@lda.example>\r\nDATA\r\n"),
                       server("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"), client_says(body_text + ".\r\n"),
                       server("250 a saved\r\n")});
    const auto done = scripted.submit({"a", "b"});
    REQUIRE(done.has_error());
    CHECK(scripted.client.in_doubt());
    CHECK(scripted.client.submission().delivered_to(0));
    CHECK_FALSE(scripted.client.submission().delivered_to(1));

    Scripted leaving(pipelining,
                     {client_says("MAIL FROM:<>\r\nRCPT TO:<a@lda.example>\r\nRCPT TO:<b@lda.example>\r\nDATA\r\n"),
                      server("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"), client_says(body_text + ".\r\n"),
                      server("250 a saved\r\n421 4.3.2 shutting down\r\n")});
    const auto left = leaving.submit({"a", "b"});
    REQUIRE(left.has_value());
    CHECK(left->delivered_to(0));
    CHECK(left->verdict_for(1).code == 421);
    CHECK_FALSE(leaving.client.usable());
}

TEST_CASE("lmtp: more replies than recipients end the session", "[smtp][lmtp][hostile-19]") {
    Scripted scripted(chunking, {client_says("MAIL FROM:<>\r\nRCPT TO:<a@lda.example>\r\nBDAT 16 LAST\r\n" + body_text),
                                 server("250 ok\r\n250 ok\r\n250 saved\r\n250 saved\r\n")});
    CHECK(scripted.submit({"a"}).has_error());
    CHECK_FALSE(scripted.client.usable());
}

#include "protocols/smtp/client.hpp"

#include <catch2/catch.hpp>

#include "protocols/net/errc.hpp"
#include "protocols/net/tls.hpp"
#include "tests/support/pieces_body.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/support/smtp_readers.hpp"

using smtp::Client;
using smtp::errc;
using smtp::Mechanism;
using smtp::Phase;
using support::PiecesBody;
using support::run_coroutine;
using support::ScriptedStream;
using Start = ScriptedStream::Start;
using Turn = ScriptedStream::Turn;
using Who = Turn::Who;

namespace {

Turn server(std::string bytes) { return {Who::server, std::move(bytes)}; }
Turn client_says(std::string bytes) { return {Who::client, std::move(bytes)}; }
const Turn time_passes{Who::time};

const std::string greeting = "220 mail.example ESMTP\r\n";
const Turn hello = client_says("EHLO rohrpost.example\r\n");
const Turn everything =
    server("250-mail.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-8BITMIME\r\n250 AUTH XOAUTH2 PLAIN\r\n");
const Turn pipelining = server("250-mail.example\r\n250 PIPELINING\r\n");
const Turn chunking = server("250-mail.example\r\n250 CHUNKING\r\n");
const Turn nothing = server("250 mail.example\r\n");

std::vector<Turn> behind_hello(const Turn& offered, std::vector<Turn> turns) {
    turns.insert(turns.begin(), {server(greeting), hello, offered});
    return turns;
}

template <class T>
error_code fault_of(const Result<T>& result) {
    return result ? error_code() : result.error();
}

smtp::Envelope envelope_to(std::vector<std::string> recipients = {"a@example.org"}) {
    smtp::Envelope envelope;
    envelope.sender = *smtp::Address::of("desk@example.com");
    for (const std::string& recipient : recipients) envelope.recipients.push_back({*smtp::Address::of(recipient)});
    return envelope;
}

/// A client on a script.
struct Scripted {
    explicit Scripted(std::vector<Turn> turns, Start start = Start::encrypted, smtp::Limits limits = {})
        : stream(std::move(turns), 1U << 20U, start), client(stream, limits, {}) {}

    error_code greet() { return fault_of(run_coroutine(client.greet())); }
    error_code say_hello() { return fault_of(run_coroutine(client.hello("rohrpost.example"))); }
    /// With the first two turns of most scripts behind it.
    Scripted& greeted() {
        REQUIRE(greet() == error_code());
        REQUIRE(say_hello() == error_code());
        return *this;
    }
    error_code log_in(Mechanism mechanism, std::string user = "user@example.com", std::string secret = "ya29.token") {
        smtp::Login login{mechanism, std::move(user), Secret(std::move(secret)), "smtp.example.com", 587};
        return fault_of(run_coroutine(client.log_in(std::move(login))));
    }
    error_code start_tls() {
        const auto tls = net::TlsClient::make({});
        return fault_of(run_coroutine(client.start_tls(**tls, "smtp.example.com")));
    }
    Result<smtp::Submission> submit(PiecesBody body, smtp::Envelope envelope = envelope_to()) {
        return run_coroutine(client.submit(envelope, body));
    }
    error_code check_idle() { return fault_of(run_coroutine(client.check_idle())); }
    [[nodiscard]] bool went_as_written() const { return stream.surprise().empty() && stream.finished(); }

    ScriptedStream stream;
    Client client;
};

const std::string body_text = "Subject: one\r\n\r\n";
const std::string flight = "MAIL FROM:<desk@example.com>\r\nRCPT TO:<a@example.org>\r\nBDAT 16 LAST\r\n" + body_text;

/// Lines of 100 bytes, some beginning with a dot.
std::string lines_of(std::size_t bytes) {
    std::string text;
    for (std::size_t line = 0; text.size() < bytes; ++line)
        text += (line % 7 == 0 ? "." : "x") + std::string(97, static_cast<char>('a' + line % 26)) + "\r\n";
    return text;
}

/// A server that stops reading, says something and hangs up.
class HangingUp final : public net::Stream {
public:
    HangingUp(std::string says, std::size_t reads_bytes, std::string last_words)
        : says_(std::move(says)), reads_bytes_(reads_bytes), last_words_(std::move(last_words)) {}
    std::string_view unread() const noexcept override { return unread_; }
    void consume(std::size_t bytes) override { unread_.erase(0, bytes); }
    awaitable<Result<void>> read_more() override {
        if (pace_.within.count() == 0 && !broken_) co_return net::errc::timed_out;
        std::string& words = broken_ ? last_words_ : says_;
        if (words.empty()) co_return broken_ ? net::errc::reset : net::errc::timed_out;
        const std::size_t end = words.find('\n') + 1;
        unread_ += words.substr(0, end);
        words.erase(0, end);
        co_return Result<void>();
    }
    awaitable<Result<void>> write(std::string_view bytes) override {
        written_ += bytes.size();
        broken_ = written_ > reads_bytes_;
        if (broken_) co_return net::errc::reset;
        co_return Result<void>();
    }
    void allow(net::Pace pace) override { pace_ = pace; }
    awaitable<Result<void>> start_tls(const net::TlsClient&, std::string) override { co_return Result<void>(); }
    bool encrypted() const noexcept override { return true; }
    void close() noexcept override {}
    std::string peer() const override { return "hanging up"; }
    Traffic traffic() const noexcept override { return {}; }

private:
    std::string says_;
    std::size_t reads_bytes_;
    std::string last_words_;
    std::string unread_;
    std::size_t written_ = 0;
    net::Pace pace_;
    bool broken_ = false;
};

}  // namespace

TEST_CASE("smtp client: bytes behind the answer to STARTTLS end the connection", "[smtp][hostile-1]") {
    for (const std::string injected : {"250-mail.example\r\n250 AUTH PLAIN\r\n", "250 ", "\r\n", "x"}) {
        CAPTURE(injected);
        Scripted scripted({server(greeting), hello, server("250-mail.example\r\n250 STARTTLS\r\n"),
                           client_says("STARTTLS\r\n"), server("220 go\r\n" + injected), hello, everything},
                          Start::plain);
        scripted.greeted();
        CHECK(scripted.start_tls() == net::errc::bytes_before_tls);
        CHECK_FALSE(scripted.stream.encrypted());
        CHECK(scripted.say_hello() == errc::unusable);
        CHECK(scripted.log_in(Mechanism::plain) == errc::tls_required);
        CHECK(scripted.stream.written() == "EHLO rohrpost.example\r\nSTARTTLS\r\n");
        CHECK(scripted.client.phase() == Phase::tls);
    }
}

TEST_CASE("smtp client: without STARTTLS nobody logs in", "[smtp][hostile-2]") {
    Scripted missing({server(greeting), hello, everything}, Start::plain);
    missing.greeted();
    CHECK(missing.start_tls() == errc::tls_not_offered);
    CHECK(missing.log_in(Mechanism::plain) == errc::tls_required);
    CHECK(missing.stream.written() == "EHLO rohrpost.example\r\n");
    CHECK(missing.client.phase() == Phase::hello);

    Scripted refused({server(greeting), hello, server("250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"),
                      client_says("STARTTLS\r\n"), server("454 4.7.0 TLS not available\r\n")},
                     Start::plain);
    refused.greeted();
    CHECK(refused.start_tls() == error_code());
    CHECK_FALSE(refused.stream.encrypted());
    CHECK(refused.log_in(Mechanism::plain) == errc::tls_required);
    CHECK(refused.went_as_written());

    // Another success than 220 starts nothing.
    Scripted odd({server(greeting), hello, server("250-mail.example\r\n250 STARTTLS\r\n"), client_says("STARTTLS\r\n"),
                  server("250 fine, go on in the clear\r\n")},
                 Start::plain);
    odd.greeted();
    CHECK(odd.start_tls() == errc::unexpected_reply);
    CHECK_FALSE(odd.client.usable());
}

TEST_CASE("smtp client: a server that claims a login nobody made is left", "[smtp][hostile-3]") {
    Scripted plain(behind_hello(everything, {client_says("AUTH XOAUTH2\r\n"), server("235 2.7.0 welcome\r\n")}));
    plain.greeted();
    CHECK(plain.log_in(Mechanism::xoauth2, "user@example.com", std::string(3000, 't')) == errc::unexpected_reply);
    CHECK_FALSE(plain.client.usable());
    CHECK(plain.went_as_written());  // the token was not sent
    Scripted odd(behind_hello(everything, {client_says("AUTH PLAIN AHUAcA==\r\n"), server("250 ok\r\n")}));
    odd.greeted();
    CHECK(odd.log_in(Mechanism::plain, "u", "p") == errc::unexpected_reply);
    CHECK_FALSE(odd.client.usable());
}

TEST_CASE("smtp client: anything but a greeting first ends it, and nothing is sent", "[smtp][hostile-4]") {
    for (const std::string first :
         {"* OK IMAP4rev1\r\n", "+OK POP3\r\n", "HTTP/1.1 200 OK\r\n", "250 please authenticate\r\n", "354 go on\r\n",
          "334 \r\n", "220 mail\n", "220-mail\r\n250 mail\r\n", "\r\n"}) {
        CAPTURE(first);
        Scripted scripted({server(first + greeting)});
        CHECK(scripted.greet() != error_code());
        CHECK_FALSE(scripted.client.usable());
        CHECK(scripted.say_hello() == errc::unusable);
        CHECK(scripted.stream.written().empty());
    }
    Scripted refused({server("554 5.7.1 go away\r\n")});
    const auto reply = run_coroutine(refused.client.greet());
    REQUIRE(reply.has_value());
    CHECK(reply->text() == "554 5.7.1 go away");
    CHECK_FALSE(refused.client.usable());
    // More than a greeting: the server talks before its turn.
    Scripted eager({server(greeting + "250 mail.example\r\n")});
    CHECK(eager.greet() == error_code());
    CHECK(eager.say_hello() == errc::unexpected_reply);
    CHECK(eager.stream.written().empty());
}

TEST_CASE("smtp client: what was offered before TLS is forgotten with it", "[smtp][hostile-5]") {
    Scripted scripted({server(greeting), hello,
                       server("250-mail.example\r\n250-STARTTLS\r\n250-SIZE 1\r\n250-CHUNKING\r\n250 AUTH PLAIN\r\n"),
                       client_says("STARTTLS\r\n"), server("220 go\r\n"), hello, nothing},
                      Start::plain);
    scripted.greeted();
    CHECK(scripted.client.capabilities().offers_login("PLAIN"));
    CHECK(scripted.start_tls() == error_code());
    CHECK(scripted.stream.encrypted());
    CHECK(scripted.client.capabilities() == smtp::Capabilities{});
    CHECK(scripted.log_in(Mechanism::plain) == errc::mechanism_not_offered);
    CHECK(scripted.say_hello() == error_code());
    CHECK(scripted.client.capabilities() == smtp::Capabilities{.server_name = "mail.example"});
    CHECK(scripted.log_in(Mechanism::plain) == errc::mechanism_not_offered);
    CHECK(scripted.went_as_written());
}

TEST_CASE("smtp client: a reply that is cut off is no reply, and the mail stays in doubt",
          "[smtp][hostile-8][hostile-10]") {
    const std::string last = "250-2.0.0 one\r\n250 2.0.0 queued\r\n";
    for (std::size_t kept = 0; kept <= last.size(); ++kept) {
        CAPTURE(kept);
        Scripted cut(
            behind_hello(everything, {client_says(flight), server("250 ok\r\n250 ok\r\n" + last.substr(0, kept))}));
        cut.greeted();
        const auto submitted = cut.submit(PiecesBody(body_text));
        const bool whole = kept == last.size();
        CHECK(submitted.has_value() == whole);
        CHECK(cut.client.in_doubt() == !whole);
        CHECK(cut.client.phase() == (whole ? Phase::replied : Phase::final_sent));
        CHECK(cut.client.usable() == whole);
        CHECK(cut.client.submission().recipients.front().accepted());
        if (whole) continue;
        CHECK(fault_of(cut.submit(PiecesBody(body_text))) == errc::unusable);
        CHECK_FALSE(cut.client.in_doubt());  // that one was never sent
    }
}

TEST_CASE("smtp client: each step has its time", "[smtp][hostile-9]") {
    const smtp::Paces paces;
    const auto ends = [](Scripted& scripted, const net::Pace& pace, const Result<smtp::Submission>& submitted,
                         Phase phase) {
        CHECK(fault_of(submitted) == net::errc::timed_out);
        CHECK(scripted.stream.pace().within == pace.within);
        CHECK(scripted.client.phase() == phase);
        CHECK(scripted.client.in_doubt() == (phase == Phase::final_sent));
        CHECK_FALSE(scripted.client.usable());
    };
    Scripted silent({time_passes});
    CHECK(silent.greet() == net::errc::timed_out);
    CHECK(silent.stream.pace().within == paces.greeting.within);

    const Turn mail = client_says("MAIL FROM:<desk@example.com>\r\n");
    const Turn rcpt = client_says("RCPT TO:<a@example.org>\r\n");
    const Turn ok = server("250 ok\r\n");
    Scripted at_mail(behind_hello(nothing, {mail, time_passes}));
    ends(at_mail, paces.command, at_mail.greeted().submit(PiecesBody(body_text)), Phase::mail);
    Scripted at_rcpt(behind_hello(nothing, {mail, ok, rcpt, time_passes}));
    ends(at_rcpt, paces.command, at_rcpt.greeted().submit(PiecesBody(body_text)), Phase::rcpt);
    Scripted at_data(behind_hello(nothing, {mail, ok, rcpt, ok, client_says("DATA\r\n"), time_passes}));
    ends(at_data, paces.data, at_data.greeted().submit(PiecesBody(body_text)), Phase::rcpt);
    Scripted at_end(behind_hello(nothing, {mail, ok, rcpt, ok, client_says("DATA\r\n"), server("354 go\r\n"),
                                           client_says(body_text + ".\r\n"), time_passes}));
    ends(at_end, paces.final_reply, at_end.greeted().submit(PiecesBody(body_text)), Phase::final_sent);
    CHECK(paces.body.bytes_per_second_min > 0);
}

TEST_CASE("smtp client: a reply without end costs a bounded amount", "[smtp][hostile-11]") {
    std::string lines;
    for (int line = 0; line < 300; ++line) lines += "250-X" + std::to_string(line) + "\r\n";
    Scripted scripted({server(greeting), hello, server(lines)});
    CHECK(scripted.greet() == error_code());
    CHECK(scripted.say_hello() == errc::reply_too_long);
    CHECK(scripted.client.capabilities() == smtp::Capabilities{});
    Scripted one_line({server("220 " + std::string(5000, 'x'))});
    CHECK(one_line.greet() == errc::reply_line_too_long);
}

TEST_CASE("smtp client: an argument that cannot be sent is refused by its name, and nothing is written",
          "[smtp][hostile-13]") {
    Scripted scripted(behind_hello(everything, {client_says(flight), server("250 ok\r\n250 ok\r\n250 ok\r\n")}));
    scripted.greeted();
    const std::string before = scripted.stream.written();
    CHECK(fault_of(run_coroutine(scripted.client.hello("x\r\nMAIL FROM:<a@b>"))) == errc::bad_name);
    CHECK(scripted.log_in(Mechanism::xoauth2, "a\r\nb", "t") == errc::bad_login);
    CHECK(scripted.log_in(Mechanism::xoauth2, "a", std::string("t\0", 2)) == errc::bad_login);
    CHECK(scripted.log_in(Mechanism::xoauth2, "a", std::string(9300, 't')) == errc::login_too_long);
    smtp::Envelope envelope = envelope_to();
    envelope.id = "a\r\nb";
    CHECK(fault_of(scripted.submit(PiecesBody(body_text), envelope)) == errc::bad_envelope_id);
    envelope = envelope_to();
    envelope.recipients.front().original = "rfc822;a\nb";
    CHECK(fault_of(scripted.submit(PiecesBody(body_text), envelope)) == errc::bad_original_recipient);
    CHECK(fault_of(scripted.submit(PiecesBody(body_text), envelope_to({}))) == errc::no_recipients);
    CHECK(scripted.stream.written() == before);
    // The connection is as good as before.
    CHECK(scripted.client.usable());
    CHECK_FALSE(scripted.client.in_doubt());
    const auto submitted = scripted.submit(PiecesBody(body_text));
    REQUIRE(submitted.has_value());
    CHECK(submitted->delivered_to(0));
    CHECK(scripted.went_as_written());
}

TEST_CASE("smtp client: what is behind DATA is one mail, or is not ended", "[smtp][hostile-14]") {
    const std::vector<Turn> to_354 = {client_says("MAIL FROM:<desk@example.com>\r\n"),
                                      server("250 ok\r\n"),
                                      client_says("RCPT TO:<a@example.org>\r\n"),
                                      server("250 ok\r\n"),
                                      client_says("DATA\r\n"),
                                      server("354 go\r\n")};
    for (const std::string evil :
         {"a\r\n.\nMAIL FROM:<x@y>\r\n", "a\n.\nMAIL FROM:<x@y>\r\n", "a\r.\rMAIL FROM:<x@y>\r\n",
          "a\r\n.\r\r\nMAIL FROM:<x@y>\r\n", "a\n.\r\nMAIL FROM:<x@y>\r\n"}) {
        for (const std::size_t piece : {1U, 2U, 3U, 100U}) {
            CAPTURE(evil, piece);
            Scripted scripted(behind_hello(nothing, to_354));
            scripted.greeted();
            CHECK(fault_of(scripted.submit(PiecesBody(evil, piece))) == errc::body_not_canonical);
            CHECK_FALSE(scripted.client.usable());
            CHECK(scripted.client.phase() == Phase::body_started);
            CHECK_FALSE(scripted.client.in_doubt());
            const std::string& written = scripted.stream.written();
            const std::string behind_data = written.substr(written.find("DATA\r\n") + 6);
            CHECK(support::read_data_carelessly(behind_data).mails.empty());
        }
    }
    std::vector<Turn> good = to_354;
    good.push_back(client_says("..\r\n..\r\n...\r\n\r\n..\r\n.\r\n"));
    good.push_back(server("250 ok\r\n"));
    for (const std::size_t piece : {1U, 2U, 3U, 100U}) {
        Scripted scripted(behind_hello(nothing, good));
        const auto submitted = scripted.greeted().submit(PiecesBody(".\r\n.\r\n..\r\n\r\n.", piece));
        REQUIRE(submitted.has_value());
        CHECK(submitted->delivered_to(0));
        CHECK(scripted.went_as_written());
    }
}

TEST_CASE("smtp client: a body that breaks off or lies about its size is never completed", "[smtp]") {
    for (const Turn& offered : {nothing, pipelining, chunking, everything}) {
        for (const bool longer : {false, true}) {
            std::vector<Turn> turns =
                behind_hello(offered, {server("250 ok\r\n"), server("250 ok\r\n"), server("354 go\r\n")});
            CAPTURE(offered.bytes, longer);
            // The script answers without looking: everything the client says is a surprise to it.
            Scripted lying(std::move(turns));
            lying.greeted();
            PiecesBody body(body_text, 4);
            body.say(longer ? 15 : 17);
            const auto submitted = lying.submit(std::move(body));
            CHECK(fault_of(submitted) == errc::body_size_wrong);
            CHECK_FALSE(lying.client.in_doubt());
            CHECK_FALSE(lying.client.usable());
            CHECK(lying.stream.surprise().find("\r\n.\r\n") == std::string::npos);
        }
    }
    const error_code lost = net::errc::stopped;
    Scripted failing(behind_hello(everything, {server("250 ok\r\n"), server("250 ok\r\n"), server("250 ok\r\n")}));
    failing.greeted();
    PiecesBody body(body_text, 4);
    body.say(100);
    body.fail_with(lost);
    CHECK(fault_of(failing.submit(std::move(body))) == lost);
    CHECK_FALSE(failing.client.in_doubt());
}

TEST_CASE("smtp client: 421 while nobody asks ends the session, and its words are kept", "[smtp][hostile-17]") {
    Scripted idle(behind_hello(everything, {time_passes, server("421 4.4.2 idle too long\r\n")}));
    idle.greeted();
    CHECK(idle.check_idle() == error_code());  // nothing is there
    CHECK(idle.client.usable());
    CHECK(idle.check_idle() == errc::goodbye);
    CHECK(idle.client.farewell().text() == "421 4.4.2 idle too long");
    CHECK_FALSE(idle.client.usable());
    CHECK(fault_of(idle.submit(PiecesBody(body_text))) == errc::unusable);
    CHECK_FALSE(idle.client.in_doubt());

    Scripted chatty(behind_hello(everything, {server("250 ok\r\n")}));
    chatty.greeted();
    CHECK(chatty.check_idle() == errc::unexpected_reply);
    Scripted gone(behind_hello(everything, {}));
    gone.greeted();
    CHECK(gone.check_idle() == net::errc::closed);
    CHECK_FALSE(gone.client.usable());

    // Behind the reply to a mail: the mail is delivered, the session is over.
    Scripted behind(
        behind_hello(everything, {client_says(flight), server("250 ok\r\n250 ok\r\n250 ok\r\n421 bye\r\n")}));
    const auto submitted = behind.greeted().submit(PiecesBody(body_text));
    REQUIRE(submitted.has_value());
    CHECK(submitted->delivered_to(0));
    CHECK_FALSE(behind.client.usable());
    CHECK_FALSE(behind.client.in_doubt());
}

TEST_CASE("smtp client: 421 in any phase is a refusal for now, and nothing goes on", "[smtp][hostile-17]") {
    const std::string bye = "421 4.3.2 shutting down\r\n";
    const Turn mail = client_says("MAIL FROM:<desk@example.com>\r\n");
    const Turn rcpt = client_says("RCPT TO:<a@example.org>\r\n");
    const Turn data = client_says("DATA\r\n");
    const Turn ok = server("250 ok\r\n");
    const std::vector<std::vector<Turn>> scripts = {
        {mail, server(bye)},
        {mail, ok, rcpt, server(bye)},
        {mail, ok, rcpt, ok, data, server(bye)},
        {mail, ok, rcpt, ok, data, server("354 go\r\n"), client_says(body_text + ".\r\n"), server(bye)},
    };
    for (const auto& script : scripts) {
        Scripted scripted(behind_hello(nothing, script));
        const auto submitted = scripted.greeted().submit(PiecesBody(body_text));
        CAPTURE(script.size());
        REQUIRE(submitted.has_value());
        CHECK_FALSE(submitted->delivered_to(0));
        CHECK(submitted->verdict_for(0).code == 421);
        CHECK(submitted->verdict_for(0).transient());
        CHECK_FALSE(scripted.client.usable());
        CHECK_FALSE(scripted.client.in_doubt());
        CHECK(scripted.went_as_written());
    }
    Scripted greeting_421({server(bye)});
    CHECK(greeting_421.greet() == error_code());
    CHECK_FALSE(greeting_421.client.usable());
    CHECK(greeting_421.client.farewell().code == 421);
}

TEST_CASE("smtp client: a refusal before the end of DATA is honoured, and the rest is not sent", "[smtp][hostile-18]") {
    const std::string text = lines_of(400'000);
    Scripted scripted(behind_hello(
        pipelining,
        {client_says("MAIL FROM:<desk@example.com>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n"),
         server("250 ok\r\n250 ok\r\n354 go\r\n"), client_says("..aaaaaaaa"), server("552 5.3.4 too large\r\n")}));
    scripted.greeted();
    PiecesBody body(text, 30'000);
    const smtp::Envelope envelope = envelope_to();
    const auto submitted = run_coroutine(scripted.client.submit(envelope, body));
    REQUIRE(submitted.has_value());
    CHECK(submitted->verdict_for(0).text() == "552 5.3.4 too large");
    CHECK_FALSE(scripted.client.usable());
    CHECK_FALSE(scripted.client.in_doubt());
    CHECK(body.given_bytes() <= 90'000);
    CHECK(scripted.stream.written().find("\r\n.\r\n") == std::string::npos);

    // Success before the end is none.
    Scripted eager(behind_hello(
        pipelining,
        {client_says("MAIL FROM:<desk@example.com>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n"),
         server("250 ok\r\n250 ok\r\n354 go\r\n"), client_says("..aaaaaaaa"), server("250 fine already\r\n")}));
    eager.greeted();
    CHECK(fault_of(eager.submit(PiecesBody(text))) == errc::unexpected_reply);
    CHECK_FALSE(eager.client.in_doubt());
}

TEST_CASE("smtp client: what a server said before it stopped reading stands", "[smtp][hostile-18]") {
    const std::string hello_replies = greeting + "250-mail.example\r\n250 PIPELINING\r\n";
    HangingUp refusing(hello_replies + "250 ok\r\n250 ok\r\n354 go\r\n", 100'000, "552 5.3.4 too large\r\n");
    Client client(refusing, {}, {});
    REQUIRE(run_coroutine(client.greet()).has_value());
    REQUIRE(run_coroutine(client.hello("rohrpost.example")).has_value());
    PiecesBody body(lines_of(400'000));
    const smtp::Envelope envelope = envelope_to();
    const auto submitted = run_coroutine(client.submit(envelope, body));
    REQUIRE(submitted.has_value());
    CHECK(submitted->verdict_for(0).code == 552);
    CHECK_FALSE(client.usable());

    HangingUp silent(hello_replies + "250 ok\r\n250 ok\r\n354 go\r\n", 100'000, "");
    Client another(silent, {}, {});
    REQUIRE(run_coroutine(another.greet()).has_value());
    REQUIRE(run_coroutine(another.hello("rohrpost.example")).has_value());
    PiecesBody again(lines_of(400'000));
    CHECK(fault_of(run_coroutine(another.submit(envelope, again))) == net::errc::reset);
    CHECK(another.phase() == Phase::body_started);
    CHECK_FALSE(another.in_doubt());

    // In one flight: the sender's refusal came, the rest could not be written.
    HangingUp one_flight(greeting + "250-mail.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n", 100'000,
                         "550 5.7.60 not as this sender\r\n");
    Client third(one_flight, {}, {});
    REQUIRE(run_coroutine(third.greet()).has_value());
    REQUIRE(run_coroutine(third.hello("rohrpost.example")).has_value());
    PiecesBody large(lines_of(400'000));
    const auto refused = run_coroutine(third.submit(envelope, large));
    REQUIRE(refused.has_value());
    CHECK(refused->verdict_for(0).enhanced == smtp::EnhancedCode{5, 7, 60});
    CHECK_FALSE(third.usable());
}

TEST_CASE("smtp client: replies that fit to nothing make the connection unusable", "[smtp][hostile-19]") {
    struct Case {
        std::string replies;
        bool in_doubt;
    };
    for (const Case& each : {Case{"354 go\r\n250 ok\r\n250 ok\r\n", true}, Case{"250 ok\r\n354 go\r\n250 ok\r\n", true},
                             Case{"250 ok\r\n250 ok\r\n354 go\r\n", true},
                             Case{"250 ok\r\n250 ok\r\n250 ok\r\n250 one too many\r\n", true},
                             Case{"550 no\r\n250 ok\r\n250 ok\r\n", false}, Case{"250 ok\r\n250 ok\r\nhello\r\n", true},
                             Case{"334 \r\n250 ok\r\n250 ok\r\n", true}}) {
        Scripted scripted(behind_hello(everything, {client_says(flight), server(each.replies)}));
        scripted.greeted();
        CAPTURE(each.replies);
        const auto submitted = scripted.submit(PiecesBody(body_text));
        CHECK(submitted.has_error());
        CHECK_FALSE(scripted.client.usable());
        CHECK(scripted.client.in_doubt() == each.in_doubt);
    }
    // Step by step: success instead of 354, and two replies to one command.
    const Turn mail = client_says("MAIL FROM:<desk@example.com>\r\n");
    const Turn rcpt = client_says("RCPT TO:<a@example.org>\r\n");
    const Turn ok = server("250 ok\r\n");
    Scripted no_354(behind_hello(nothing, {mail, ok, rcpt, ok, client_says("DATA\r\n"), server("250 ok\r\n")}));
    CHECK(fault_of(no_354.greeted().submit(PiecesBody(body_text))) == errc::unexpected_reply);
    CHECK_FALSE(no_354.client.in_doubt());
    Scripted twice(behind_hello(nothing, {mail, server("250 ok\r\n250 ok\r\n"), rcpt, ok}));
    CHECK(fault_of(twice.greeted().submit(PiecesBody(body_text))) == errc::unexpected_reply);
    CHECK(twice.stream.written().find("RCPT") == std::string::npos);
    CHECK_FALSE(twice.client.in_doubt());

    // A mail for nobody that is accepted all the same: nobody has it, and nobody uses this connection again.
    Scripted for_nobody(behind_hello(everything, {client_says(flight), server("250 ok\r\n550 no\r\n250 ok\r\n")}));
    const auto submitted = for_nobody.greeted().submit(PiecesBody(body_text));
    REQUIRE(submitted.has_value());
    CHECK_FALSE(submitted->delivered_to(0));
    CHECK_FALSE(for_nobody.client.usable());
}

TEST_CASE("smtp client: a large body goes in chunks, which end with the first refusal", "[smtp][hostile-20]") {
    const smtp::Limits limits{.one_flight_bytes_max = 1000, .chunk_bytes_max = 1000};
    const std::string text = lines_of(2500);
    const auto chunk = [&](std::size_t from, std::size_t bytes) { return text.substr(from, bytes); };
    const std::size_t rest = text.size() - 2000;
    const Turn envelope = client_says("MAIL FROM:<desk@example.com>\r\nRCPT TO:<a@example.org>\r\n");
    for (const std::size_t piece : {1U, 999U, 1001U, 100'000U}) {
        Scripted scripted = Scripted(
            behind_hello(everything,
                         {envelope, server("250 ok\r\n250 ok\r\n"), client_says("BDAT 1000\r\n" + chunk(0, 1000)),
                          server("250 1000 octets\r\n"), client_says("BDAT 1000\r\n" + chunk(1000, 1000)),
                          client_says("BDAT " + std::to_string(rest) + " LAST\r\n" + chunk(2000, rest)),
                          server("250 1000 octets\r\n"), server("250 queued\r\n")}),
            Start::encrypted, limits);
        const auto submitted = scripted.greeted().submit(PiecesBody(text, piece));
        CAPTURE(piece);
        REQUIRE(submitted.has_value());
        CHECK(submitted->delivered_to(0));
        CHECK(scripted.went_as_written());
        CHECK(scripted.client.usable());
    }
    Scripted refused(
        behind_hello(everything,
                     {envelope, server("250 ok\r\n250 ok\r\n"), client_says("BDAT 1000\r\n" + chunk(0, 1000)),
                      server("452 4.3.1 no space\r\n"), client_says("RSET\r\n"), server("250 ok\r\n")}),
        Start::encrypted, limits);
    const auto submitted = refused.greeted().submit(PiecesBody(text));
    REQUIRE(submitted.has_value());
    CHECK(submitted->verdict_for(0).text() == "452 4.3.1 no space");
    CHECK(refused.client.usable());
    CHECK(run_coroutine(refused.client.reset()).has_value());
    CHECK(refused.went_as_written());

    // The connection breaks in the sequence: nothing is in doubt before the last chunk is out.
    Scripted broken(behind_hello(everything, {envelope, server("250 ok\r\n250 ok\r\n"),
                                              client_says("BDAT 1000\r\n" + chunk(0, 1000)), server("250 ok\r\n")}),
                    Start::encrypted, limits);
    CHECK(broken.greeted().submit(PiecesBody(text)).has_error());
    CHECK(broken.client.phase() == Phase::body_started);
    CHECK_FALSE(broken.client.in_doubt());

    // Without PIPELINING each chunk waits.
    Scripted slow(behind_hello(chunking, {client_says("MAIL FROM:<desk@example.com>\r\n"), server("250 ok\r\n"),
                                          client_says("RCPT TO:<a@example.org>\r\n"), server("250 ok\r\n"),
                                          client_says("BDAT 1000\r\n" + chunk(0, 1000)), server("250 ok\r\n"),
                                          client_says("BDAT 1000\r\n" + chunk(1000, 1000)), server("250 ok\r\n"),
                                          client_says("BDAT " + std::to_string(rest) + " LAST\r\n" + chunk(2000, rest)),
                                          server("250 queued\r\n")}),
                  Start::encrypted, limits);
    const auto slowly = slow.greeted().submit(PiecesBody(text));
    REQUIRE(slowly.has_value());
    CHECK(slowly->delivered_to(0));
    CHECK(slow.went_as_written());
}

TEST_CASE("smtp client: an empty mail is one empty chunk, or the final dot alone", "[smtp]") {
    Scripted bdat(behind_hello(
        everything, {client_says("MAIL FROM:<desk@example.com>\r\nRCPT TO:<a@example.org>\r\nBDAT 0 LAST\r\n"),
                     server("250 ok\r\n250 ok\r\n250 ok\r\n")}));
    CHECK(bdat.greeted().submit(PiecesBody(""))->delivered_to(0));
    CHECK(bdat.went_as_written());
    Scripted data(behind_hello(pipelining,
                               {client_says("MAIL FROM:<desk@example.com>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n"),
                                server("250 ok\r\n250 ok\r\n354 go\r\n"), client_says(".\r\n"), server("250 ok\r\n")}));
    CHECK(data.greeted().submit(PiecesBody(""))->delivered_to(0));
    CHECK(data.went_as_written());
}

TEST_CASE("smtp client: many recipients go in flights that are answered in between", "[smtp][hostile-16]") {
    const smtp::Limits limits{.recipients_in_flight_max = 2};
    const auto rcpt = [](const std::string& name) { return "RCPT TO:<" + name + "@example.org>\r\n"; };
    Scripted scripted(
        behind_hello(everything,
                     {client_says("MAIL FROM:<desk@example.com>\r\n" + rcpt("a") + rcpt("b")),
                      server("250 ok\r\n250 ok\r\n550 no\r\n"), client_says(rcpt("c") + rcpt("d")),
                      server("452 4.5.3 too many\r\n250 ok\r\n"),
                      client_says(rcpt("e") + "BDAT 16 LAST\r\n" + body_text), server("250 ok\r\n250 queued\r\n")}),
        Start::encrypted, limits);
    const auto submitted = scripted.greeted().submit(
        PiecesBody(body_text),
        envelope_to({"a@example.org", "b@example.org", "c@example.org", "d@example.org", "e@example.org"}));
    REQUIRE(submitted.has_value());
    CHECK(scripted.went_as_written());
    std::vector<bool> delivered;
    for (std::size_t at = 0; at < 5; ++at) delivered.push_back(submitted->delivered_to(at));
    CHECK(delivered == std::vector<bool>{true, false, false, true, true});
    CHECK(submitted->verdict_for(2).transient());
}

TEST_CASE("smtp client: what a mail needs and the server lacks is told before a byte is sent", "[smtp][hostile-21]") {
    Scripted scripted(behind_hello(server("250-mail.example\r\n250 SIZE 10\r\n"), {}));
    scripted.greeted();
    const std::string before = scripted.stream.written();
    const auto too_large = scripted.submit(PiecesBody(body_text));
    REQUIRE(too_large.has_value());
    CHECK(too_large->obstacle == smtp::Obstacle::too_large);
    smtp::Envelope eight = envelope_to();
    eight.body_kind = smtp::BodyKind::eight_bit;
    CHECK(scripted.submit(PiecesBody("a\r\n"), eight)->obstacle == smtp::Obstacle::eightbitmime_missing);
    eight.body_kind = smtp::BodyKind::binary;
    CHECK(scripted.submit(PiecesBody("a\r\n"), eight)->obstacle == smtp::Obstacle::binarymime_missing);
    CHECK(scripted.submit(PiecesBody("a\r\n"), envelope_to({"\xc3\xbc@example.org"}))->obstacle ==
          smtp::Obstacle::smtputf8_missing);
    CHECK(scripted.stream.written() == before);
    CHECK(scripted.client.usable());
    CHECK_FALSE(scripted.client.in_doubt());
}

TEST_CASE("smtp client: no other mechanism than asked for, whatever is offered", "[smtp][hostile-22]") {
    Scripted downgraded(behind_hello(server("250-mail.example\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"), {}));
    downgraded.greeted();
    CHECK(downgraded.log_in(Mechanism::xoauth2) == errc::mechanism_not_offered);
    CHECK(downgraded.log_in(Mechanism::oauthbearer) == errc::mechanism_not_offered);
    CHECK(downgraded.stream.written() == "EHLO rohrpost.example\r\n");
    Scripted oauth(behind_hello(server("250-mail.example\r\n250 AUTH XOAUTH2\r\n"), {}));
    oauth.greeted();
    CHECK(oauth.log_in(Mechanism::plain) == errc::mechanism_not_offered);
    CHECK(oauth.log_in(Mechanism::login) == errc::mechanism_not_offered);
    CHECK(oauth.stream.written() == "EHLO rohrpost.example\r\n");
}

TEST_CASE("smtp client: a long token goes on a line of its own", "[smtp]") {
    const std::string token(3000, 't');
    smtp::Login login{Mechanism::xoauth2, "user@example.com", Secret(token), "", 0};
    Scripted scripted(behind_hello(everything, {client_says("AUTH XOAUTH2\r\n"), server("334 \r\n"),
                                                client_says("dXNlcj"), server("235 ok\r\n")}));
    scripted.greeted();
    const auto answer = run_coroutine(scripted.client.log_in(std::move(login)));
    REQUIRE(answer.has_value());
    CHECK(answer->reply.code == 235);
    CHECK(answer->challenge.empty());
    CHECK(scripted.client.phase() == Phase::authed);
    // 512 octets with CRLF is the longest line that carries its response.
    for (const std::size_t bytes : {std::size_t{318}, std::size_t{319}, std::size_t{320}, std::size_t{321}}) {
        Scripted edge(behind_hello(everything, {client_says("AUTH XOAUTH2"), server("535 no\r\n")}));
        edge.greeted();
        CHECK(edge.log_in(Mechanism::xoauth2, "user@example.com", std::string(bytes, 't')) == error_code());
        const std::string line = edge.stream.written().substr(std::string("EHLO rohrpost.example\r\n").size());
        CAPTURE(bytes, line.size());
        CHECK(line.size() <= 512);
    }
}

TEST_CASE("smtp client: a challenge is answered once, there is no loop", "[smtp][hostile-23]") {
    const Turn ask = client_says("AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==\r\n");
    Scripted loop(behind_hello(everything, {ask, server("334 e30=\r\n"), client_says("\r\n"), server("334 e30=\r\n")}));
    loop.greeted();
    CHECK(loop.log_in(Mechanism::xoauth2, "u", "t") == errc::unexpected_reply);
    CHECK_FALSE(loop.client.usable());
    CHECK(loop.went_as_written());
    // A challenge and then success: whose?
    Scripted success(
        behind_hello(everything, {ask, server("334 e30=\r\n"), client_says("\r\n"), server("235 ok\r\n")}));
    success.greeted();
    CHECK(success.log_in(Mechanism::xoauth2, "u", "t") == errc::unexpected_reply);
    // What is no base 64 is shown as it came.
    Scripted odd(behind_hello(everything, {ask, server("334 {\x01}\r\n"), client_says("\r\n"), server("535 no\r\n")}));
    odd.greeted();
    smtp::Login login{Mechanism::xoauth2, "u", Secret("t"), "", 0};
    const auto answer = run_coroutine(odd.client.log_in(std::move(login)));
    REQUIRE(answer.has_value());
    CHECK(answer->challenge == "{\\x01}");
    // PLAIN has no challenge, and 354 is none.
    Scripted plain(behind_hello(everything, {client_says("AUTH PLAIN AHUAcA==\r\n"), server("334 \r\n")}));
    plain.greeted();
    CHECK(plain.log_in(Mechanism::plain, "u", "p") == errc::unexpected_reply);
    Scripted data(behind_hello(everything, {ask, server("354 go\r\n")}));
    data.greeted();
    CHECK(data.log_in(Mechanism::xoauth2, "u", "t") == errc::unexpected_reply);
}

TEST_CASE("smtp client: HELO only for those who ask for it, and only where EHLO is refused for good", "[smtp]") {
    const Turn helo = client_says("HELO rohrpost.example\r\n");
    const auto say = [](Scripted& scripted, Client::Dialect dialect) {
        REQUIRE(scripted.greet() == error_code());
        return run_coroutine(scripted.client.hello("rohrpost.example", dialect)).value();
    };
    Scripted never({server(greeting), hello, server("502 5.5.1 unknown\r\n")});
    CHECK(say(never, Client::Dialect::extended).code == 502);
    Scripted asked(
        {server(greeting), hello, server("502 5.5.1 unknown\r\n"), helo, server("250 mail.example PIPELINING\r\n")});
    CHECK(say(asked, Client::Dialect::basic_when_refused).code == 250);
    CHECK(asked.client.capabilities() == smtp::Capabilities{});
    CHECK(asked.went_as_written());
    Scripted for_now({server(greeting), hello, server("451 4.3.0 later\r\n")});
    CHECK(say(for_now, Client::Dialect::basic_when_refused).code == 451);
    CHECK(for_now.went_as_written());
}

TEST_CASE("smtp client: RSET, NOOP and QUIT", "[smtp]") {
    Scripted scripted(behind_hello(everything, {client_says("NOOP\r\n"), server("250 ok\r\n"), client_says("RSET\r\n"),
                                                server("250 ok\r\n"), client_says("QUIT\r\n"), server("221 bye\r\n")}));
    scripted.greeted();
    CHECK(run_coroutine(scripted.client.noop())->code == 250);
    CHECK(run_coroutine(scripted.client.reset())->code == 250);
    CHECK(run_coroutine(scripted.client.quit()).has_value());
    CHECK(scripted.went_as_written());
    CHECK(run_coroutine(scripted.client.quit()).has_value());  // says nothing any more
    CHECK(fault_of(run_coroutine(scripted.client.noop())) == errc::unusable);
    Scripted rude(behind_hello(everything, {client_says("QUIT\r\n")}));
    rude.greeted();
    CHECK(run_coroutine(rude.client.quit()).has_value());
}

// The submission client against servers that are not ours: Debian's Postfix with Dovecot for its logins, and npm's
// smtp-server.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include "protocols/net/system_dialer.hpp"
#include "protocols/smtp/client.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/dovecot.hpp"
#include "tests/support/pieces_body.hpp"
#include "tests/support/places.hpp"
#include "tests/support/postfix.hpp"
#include "tests/support/process.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/running.hpp"
#include "tests/support/smtp_talk.hpp"
#include "tools/rohrpost-sim/provider.hpp"

using smtp::Mechanism;
using support::Dovecot;
using support::PiecesBody;
using support::Postfix;

namespace {

const std::string user = "box0001@sim.test";

sim::Options options_in(const support::TemporaryDirectory& directory) {
    sim::Options options;
    options.directory = directory.path();
    return options;
}

/// A pretend provider that vouches for tokens, a Dovecot that believes it, and a Postfix that believes Dovecot.
struct Rig {
    explicit Rig(std::string settings = {}) : provider(options_in(directory)) {
        provider.start();
        const std::uint16_t auth_port = support::free_port();
        Dovecot::Wish logins;
        logins.introspection_port = provider.ports().http;
        logins.authority = &provider.authority();
        logins.settings = fmt::format(R"(auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = static
  mechanisms = login
  args = password={}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {}
  }}
}})",
                                      Dovecot::password, auth_port);
        dovecot = std::make_unique<Dovecot>(std::move(logins));
        Postfix::Wish wish;
        wish.auth_port = auth_port;
        wish.authority = &provider.authority();
        wish.settings = std::move(settings);
        postfix = std::make_unique<Postfix>(std::move(wish));
        const net::TlsClient::Trust trust{.ca_file = provider.ca_file().string()};
        tls = *net::TlsClient::make(trust);
    }

    smtp::Login login(Mechanism mechanism) {
        const bool token = mechanism == Mechanism::xoauth2 || mechanism == Mechanism::oauthbearer;
        std::string secret(Dovecot::password);
        if (token) secret = provider.ask([](sim::World& world) { return world.tokens.issue(user); });
        return {mechanism, user, Secret(std::move(secret)), "localhost", postfix->port()};
    }
    /// What was delivered once there are so many.
    std::vector<std::string> mails(std::size_t count) const {
        support::eventually([&] { return postfix->mails().size() >= count; });
        return postfix->mails();
    }

    support::TemporaryDirectory directory;
    sim::Provider provider;
    std::unique_ptr<Dovecot> dovecot;
    std::unique_ptr<Postfix> postfix;
    std::shared_ptr<const net::TlsClient> tls;
};

/// A connection to a submission server, each step run to its end.
class Submitter {
public:
    enum class Tls { none, starttls, implicit };
    Submitter(std::uint16_t port, std::shared_ptr<const net::TlsClient> tls, Tls how = Tls::starttls)
        : tls_(std::move(tls)) {
        net::Dial to{.host = "localhost",
                     .port = port,
                     .security = how == Tls::implicit ? net::Security::implicit_tls : net::Security::plain,
                     .tls = tls_,
                     .within = std::chrono::seconds(10)};
        auto dialled = ran(dialer_.dial(std::move(to)));
        REQUIRE(dialled.has_value());
        stream_ = std::move(*dialled);
        client_ = std::make_unique<smtp::Client>(*stream_, smtp::Limits{}, smtp::Paces{});
        must(ran(client_->greet()));
        must(ran(client_->hello("rohrpost.example")));
        if (how != Tls::starttls) return;
        must(ran(client_->start_tls(*tls_, "localhost")));
        must(ran(client_->hello("rohrpost.example")));
    }

    smtp::Client& client() { return *client_; }
    smtp::LoginAnswer log_in(smtp::Login login) {
        auto answer = ran(client_->log_in(std::move(login)));
        INFO(answer.error().message());
        REQUIRE(answer.has_value());
        return *answer;
    }
    smtp::Submission submit(const smtp::Envelope& envelope, PiecesBody body) {
        auto submitted = ran(client_->submit(envelope, body));
        INFO(fmt::format("{}", fmt::join(client_->last_lines(), "\n")));
        REQUIRE(submitted.has_value());
        return *submitted;
    }
    error_code check_idle() {
        const auto idle = ran(client_->check_idle());
        return idle ? error_code() : idle.error();
    }
    void quit() { CHECK(ran(client_->quit()).has_value()); }

    template <class T>
    T ran(awaitable<T> coroutine) {
        std::optional<T> result;
        std::exception_ptr failure;
        asio::co_spawn(context_, std::move(coroutine), [&](std::exception_ptr thrown, T value) {
            failure = thrown;
            result = std::move(value);
        });
        context_.restart();
        while (!result && context_.run_one() > 0) {
        }
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }

private:
    void must(const Result<smtp::Reply>& reply) {
        REQUIRE(reply.has_value());
        INFO(reply->text());
        REQUIRE(reply->accepted());
    }

    asio::io_context context_{1};
    SystemClock clock_;
    Timers timers_{clock_};
    TimersDriver driver_{context_, timers_};
    net::SystemDialer dialer_{context_, timers_, {}};
    std::shared_ptr<const net::TlsClient> tls_;
    std::unique_ptr<net::Stream> stream_;
    std::unique_ptr<smtp::Client> client_;
};

smtp::Envelope envelope_to(std::vector<std::string> recipients) {
    smtp::Envelope envelope;
    envelope.sender = *smtp::Address::of(user);
    for (const std::string& recipient : recipients) envelope.recipients.push_back({*smtp::Address::of(recipient)});
    return envelope;
}

std::string mail_of(const std::string& subject, const std::string& body) {
    return "From: " + user + "\r\nTo: someone@rig.example\r\nSubject: " + subject +
           "\r\nDate: Fri, 27 Nov 2026 04:00:00 +0000\r\nMessage-ID: <" + subject + "@rohrpost.example>\r\n\r\n" + body;
}

std::string with_lf(const std::string& text) {
    std::string out;
    std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c != '\r'; });
    return out;
}

/// Whether one of the delivered mails is this one byte for byte, but for header lines in front of it.
bool arrived(const std::vector<std::string>& mails, const std::string& mail) {
    const std::string wanted = with_lf(mail);
    return std::count_if(mails.begin(), mails.end(),
                         [&](const std::string& one) { return one.ends_with("\n" + wanted); }) == 1;
}

/// Bodies that try what is between a body and its end.
std::string odd_body() {
    return ".\r\n..\r\n.a\r\n\r\n. \r\n" + std::string(900, 'x') + "\r\nMAIL FROM:<x@y>\r\n.\r\n";
}

constexpr Mechanism mechanisms[] = {Mechanism::xoauth2, Mechanism::oauthbearer, Mechanism::plain, Mechanism::login};

}  // namespace

TEST_CASE("submission: Postfix takes mail after each mechanism, with BDAT and with DATA, byte for byte", "[postfix]") {
    if (!support::server_roots_work()) return;
    const bool chunking = GENERATE(true, false);
    Rig rig(chunking ? "" : "smtpd_discard_ehlo_keywords = chunking, silent-discard");
    std::vector<std::string> sent;
    for (const Mechanism mechanism : mechanisms) {
        CAPTURE(static_cast<int>(mechanism), rig.postfix->log());
        Submitter submitter(rig.postfix->port(), rig.tls);
        CHECK(submitter.client().capabilities().chunking == chunking);
        CHECK(submitter.log_in(rig.login(mechanism)).reply.text() == "235 2.7.0 Authentication successful");
        for (int mail = 0; mail < 2; ++mail) {  // on the same session
            sent.push_back(mail_of(fmt::format("mail-{}-{}", static_cast<int>(mechanism), mail), odd_body()));
            const auto submitted = submitter.submit(envelope_to({"a@rig.example"}), PiecesBody(sent.back(), 7));
            CHECK(submitted.verdict_for(0).text().find("queued as") != std::string::npos);
            CHECK(submitted.delivered_to(0));
            CHECK(submitter.check_idle() == error_code());
        }
        submitter.quit();
    }
    const auto mails = rig.mails(sent.size());
    CHECK(mails.size() == sent.size());
    for (const std::string& mail : sent) CHECK(arrived(mails, mail));
}

TEST_CASE("submission: Postfix refuses what is not right, and says why", "[postfix][hostile-23]") {
    if (!support::server_roots_work()) return;
    Rig rig;
    for (const Mechanism mechanism : mechanisms) {
        Submitter submitter(rig.postfix->port(), rig.tls);
        smtp::Login login = rig.login(mechanism);
        login.secret = Secret("wrong");
        CAPTURE(static_cast<int>(mechanism));
        const auto answer = submitter.log_in(std::move(login));
        CHECK(answer.reply.code == 535);
        // RFC 7628's challenge; Postfix hands Dovecot's over.
        const bool token = mechanism == Mechanism::xoauth2 || mechanism == Mechanism::oauthbearer;
        CHECK((answer.challenge.find("\"status\"") != std::string::npos) == token);
        CHECK(submitter.client().usable());
        const auto submitted = submitter.submit(envelope_to({"a@rig.example"}), PiecesBody(mail_of("no", "x\r\n")));
        CHECK_FALSE(submitted.delivered_to(0));
        CHECK(submitted.verdict_for(0).refused());
        submitter.quit();
    }
    CHECK(rig.postfix->mails().empty());
}

TEST_CASE("submission: at Postfix each recipient has a verdict, and a refused mail leaves the session usable",
          "[postfix]") {
    if (!support::server_roots_work()) return;
    Rig rig(
        "smtpd_recipient_restrictions = check_recipient_access inline:{ { no@rig.example = 550 5.1.1 nobody },"
        " { later@rig.example = 450 4.2.1 later } }, permit_sasl_authenticated, reject");
    Submitter submitter(rig.postfix->port(), rig.tls);
    submitter.log_in(rig.login(Mechanism::xoauth2));
    const std::string mixed = mail_of("mixed", "x\r\n"), after = mail_of("after", "y\r\n");
    const auto first =
        submitter.submit(envelope_to({"no@rig.example", "a@rig.example", "later@rig.example"}), PiecesBody(mixed));
    CHECK(first.verdict_for(0).enhanced == smtp::EnhancedCode{5, 1, 1});
    CHECK(first.delivered_to(1));
    CHECK(first.verdict_for(2).code == 450);
    const auto nobody =
        submitter.submit(envelope_to({"no@rig.example", "later@rig.example"}), PiecesBody(mail_of("nobody", "z\r\n")));
    CHECK(nobody.refused_before_body());
    CHECK(nobody.verdict_for(1).transient());
    CHECK(submitter.client().usable());
    const auto second = submitter.submit(envelope_to({"b@rig.example"}), PiecesBody(after));  // RSET goes with it
    CHECK(second.delivered_to(0));
    submitter.quit();
    const auto mails = rig.mails(2);
    CHECK(mails.size() == 2);
    CHECK(arrived(mails, mixed));
    CHECK(arrived(mails, after));
}

TEST_CASE("submission: TLS from the first byte, 8-bit, UTF-8 addresses, 10 MB, DSN and one byte too many at Postfix",
          "[postfix]") {
    if (!support::server_roots_work()) return;
    const bool chunking = GENERATE(true, false);
    Rig rig(chunking ? "" : "smtpd_discard_ehlo_keywords = chunking, silent-discard");
    Submitter submitter(rig.postfix->tls_port(), rig.tls, Submitter::Tls::implicit);
    submitter.log_in(rig.login(Mechanism::oauthbearer));

    const std::string eight = mail_of("eight", "gr\xc3\xbc\xc3\x9f dich \xff\r\n");
    smtp::Envelope envelope = envelope_to({"a@rig.example"});
    envelope.body_kind = smtp::BodyKind::eight_bit;
    envelope.id = "envelope+1";
    envelope.returned = smtp::Returned::headers;
    envelope.recipients.front().notify = {.never = true};
    envelope.recipients.front().original = "rfc822;someone+else@example.org";
    CHECK(submitter.submit(envelope, PiecesBody(eight)).delivered_to(0));

    const std::string utf8 = mail_of("utf8", "x\r\n");
    CHECK(submitter.submit(envelope_to({"gr\xc3\xbc\xc3\x9f@rig.example"}), PiecesBody(utf8)).delivered_to(0));

    std::string large = mail_of("large", "");
    for (int line = 0; large.size() < 10'000'000; ++line)
        large += (line % 3 == 0 ? "." : "") + fmt::format("{:070}\r\n", line);
    CHECK(submitter.submit(envelope_to({"a@rig.example"}), PiecesBody(large, 100'000)).delivered_to(0));

    PiecesBody huge("");
    huge.say(Postfix::size_bytes_max + 1);
    CHECK(submitter.submit(envelope_to({"a@rig.example"}), huge).obstacle == smtp::Obstacle::too_large);
    submitter.quit();

    const auto mails = rig.mails(3);
    CHECK(mails.size() == 3);
    CHECK(arrived(mails, eight));
    CHECK(arrived(mails, utf8));
    CHECK(arrived(mails, large));
    CHECK(std::any_of(mails.begin(), mails.end(), [](const std::string& mail) {
        return mail.find("X-Original-To: a@rig.example\n") != std::string::npos &&
               mail.find("Subject: eight") != std::string::npos;
    }));
}

namespace {

namespace json = boost::json;

/// npm's smtp-server; see tests/support/smtp_server.mjs.
class SmtpServer {
public:
    /// Whether it is installed; when not, says so with the word SKIPPED, which ctest reports.
    static bool works() {
        if (std::filesystem::exists(packages() / "node_modules/smtp-server")) return true;
        std::puts("SKIPPED: npm's smtp-server is not installed: run tools/setup/browser");
        return false;
    }
    explicit SmtpServer(json::object settings = {}) {
        const sim::CertificateWish wish{};
        const sim::Identity identity = authority_.issue(wish);
        sim::write_private_file(directory_ / "certificate.pem", identity.chain_pem);
        sim::write_private_file(directory_ / "key.pem", identity.key_pem);
        sim::write_private_file(directory_ / "ca.pem", authority_.certificate_pem());
        std::filesystem::create_directory(directory_ / "mails");
        const json::object argument{{"packages", packages().string()},
                                    {"certificate", (directory_ / "certificate.pem").string()},
                                    {"key", (directory_ / "key.pem").string()},
                                    {"mails", (directory_ / "mails").string()},
                                    {"settings", std::move(settings)}};
        support::Process::Start start;
        const auto script = std::filesystem::path(support::source_directory()) / "tests/support/smtp_server.mjs";
        start.command = {"node", script.string(), json::serialize(argument)};
        process_ = std::make_unique<support::Process>(std::move(start));
        const auto line = process_->read_line(std::chrono::seconds(20));
        INFO(process_->errors());
        REQUIRE(line.has_value());
        port_ = static_cast<std::uint16_t>(std::stoi(*line));
        const net::TlsClient::Trust trust{.ca_file = (directory_ / "ca.pem").string()};
        tls_ = *net::TlsClient::make(trust);
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::filesystem::path ca_file() const { return directory_ / "ca.pem"; }
    [[nodiscard]] Submitter submitter(Submitter::Tls how = Submitter::Tls::starttls) const {
        return {port_, tls_, how};
    }
    /// Counted from 1; empty: there is none.
    [[nodiscard]] std::string mail(int number) const { return file(number, "eml"); }
    [[nodiscard]] std::string envelope(int number) const { return file(number, "json"); }

private:
    static std::filesystem::path packages() {
        return std::filesystem::path(support::source_directory()) / "build/browser";
    }
    [[nodiscard]] std::string file(int number, std::string_view kind) const {
        const auto path = directory_ / fmt::format("mails/{}.{}", number, kind);
        return std::filesystem::exists(path) ? support::contents_of(path) : std::string();
    }

    sim::Authority authority_{"smtp-server rig authority"};
    support::TemporaryDirectory directory_;
    std::unique_ptr<support::Process> process_;
    std::uint16_t port_ = 0;
    std::shared_ptr<const net::TlsClient> tls_;
};

smtp::Login login_as(Mechanism mechanism, std::string secret = "right") {
    return {mechanism, user, Secret(std::move(secret)), "localhost", 587};
}

smtp::Envelope envelope_from(const std::string& sender, std::vector<std::string> recipients) {
    smtp::Envelope envelope = envelope_to(std::move(recipients));
    envelope.sender = *smtp::Address::of(sender);
    return envelope;
}

}  // namespace

TEST_CASE("submission: npm's smtp-server takes mail after each mechanism, pipelined and step by step, byte for byte",
          "[smtp-server]") {
    if (!SmtpServer::works()) return;
    const bool pipelining = GENERATE(true, false);
    const SmtpServer server({{"hidePIPELINING", !pipelining}});
    int number = 0;
    for (const Mechanism mechanism : {Mechanism::xoauth2, Mechanism::plain, Mechanism::login}) {
        CAPTURE(static_cast<int>(mechanism), pipelining);
        Submitter submitter = server.submitter();
        CHECK(submitter.client().capabilities().pipelining == pipelining);
        CHECK_FALSE(submitter.client().capabilities().chunking);
        CHECK(submitter.log_in(login_as(mechanism)).reply.code == 235);
        for (int mail = 0; mail < 2; ++mail) {
            const std::string text = mail_of(fmt::format("mail-{}", ++number), odd_body());
            const auto submitted =
                submitter.submit(envelope_to({"a@rig.example", "b@rig.example"}), PiecesBody(text, 11));
            CHECK(submitted.delivered_to(0));
            CHECK(submitted.delivered_to(1));
            CHECK(server.mail(number) == text);
            CHECK(submitter.check_idle() == error_code());
        }
        submitter.quit();
    }
    Submitter submitter = server.submitter();
    submitter.log_in(login_as(Mechanism::plain));
    CHECK(submitter.ran(submitter.client().log_in(login_as(Mechanism::oauthbearer))).error() ==
          smtp::errc::mechanism_not_offered);
    std::string large = mail_of("large", "");
    for (int line = 0; large.size() < 10'000'000; ++line)
        large += (line % 3 == 0 ? "." : "") + fmt::format("{:070}\r\n", line);
    CHECK(submitter.submit(envelope_to({"a@rig.example"}), PiecesBody(large, 100'000)).delivered_to(0));
    CHECK(server.mail(++number) == large);
    const std::string utf8 = mail_of("utf8", "gr\xc3\xbc\xc3\x9f dich\r\n");
    smtp::Envelope envelope = envelope_to({"gr\xc3\xbc\xc3\x9f@rig.example"});
    envelope.body_kind = smtp::BodyKind::eight_bit;
    CHECK(submitter.submit(envelope, PiecesBody(utf8)).delivered_to(0));
    CHECK(server.mail(++number) == utf8);
    CHECK(server.envelope(number).find("gr\xc3\xbc\xc3\x9f@rig.example") != std::string::npos);
    submitter.quit();
}

TEST_CASE("submission: a refusal at each step of smtp-server is the verdict, and the session goes on",
          "[smtp-server]") {
    if (!SmtpServer::works()) return;
    const bool pipelining = GENERATE(true, false);
    const SmtpServer server({{"hidePIPELINING", !pipelining}});
    {
        Submitter submitter = server.submitter();
        const auto refused = submitter.log_in(login_as(Mechanism::xoauth2, "wrong"));
        CHECK(refused.reply.code >= 500);
        CHECK(refused.challenge.find("\"401\"") != std::string::npos);
        CHECK(submitter.log_in(login_as(Mechanism::plain, "wrong")).reply.code == 535);
        CHECK(submitter.log_in(login_as(Mechanism::login, "wrong")).reply.code == 535);
    }
    Submitter submitter = server.submitter();
    submitter.log_in(login_as(Mechanism::xoauth2));
    const std::string text = mail_of("x", odd_body());
    int number = 0;
    const auto next_is_fine = [&] {
        REQUIRE(submitter.client().usable());
        CHECK(submitter.submit(envelope_to({"a@rig.example"}), PiecesBody(text)).delivered_to(0));
        CHECK(server.mail(++number) == text);
    };
    for (const std::string code : {"450", "452", "550", "552", "554"}) {
        CAPTURE(code, pipelining);
        const int said = std::stoi(code);
        const auto at_mail =
            submitter.submit(envelope_from(code + "-@rig.example", {"a@rig.example"}), PiecesBody(text));
        CHECK(at_mail.verdict_for(0).code == said);
        next_is_fine();
        const auto at_all =
            submitter.submit(envelope_to({code + "-a@rig.example", code + "-b@rig.example"}), PiecesBody(text));
        CHECK(at_all.refused_before_body());
        CHECK(at_all.verdict_for(1).code == said);
        next_is_fine();
        const auto at_one = submitter.submit(envelope_to({code + "-a@rig.example", "b@rig.example"}), PiecesBody(text));
        CHECK(at_one.verdict_for(0).code == said);
        CHECK(at_one.delivered_to(1));
        CHECK(server.mail(++number) == text);
        CHECK(server.envelope(number).find("b@rig.example") != std::string::npos);
        CHECK(server.envelope(number).find("-a@rig.example") == std::string::npos);
        const auto at_end =
            submitter.submit(envelope_from("end-" + code + "-@rig.example", {"a@rig.example"}), PiecesBody(text));
        CHECK(at_end.verdict_for(0).code == said);
        CHECK_FALSE(at_end.delivered_to(0));
        next_is_fine();
    }
}

TEST_CASE("submission: a mail is in doubt when smtp-server has all of it and hangs up, and only then",
          "[smtp-server][hostile-10]") {
    if (!SmtpServer::works()) return;
    const SmtpServer server;
    struct Case {
        smtp::Envelope envelope;
        bool in_doubt;
        smtp::Phase phase;
    };
    const Case cases[] = {
        {envelope_from("hangup-@rig.example", {"a@rig.example"}), false, smtp::Phase::rcpt},
        {envelope_to({"a@rig.example", "hangup-b@rig.example"}), false, smtp::Phase::rcpt},
        {envelope_from("end-hangup-@rig.example", {"a@rig.example"}), true, smtp::Phase::final_sent},
    };
    for (const Case& each : cases) {
        Submitter submitter = server.submitter();
        submitter.log_in(login_as(Mechanism::plain));
        PiecesBody body(mail_of("x", odd_body()));
        const auto submitted = submitter.ran(submitter.client().submit(each.envelope, body));
        CHECK(submitted.has_error());
        CHECK(submitter.client().in_doubt() == each.in_doubt);
        CHECK(submitter.client().phase() == each.phase);
        CHECK_FALSE(submitter.client().usable());
    }
    CHECK(server.mail(1).empty());
}

TEST_CASE("submission: smtp-server that offers no STARTTLS gets no login", "[smtp-server][hostile-2]") {
    if (!SmtpServer::works()) return;
    const SmtpServer server({{"hideSTARTTLS", true}, {"size", 100}});
    Submitter submitter = server.submitter(Submitter::Tls::none);
    CHECK(submitter.ran(submitter.client().log_in(login_as(Mechanism::plain))).error() == smtp::errc::tls_required);
    CHECK(submitter.submit(envelope_to({"a@rig.example"}), PiecesBody(mail_of("x", odd_body()))).obstacle ==
          smtp::Obstacle::too_large);
    submitter.quit();
}

TEST_CASE("submission: an idle session that smtp-server ended is found out before the next mail",
          "[smtp-server][hostile-17]") {
    if (!SmtpServer::works()) return;
    const SmtpServer server({{"socketTimeout", 1000}});
    Submitter submitter = server.submitter();
    submitter.log_in(login_as(Mechanism::plain));
    CHECK(submitter.check_idle() == error_code());
    error_code found;
    support::eventually([&] {
        found = submitter.check_idle();
        return found.failed();
    });
    CHECK(found == smtp::errc::goodbye);
    CHECK(submitter.client().farewell().code == 421);
}

namespace {

struct Place {
    std::filesystem::path ca_file;
    std::uint16_t port = 0;
    std::string_view password = "right";
};

/// A mailbox whose mail goes to that server; nothing is fetched for it.
json::object import_document(const Place& server, const std::filesystem::path& maildir) {
    const json::object provider{
        {"id", "rig"},
        {"ca_file", server.ca_file.string()},
        {"imap", json::object{{"host", "localhost"}, {"port", support::free_port()}}},
        {"smtp", json::object{{"host", "localhost"}, {"port", server.port}, {"tls", "starttls"}}}};
    const json::object credential{{"id", "desk"},
                                  {"provider", "rig"},
                                  {"user", user},
                                  {"flow", "password"},
                                  {"password", json::object{{"value", server.password}}}};
    const json::object mailbox{{"id", "desk"},
                               {"address", user},
                               {"credential", "desk"},
                               {"consumer", "dir"},
                               {"submit", json::object{{"per_minute", 10000}}}};
    const json::object consumer{{"id", "dir"}, {"kind", "maildir"}, {"path", maildir.string()}};
    json::object document;
    document["providers"].emplace_array().push_back(provider);
    document["credentials"].emplace_array().push_back(credential);
    document["mailboxes"].emplace_array().push_back(mailbox);
    document["consumers"].emplace_array().push_back(consumer);
    return document;
}

std::string without_line_ends(std::string text) {
    std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
    return text;
}

}  // namespace

TEST_CASE("submission: by each way in, mail becomes what a server without 8BITMIME takes, or fails with the reason",
          "[daemon][smtp-server][hostile-21]") {
    if (!SmtpServer::works()) return;
    const SmtpServer server({{"hide8BITMIME", true}, {"hideSMTPUTF8", true}});
    support::Daemon daemon;
    daemon.import(json::serialize(import_document({server.ca_file(), server.port()}, daemon.maildir())));
    const auto port = support::free_port();
    daemon.start({"--smtp-listen", fmt::format("127.0.0.1:{}", port)});
    const auto socket = (daemon.data() / "control.sock").string();
    const auto posted = [&](const std::string& body, const std::string& type, const std::string& target) {
        return support::run_to_end({.command = {"curl", "-s", "--unix-socket", socket, "-H", "Content-Type: " + type,
                                                "--data-binary", body, "http://rohrpost/v1/submissions" + target}})
            .output;
    };
    const std::string umlaut = "gr\xc3\xbc\xc3\x9f dich, alle zusammen";
    const std::string long_line(3000, 'x');
    const auto mail = [&](const std::string& subject, const std::string& body) {
        return fmt::format(
            "From: {}\r\nTo: a@rig.example\r\nSubject: {}\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
            user, subject, body);
    };
    const auto arrives = [&](int number) {
        const bool came = support::eventually([&] { return !server.mail(number).empty(); });
        INFO(daemon.log());
        REQUIRE(came);
        const auto text = server.mail(number);
        CHECK(std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
        CHECK(server.envelope(number).find("8BITMIME") == std::string::npos);
        return text;
    };
    const std::string encoded = "gr=C3=BC=C3=9F dich, alle zusammen\r\n";
    const std::string label = "\r\nContent-Transfer-Encoding: quoted-printable\r\n";

    const auto by_command = daemon.ask({"send", "-t"}, mail("command", umlaut));
    CHECK(by_command.exit_code == 0);
    auto text = arrives(1);
    CHECK(text.ends_with("\r\n\r\n" + encoded));
    CHECK(text.find(label) != std::string::npos);
    CHECK(text.find("8bit") == std::string::npos);

    posted(mail("raw", long_line), "message/rfc822", "?to_headers=yes");
    text = arrives(2);
    CHECK(text.find(label) != std::string::npos);
    CHECK(text.find(std::string(75, 'x') + "=\r\n") != std::string::npos);

    support::SmtpTalk talk(port);
    CHECK(talk.codes(1) == "220");
    talk.ask("EHLO [127.0.0.1]");
    talk.send(fmt::format("MAIL FROM:<{}> BODY=8BITMIME\r\nRCPT TO:<a@rig.example>\r\nDATA\r\n", user));
    CHECK(talk.codes(3) == "250 250 354");
    talk.send(mail("smtp", umlaut + "\r\n" + long_line) + ".\r\n");
    CHECK(talk.codes(1) == "250");
    text = arrives(3);
    CHECK(text.find("\r\n\r\n" + encoded + std::string(75, 'x') + "=\r\n") != std::string::npos);

    json::object letter{{"from", json::object{{"name",
                                               "Der Sch\xc3\xa4"
                                               "fer"},
                                              {"address", user}}},
                        {"to", "a@rig.example"},
                        {"bcc", "b@rig.example"},
                        {"subject", umlaut},
                        {"text", umlaut},
                        {"html", "<p>" + umlaut + long_line}};
    letter["attachments"].emplace_array().push_back(json::object{{"filename", "\xc3\xbc.bin"}, {"content", "AAEC"}});
    CHECK(posted(json::serialize(letter), "application/json; charset=utf-8", "").find("\"id\"") != std::string::npos);
    text = arrives(4);
    CHECK(text.find("multipart/mixed") != std::string::npos);
    CHECK(text.find("\r\nAAEC\r\n") != std::string::npos);
    CHECK(text.find("b@rig.example") == std::string::npos);
    CHECK(server.envelope(4).find("b@rig.example") != std::string::npos);
    CHECK(without_line_ends(text).find("gr=C3=BC=C3=9F dich") != std::string::npos);
    const auto composed = daemon.ask({"send", "--compose", "-"}, json::serialize(letter));
    INFO(composed.errors);
    CHECK(composed.exit_code == 0);
    arrives(5);
    auto wrong = letter;
    wrong["subject"] = "a\r\nBcc: c@rig.example";
    const auto refused = daemon.ask({"send", "--compose", "-"}, json::serialize(wrong));
    CHECK(refused.exit_code == 65);
    CHECK(refused.errors.find("/subject: ") != std::string::npos);
    CHECK(posted("{}", "application/json", "").find("{\"path\":\"/from\"") != std::string::npos);
    CHECK(posted("{}", "application/json", "?to=a@rig.example").find("stands in the document") != std::string::npos);

    // What is signed is not touched: not at acceptance, not on its way.
    const auto sealed = [&](const std::string& body) {
        return fmt::format(
            "From: {}\r\nTo: a@rig.example\r\nSubject: sealed\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n{}\r\n--s\r\n"
            "Content-Type: application/pgp-signature\r\n\r\nx\r\n--s--\r\n",
            user, body);
    };
    const auto too_long = daemon.ask({"send", "-t"}, sealed(long_line));
    CHECK(too_long.exit_code == 65);
    CHECK(too_long.errors.find("what is signed or encrypted must not be altered (RFC 1847)") != std::string::npos);
    const auto kept = daemon.ask({"send", "-t"}, sealed(umlaut));
    REQUIRE(kept.exit_code == 0);
    const auto id = kept.output.substr(0, kept.output.find('\n'));
    std::string state;
    CHECK(support::eventually([&] {
        state = daemon.ask({"queue", "show", id, "--json"}).output;
        return state.find("\"failed\"") != std::string::npos;
    }));
    CHECK(state.find("does not offer 8BITMIME; it cannot be converted: what is signed or encrypted must not be altered "
                     "(RFC 1847)") != std::string::npos);
    CHECK(server.mail(6).empty());
    CHECK(daemon.stop() == 0);
}

TEST_CASE(
    "submission: Postfix that does not offer 8BITMIME gets mail that it can take, and none that must not be altered",
    "[daemon][postfix][hostile-21]") {
    if (!support::server_roots_work()) return;
    Rig rig("smtpd_discard_ehlo_keywords = 8bitmime, smtputf8");
    Submitter submitter(rig.postfix->port(), rig.tls);
    REQUIRE_FALSE(submitter.client().capabilities().eightbitmime);
    submitter.quit();
    support::Daemon daemon;
    const Place place{rig.provider.ca_file(), rig.postfix->port(), Dovecot::password};
    daemon.import(json::serialize(import_document(place, daemon.maildir())));
    daemon.start({});
    const std::string umlaut = "gr\xc3\xbc\xc3\x9f dich, alle zusammen";
    const auto mail = [&](const std::string& type, const std::string& body) {
        return fmt::format(
            "From: {}\r\nTo: a@{}\r\nSubject: plain\r\nMIME-Version: 1.0\r\nContent-Type: {}\r\n"
            "Content-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
            user, Postfix::domain, type, body);
    };
    REQUIRE(daemon.ask({"send", "-t"}, mail("text/plain; charset=utf-8", umlaut)).exit_code == 0);
    const auto arrived = rig.mails(1);
    INFO(daemon.log());
    REQUIRE(arrived.size() == 1);
    const auto& text = arrived.front();
    CHECK(std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
    CHECK(text.find("\nContent-Transfer-Encoding: quoted-printable\n") != std::string::npos);
    CHECK(text.ends_with("\n\ngr=C3=BC=C3=9F dich, alle zusammen\n"));

    const auto kept = daemon.ask({"send", "-t"}, mail("multipart/signed; boundary=s",
                                                      "--s\r\n\r\n" + umlaut +
                                                          "\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\n"
                                                          "x\r\n--s--"));
    REQUIRE(kept.exit_code == 0);
    const auto id = kept.output.substr(0, kept.output.find('\n'));
    std::string state;
    CHECK(support::eventually([&] {
        state = daemon.ask({"queue", "show", id, "--json"}).output;
        return state.find("\"failed\"") != std::string::npos;
    }));
    CHECK(state.find("what is signed or encrypted must not be altered (RFC 1847)") != std::string::npos);
    CHECK(rig.postfix->mails().size() == 1);
    CHECK(daemon.stop() == 0);
}

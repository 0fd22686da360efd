// Programs that are not ours hand mail in: swaks, msmtp, Python's smtplib, Postfix as a client of its smart host, and
// Postfix's smtp-source.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "protocols/base/base64.hpp"
#include "tests/support/inlet_rig.hpp"
#include "tests/support/places.hpp"
#include "tests/support/postfix.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

using support::InletRig;
using support::Postfix;
using support::Ran;
using support::run_to_end;
using support::short_mail;

namespace {

const std::string user = "crm";

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A listener that wants TLS and the API token, which is returned.
std::string start_guarded(InletRig& inlet) {
    auto flags = inlet.tls_flags();
    flags.emplace_back("--smtp-require-auth");
    inlet.start(flags);
    return inlet.new_token();
}

Ran swaks(const InletRig& inlet, const std::string& subject, std::vector<std::string> more) {
    std::vector<std::string> words{"swaks",
                                   "--server",
                                   "127.0.0.1",
                                   "--port",
                                   std::to_string(inlet.port()),
                                   "--from",
                                   "box0001@sim.test",
                                   "--to",
                                   "a@there.test",
                                   "--header",
                                   "Subject: " + subject};
    words.insert(words.end(), more.begin(), more.end());
    return run_to_end({.command = words});
}

/// Nothing of the secret is where people look.
void check_kept(const InletRig& inlet, const std::string& secret) {
    for (const auto& spelling : {secret, base64_encoded('\0' + user + '\0' + secret), base64_encoded(secret)})
        CHECK_FALSE(holds(inlet.rig.daemon.log(), spelling));
}

}  // namespace

TEST_CASE("inlet: swaks over STARTTLS with PLAIN and LOGIN, with and without a flight", "[daemon][inlet]") {
    InletRig inlet;
    const auto token = start_guarded(inlet);
    int number = 0;
    for (const char* mechanism : {"PLAIN", "LOGIN"}) {
        for (const bool pipelined : {false, true}) {
            std::vector<std::string> words{"--tls", "--auth", mechanism, "--auth-user", user, "--auth-password", token};
            if (pipelined) words.emplace_back("--pipeline");
            const auto ran = swaks(inlet, std::to_string(number++), words);
            CAPTURE(ran.output, ran.errors);
            CHECK(ran.exit_code == 0);
            CHECK(holds(ran.output, "250 2.0.0 queued as "));
        }
    }
    const auto wrong = swaks(inlet, "x", {"--tls", "--auth", "PLAIN", "--auth-user", user, "--auth-password", "guess"});
    CHECK(wrong.exit_code == 28);
    CHECK(holds(wrong.output, "535 5.7.8 the password is not the API token"));
    CHECK(holds(swaks(inlet, "x", {"--tls"}).output, "530 5.7.0 log in first (AUTH)"));
    CHECK(inlet.metric("rohrpost_inlet_refusals_total{reason=\"login\"}") == 2);
    CHECK(inlet.arrive(4));
    const auto next = inlet.new_token();
    CHECK(swaks(inlet, "x", {"--tls", "--auth", "PLAIN", "--auth-user", user, "--auth-password", token}).exit_code ==
          28);
    CHECK(swaks(inlet, "4", {"--tls", "--auth", "PLAIN", "--auth-user", user, "--auth-password", next}).exit_code == 0);
    CHECK(inlet.arrive(5));
    CHECK(holds(inlet.sent()[0].message, " with ESMTPSA id "));
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.taken() == support::each_once(5));
    check_kept(inlet, token);
    check_kept(inlet, next);
}

TEST_CASE("inlet: who guesses passwords is turned away for a while, others are not", "[daemon][inlet][hostile-54]") {
    InletRig inlet;
    const auto token = start_guarded(inlet);
    const auto try_with = [&](const std::string& password, const std::string& from = "127.0.0.1") {
        return swaks(
            inlet, "0",
            {"--tls", "--auth", "PLAIN", "--auth-user", user, "--auth-password", password, "--local-interface", from});
    };
    const std::string words = "421 4.7.0 too many wrong passwords came from there; wait a minute";
    std::string last;
    for (int each = 0; each < 20 && !holds(last, words); ++each) last = try_with("guess").output;
    CHECK(holds(last, words));
    CHECK(holds(try_with(token).output, words));
    CHECK(try_with(token, "127.0.0.2").exit_code == 0);
    CHECK(inlet.arrive(1));
    CHECK(inlet.rig.daemon.stop() == 0);
    check_kept(inlet, token);
}

TEST_CASE("inlet: msmtp over STARTTLS with PLAIN and LOGIN, and its words when it is refused", "[daemon][inlet]") {
    InletRig inlet;
    const auto token = start_guarded(inlet);
    const auto msmtp = [&](const std::string& mechanism, const std::string& password, const std::string& from,
                           const std::string& message) {
        sim::write_private_file(
            inlet.rig.daemon.file("msmtprc"),
            fmt::format("defaults\nhost localhost\nport {}\ntls on\ntls_starttls on\n"
                        "tls_trust_file {}\nauth {}\nuser {}\npassword {}\nfrom {}\naccount default\n",
                        inlet.port(), inlet.rig.provider.ca_file().string(), mechanism, user, password, from));
        support::Process::Start start;
        start.command = {"msmtp", "-C", inlet.rig.daemon.file("msmtprc").string(), "a@there.test", "b@there.test"};
        start.input = message;
        return run_to_end(std::move(start));
    };
    int number = 0;
    for (const char* mechanism : {"plain", "login"}) {
        const auto ran = msmtp(mechanism, token, "box0001@sim.test",
                               "From: box0001@sim.test\nSubject: " + std::to_string(number++) + "\n\n.\n..\nx\n");
        CAPTURE(ran.errors);
        CHECK(ran.exit_code == 0);
    }
    const auto wrong = msmtp("plain", "guess", "box0001@sim.test", "Subject: x\n\nx\n");
    CHECK(wrong.exit_code == 77);
    const auto unknown = msmtp("plain", token, "nobody@sim.test", "Subject: x\n\nx\n");
    CHECK(unknown.exit_code == 65);
    CHECK(holds(unknown.errors, "550 5.7.1 no mailbox may send from this address"));
    CHECK(inlet.arrive(2));
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.taken() == support::each_once(2));
    CHECK(inlet.sent()[0].message.ends_with("\r\n\r\n.\r\n..\r\nx\r\n"));
    CHECK(inlet.sent()[0].recipients.size() == 2);
    check_kept(inlet, token);
}

TEST_CASE("inlet: Python's smtplib logs in, sends 8-bit and beyond-ASCII mail, and reads each refusal",
          "[daemon][inlet]") {
    InletRig inlet;
    const auto token = start_guarded(inlet);
    const auto ran =
        run_to_end({.command = {"python3", support::source_directory() + "/tests/support/hand_in.py",
                                std::to_string(inlet.port()), inlet.rig.provider.ca_file().string(), user, token}});
    CAPTURE(ran.errors);
    CHECK(ran.exit_code == 0);
    CHECK(ran.output ==
          "PLAIN 235\nrefused {}\nLOGIN 235\nrefused {}\nwithout login 530 5.7.0 log in first (AUTH)\n"
          "wrong password 535\nline ends 550\n{}\n"
          "sender 550 5.7.1 no mailbox may send from this address; add it to submit.from of a mailbox\n");
    REQUIRE(inlet.arrive(4));
    const auto mails = inlet.sent();
    CHECK(mails[0].message.ends_with("\r\n\r\n.\r\n..dots\r\n.\r\n..dots\r\n.\r\n..dots\r\n"));
    CHECK(mails[2].recipients == std::vector<std::string>{"gr\xc3\xbc\xc3\x9f@there.test"});
    CHECK(holds(mails[2].parameters[0], "SMTPUTF8"));
    CHECK(mails[3].message.ends_with("\r\n\r\n\xc3\xbc\r\n"));
    CHECK(holds(mails[3].parameters[0], "ENVID=python"));
    CHECK(mails[3].parameters[2] == "NOTIFY=FAILURE");
    CHECK(inlet.rig.daemon.stop() == 0);
    check_kept(inlet, token);
}

TEST_CASE("inlet: smtp-source of Postfix over ten sessions, each mail once", "[daemon][inlet][postfix]") {
    if (!support::server_roots_work()) return;
    constexpr std::size_t count = 300;
    InletRig inlet(4);
    inlet.start();
    const support::ServerRoot postfix("postfix", {});
    for (const bool reused : {false, true}) {
        std::vector<std::string> words{"/usr/sbin/smtp-source",
                                       "-s",
                                       "10",
                                       "-m",
                                       std::to_string(count),
                                       "-l",
                                       "4096",
                                       "-N",
                                       "-f",
                                       "box0002@sim.test",
                                       "-t",
                                       "to@there.test",
                                       "-S",
                                       "x",
                                       "-M",
                                       "app.example"};
        if (reused) words.emplace_back("-d");
        words.push_back(fmt::format("inet:127.0.0.1:{}", inlet.port()));
        const auto ran = run_to_end(postfix.command(words), std::chrono::seconds(60));
        CAPTURE(ran.errors, ran.output);
        CHECK(ran.exit_code == 0);
    }
    CHECK(inlet.metric("rohrpost_inlet_accepted_total") == 2 * count);
    CHECK(inlet.arrive(2 * count));
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.rig.daemon.run_until_idle({"--settling-time", "200ms"}) == 0);
    std::map<std::string, int> times;  // by recipient: smtp-source -N numbers them
    for (const auto& one : inlet.sent()) ++times[one.recipients.at(0)];
    CHECK(inlet.sent().size() == 2 * count);
    CHECK(times.size() == count);
    for (const auto& [recipient, number] : times) CHECK(number == 2);
}

TEST_CASE("inlet: Postfix hands over to it as to its smart host, over TLS, and bounces what is refused",
          "[daemon][inlet][postfix]") {
    if (!support::server_roots_work()) return;
    InletRig inlet;
    inlet.start(inlet.tls_flags());
    Postfix::Wish wish;
    wish.authority = &inlet.rig.provider.authority();
    wish.settings = fmt::format(R"(relayhost = [127.0.0.1]:{}
smtp_tls_security_level = encrypt
smtpd_tls_security_level = may
smtpd_sasl_auth_enable = no
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
default_transport = smtp
relay_transport = smtp)",
                                inlet.port());
    const Postfix postfix(wish);
    support::SmtpTalk talk(postfix.port());
    CHECK(talk.codes(1) == "220");
    CHECK(talk.ask("EHLO app.example").starts_with("250"));
    const auto hand_in = [&](const std::string& from, const std::string& message) {
        CHECK(talk.ask(fmt::format("MAIL FROM:<{}>", from)).starts_with("250"));
        CHECK(talk.ask("RCPT TO:<a@there.test> NOTIFY=FAILURE ORCPT=rfc822;x@there.test").starts_with("250"));
        CHECK(talk.ask("DATA").starts_with("354"));
        talk.send(message + ".\r\n");
        CHECK(talk.reply().starts_with("250"));
    };
    for (int number = 0; number < 10; ++number) hand_in("box0001@sim.test", short_mail(std::to_string(number)));
    hand_in("stranger@rig.example", short_mail("x"));
    CHECK(inlet.arrive(10));
    CHECK(support::eventually([&] { return holds(postfix.log(), "550 5.7.1 no mailbox may send from this address"); }));
    INFO(postfix.log());
    for (const auto& one : inlet.sent()) {
        CHECK(holds(one.message, " with ESMTPS id "));
        CHECK(one.parameters.at(1) == "NOTIFY=FAILURE ORCPT=rfc822;x@there.test");
    }
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.taken() == support::each_once(10));
}

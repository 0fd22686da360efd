// Applications hand mail in over SMTP: what was answered 250 is durable and leaves once, whatever they and the machine
// do.

#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/inlet_rig.hpp"
#include "tests/support/sanitized.hpp"

using support::each_once;
using support::eventually;
using support::InletRig;
using support::MailRig;
using support::short_mail;
using support::SmtpTalk;

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

const std::string envelope = "MAIL FROM:<box0001@sim.test>\r\nRCPT TO:<a@there.test>\r\n";

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Greeting and EHLO are behind it.
SmtpTalk greeted(const InletRig& inlet, const std::string& from = "127.0.0.1") {
    SmtpTalk talk(inlet.port(), from);
    REQUIRE(talk.reply().starts_with("220 "));
    REQUIRE(talk.ask("EHLO app.example").starts_with("250-"));
    return talk;
}

std::string whole(const std::string& message) { return fmt::format("BDAT {} LAST\r\n{}", message.size(), message); }

/// The id in "250 2.0.0 queued as ID"; empty: it is another reply.
std::string id_in(const std::string& reply) {
    const std::string before = "250 2.0.0 queued as ";
    return reply.starts_with(before) ? reply.substr(before.size(), 13) : std::string();
}

json::object shown(const InletRig& inlet, const std::string& id) {
    const auto ran = inlet.rig.daemon.ask({"queue", "show", id, "--json"});
    INFO(ran.errors);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.output).as_object();
}

std::string word(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value == nullptr ? std::string() : std::string(value->as_string());
}

/// Mail in lines of 80 bytes.
std::string long_mail(const std::string& subject, std::size_t bytes) {
    std::string message = short_mail(subject);
    message.reserve(bytes + 80);
    while (message.size() < bytes) message += std::string(78, 'x') + "\r\n";
    return message;
}

}  // namespace

TEST_CASE("inlet: a flight of mails is answered in order with their ids, and arrives with all that was said of it",
          "[daemon][inlet]") {
    InletRig inlet;
    inlet.start();
    auto talk = greeted(inlet);
    const auto offered = talk.ask("EHLO [127.0.0.1]");
    for (const char* word : {"PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "SIZE 52428800", "DSN",
                             "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN"})
        CHECK(holds(offered, word));
    CHECK_FALSE(holds(offered, "STARTTLS"));
    const std::string eight = "From: box0001@sim.test\r\nSubject: eight\r\n\r\ngr\xc3\xbc\xc3\x9f dich\r\n";
    talk.send(
        "MAIL FROM:<box0001@sim.test> RET=HDRS ENVID=case+2B7 SIZE=100\r\n"
        "RCPT TO:<a@there.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first+2B@there.test\r\n"
        "RCPT TO:<b@there.test> NOTIFY=NEVER\r\n"
        "DATA\r\n");
    CHECK(talk.codes(4) == "250 250 250 354");
    talk.send(
        "From: box0001@sim.test\r\nSubject: data\r\n\r\n..\r\n..two\r\nend\r\n.\r\n"
        "MAIL FROM:<box0001@sim.test> BODY=8BITMIME\r\nRCPT TO:<a@there.test>\r\n"
        "BDAT 20\r\n" +
        eight.substr(0, 20) + fmt::format("BDAT {}\r\n", eight.size() - 20) + eight.substr(20) +
        "BDAT 0 LAST\r\n"
        "MAIL FROM:<box0001@sim.test> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<gr\xc3\xbc\xc3\x9f@there.test>\r\n" +
        whole("From: box0001@sim.test\r\nSubject: gr\xc3\xbc\xc3\x9f\r\n\r\nx\r\n") + "QUIT\r\n");
    const auto first = id_in(talk.reply());
    CHECK(talk.codes(4) == "250 250 250 250");
    const auto second = id_in(talk.reply());
    CHECK(talk.codes(2) == "250 250");
    const auto third = id_in(talk.reply());
    CHECK(talk.codes(2) == "221");
    for (const auto& id : {first, second, third})
        CHECK(eventually([&] { return word(shown(inlet, id), "state") == "delivered"; }));

    const auto mails = inlet.sent();
    REQUIRE(mails.size() == 3);
    CHECK(mails[0].sender == "box0001@sim.test");
    CHECK(mails[0].recipients == std::vector<std::string>{"a@there.test", "b@there.test"});
    REQUIRE(mails[0].parameters.size() == 3);
    CHECK(holds(mails[0].parameters[0], "RET=HDRS"));
    CHECK(holds(mails[0].parameters[0], "ENVID=case+2B7"));
    CHECK(mails[0].parameters[1] == "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first+2B@there.test");
    CHECK(mails[0].parameters[2] == "NOTIFY=NEVER");
    const auto& message = mails[0].message;
    CHECK(message.starts_with("Received: from [127.0.0.1] ([127.0.0.1])\r\n\tby "));
    CHECK(holds(message, " with ESMTP id "));
    CHECK(holds(message, "\r\nX-Rohrpost-Submission: "));
    CHECK(holds(message, "\r\nDate: "));
    CHECK(holds(message, "\r\nMessage-ID: <"));
    CHECK(message.ends_with("\r\n\r\n.\r\n.two\r\nend\r\n"));
    CHECK(mails[1].message.ends_with("gr\xc3\xbc\xc3\x9f dich\r\n"));
    CHECK(holds(mails[1].parameters[0], "BODY=8BITMIME"));
    CHECK(mails[2].recipients == std::vector<std::string>{"gr\xc3\xbc\xc3\x9f@there.test"});
    CHECK(holds(mails[2].parameters[0], "SMTPUTF8"));
    CHECK(inlet.metric("rohrpost_inlet_accepted_total") == 3);
    CHECK(inlet.metric("rohrpost_inlet_accepted_bytes_total") ==
          static_cast<double>(mails[0].message.size() + mails[1].message.size() + mails[2].message.size()));
    CHECK(inlet.metric("rohrpost_inlet_accept_seconds_total") > 0);
    CHECK(inlet.metric("rohrpost_inlet_connections_total") == 1);
    CHECK(inlet.metric("rohrpost_inlet_connections") == 0);
    CHECK(inlet.rig.daemon.stop() == 0);
}

TEST_CASE("inlet: who no mailbox may send for is refused at MAIL, and known as soon as one may", "[daemon][inlet]") {
    InletRig inlet;
    inlet.start();
    auto talk = greeted(inlet);
    talk.send("MAIL FROM:<other@sim.test>\r\nRCPT TO:<a@there.test>\r\nDATA\r\n");
    const auto refused = talk.reply();
    CHECK(refused.starts_with("550 5.7.1 "));
    CHECK(holds(refused, "no mailbox may send from this address; add it to submit.from of a mailbox"));
    CHECK(talk.codes(2) == "503 503");
    CHECK(talk.ask("MAIL FROM:<>").starts_with("550 5.7.1 "));
    CHECK(inlet.metric("rohrpost_inlet_refusals_total{reason=\"sender\"}") == 2);

    auto document = inlet.rig.document();
    auto& mailbox = document.at("mailboxes").as_array().at(0).as_object();
    auto& submit = mailbox["submit"].as_object();
    submit["from"] = json::array{"box0001@sim.test", "other@sim.test"};
    inlet.rig.daemon.import(json::serialize(document));
    CHECK(talk.ask("MAIL FROM:<OTHER@sim.test>").starts_with("250 "));
    CHECK(talk.ask("RSET").starts_with("250 "));
    submit["from"] = json::array{"box0001@sim.test"};
    inlet.rig.daemon.import(json::serialize(document));
    CHECK(talk.ask("MAIL FROM:<other@sim.test>").starts_with("550 5.7.1 "));
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.sent().empty());
}

TEST_CASE("inlet: key, lane and time are asked for in header fields, which are not sent on", "[daemon][inlet]") {
    InletRig inlet;
    inlet.start();
    auto talk = greeted(inlet);
    const auto hand_in = [&](const std::string& fields) {
        talk.send(envelope + whole(fields + short_mail("wishes")));
        CHECK(talk.codes(2) == "250 250");
        return talk.reply();
    };
    const std::string tomorrow = std::to_string(std::time(nullptr) + 86'400);
    const auto first =
        id_in(hand_in("X-Rohrpost-Key: one\r\nX-Rohrpost-Lane: bulk\r\nX-Rohrpost-Not-Before: " + tomorrow + "\r\n"));
    const auto again = hand_in("X-Rohrpost-Key: one\r\n");
    CHECK(id_in(again) == first);
    CHECK(holds(again, "(known before)"));
    CHECK(inlet.metric("rohrpost_inlet_known_before_total") == 1);
    const auto one = shown(inlet, first);
    CHECK(word(one, "lane") == "bulk");
    CHECK(word(one, "key") == "one");
    CHECK(word(one, "state") == "queued");
    CHECK(word(one, "due") > word(one, "accepted_at"));
    for (const char* field : {"X-Rohrpost-Lane: fast\r\n", "X-Rohrpost-Not-Before: tomorrow\r\n",
                              "X-Rohrpost-Key: a\r\nX-Rohrpost-Key: b\r\n"})
        CHECK(hand_in(field).starts_with("550 5.6.0 X-Rohrpost-Key has 1 to 200 characters"));
    CHECK(inlet.rig.daemon.ask({"queue", "retry", first}).exit_code == 0);
    REQUIRE(inlet.arrive(1));
    CHECK_FALSE(holds(inlet.sent()[0].message, "X-Rohrpost-Key"));
    CHECK_FALSE(holds(inlet.sent()[0].message, "X-Rohrpost-Lane"));
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.sent().size() == 1);
}

TEST_CASE("inlet: a mail that is too large is refused at MAIL or at its end, and the next one is taken",
          "[daemon][inlet]") {
    InletRig inlet;
    inlet.start({"--smtp-message-max", "64KiB", "--smtp-recipients", "2"});
    auto talk = greeted(inlet);
    CHECK(talk.ask("MAIL FROM:<box0001@sim.test> SIZE=65537").starts_with("552 5.3.4 "));
    const auto large = long_mail("large", 100'000);
    talk.send(envelope + whole(large));
    CHECK(talk.codes(3) == "250 250 552");
    talk.send(envelope + "DATA\r\n");
    CHECK(talk.codes(3) == "250 250 354");
    talk.send(large +
              ".\r\nMAIL FROM:<box0001@sim.test> SIZE=65536\r\nRCPT TO:<a@there.test>\r\n"
              "RCPT TO:<b@there.test>\r\nRCPT TO:<c@there.test>\r\n" +
              whole(long_mail("0", 60'000)));
    CHECK(talk.codes(6) == "552 250 250 250 452 250");
    CHECK(inlet.metric("rohrpost_inlet_refusals_total{reason=\"size\"}") == 3);
    CHECK(inlet.metric("rohrpost_inlet_refusals_total{reason=\"recipient\"}") == 1);
    CHECK(inlet.arrive(1));
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.taken() == each_once(1));
}

TEST_CASE("inlet: a large mail is taken in with a bounded memory", "[daemon][inlet][hostile-68]") {
    if (support::skipped_when_sanitized()) return;
    InletRig inlet;
    inlet.start({"--memory-budget", "8MiB"});
    auto talk = greeted(inlet);
    const auto large = long_mail("0", 40'000'000);
    talk.send(envelope + whole(large));
    CHECK(talk.codes(3) == "250 250 250");
    REQUIRE(inlet.arrive(1));
    CHECK(inlet.rig.daemon.kernel_count("status", "VmHWM:") < 300 * 1024);
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.sent()[0].message.ends_with(large.substr(large.find("\r\n\r\n"))));
}

TEST_CASE("inlet: killed behind its 250, every mail that has one arrives once, and so does what is handed in again",
          "[daemon][inlet][hostile-60]") {
    constexpr std::size_t count = 60, at_once = 5;
    InletRig inlet;
    std::size_t next = 0;
    std::map<std::string, std::string> answered;  // id by subject
    const auto flight_from = [&](std::size_t number) {
        std::string flight;
        for (std::size_t each = 0; each < at_once && number + each < count; ++each) {
            const auto subject = std::to_string(number + each);
            flight += envelope + whole("X-Rohrpost-Key: k" + subject + "\r\n" + short_mail(subject));
        }
        return flight;
    };
    for (const std::size_t kill_after : {1, 2, 3, 4, 5, 7, 11}) {
        inlet.start_again();
        auto talk = greeted(inlet);
        std::size_t replies = 0;
        while (replies < kill_after && next < count) {
            talk.send(flight_from(next));
            for (std::size_t each = 0; each < at_once && replies < kill_after; ++each, ++replies, ++next) {
                CHECK(talk.codes(2) == "250 250");
                const auto reply = talk.reply();
                REQUIRE_FALSE(id_in(reply).empty());
                answered[std::to_string(next)] = id_in(reply);
            }
        }
        inlet.rig.daemon.kill();  // of the flight's rest some may be durable, and nobody was told
    }
    inlet.start_again();
    for (const auto& [subject, id] : answered)
        CHECK(eventually([&] { return word(shown(inlet, id), "state") == "delivered"; }));
    auto talk = greeted(inlet);
    for (; next < count; next += std::min(at_once, count - next)) {
        talk.send(flight_from(next));
        for (std::size_t each = 0; each < std::min(at_once, count - next); ++each)
            CHECK(talk.codes(3) == "250 250 250");
    }
    for (std::size_t number = 0; number < count; number += at_once) {  // all once more: known before
        talk.send(flight_from(number));
        for (std::size_t each = number; each < number + at_once; ++each) {
            CHECK(talk.codes(2) == "250 250");
            const auto reply = talk.reply();
            CHECK(holds(reply, "(known before)"));
            const auto known = answered.find(std::to_string(each));
            if (known != answered.end()) CHECK(id_in(reply) == known->second);
        }
    }
    CHECK(inlet.arrive(count));
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.rig.daemon.run_until_idle({"--settling-time", "200ms"}) == 0);
    CHECK(inlet.taken() == each_once(count));
}

TEST_CASE("inlet: a full disk refuses mail for now, loses none, and takes it again when there is room",
          "[daemon][inlet][hostile-57]") {
    if (::getuid() != 0) {
        std::puts("SKIPPED: only root can make a small disk");
        return;
    }
    /// 48 MiB where the data directory is to be.
    struct SmallDisk {
        explicit SmallDisk(std::filesystem::path at) : place(std::move(at)) {
            std::filesystem::create_directories(place);
            mounted = ::mount("small", place.c_str(), "tmpfs", 0, "size=48m,mode=0700") == 0;
        }
        SmallDisk(const SmallDisk&) = delete;
        SmallDisk& operator=(const SmallDisk&) = delete;
        ~SmallDisk() {
            if (mounted) ::umount2(place.c_str(), MNT_DETACH);
        }
        std::filesystem::path place;
        bool mounted = false;
    };
    InletRig inlet;
    const auto document = json::serialize(inlet.rig.document());
    std::filesystem::remove_all(inlet.rig.daemon.data());
    const SmallDisk disk(inlet.rig.daemon.data());
    if (!disk.mounted) {
        std::puts("SKIPPED: no disk can be mounted here");
        return;
    }
    inlet.rig.daemon.import(document);
    inlet.rig.fault("smtp_auth");  // nothing leaves meanwhile
    inlet.start();
    auto talk = greeted(inlet);
    std::size_t number = 0;
    const auto hand_in = [&] {
        talk.send(envelope + whole(long_mail(std::to_string(number), 300'000)));
        const auto sender = talk.codes(1);
        CHECK(sender == "250");
        CHECK(talk.codes(1) == "250");
        return talk.reply();
    };
    std::string reply;
    for (reply = hand_in(); reply.starts_with("250 ") && number < 300; reply = hand_in()) ++number;
    CHECK(reply == "452 4.3.1 the disk is full; try again later");
    CHECK(number > 10);
    CHECK(inlet.metric("rohrpost_inlet_refusals_total{reason=\"room\"}") >= 1);
    CHECK(hand_in().starts_with("452 4.3.1 "));
    REQUIRE(::mount("small", disk.place.c_str(), "tmpfs", MS_REMOUNT, "size=96m,mode=0700") == 0);
    REQUIRE(eventually([&] {
        reply = hand_in();
        return reply.starts_with("250 ");
    }));
    ++number;
    inlet.rig.clear_faults();
    inlet.rig.import();
    CHECK(inlet.arrive(number));
    talk.close();
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.rig.daemon.run_until_idle({"--settling-time", "200ms"}) == 0);
    CHECK(inlet.taken() == each_once(number));
}

TEST_CASE("inlet: a drain sends away who is between mails, and finishes the mail in hand", "[daemon][inlet]") {
    InletRig inlet;
    inlet.start({"--drain-grace", "30s"});
    auto idle = greeted(inlet);
    auto busy = greeted(inlet);
    busy.send(envelope + "DATA\r\n");
    CHECK(busy.codes(3) == "250 250 354");
    const auto mail = short_mail("0");
    busy.send(mail.substr(0, 40));
    inlet.rig.daemon.process().signal(SIGTERM);
    CHECK(idle.reply().starts_with("421 4.3.2 "));
    CHECK(idle.reply().empty());
    CHECK_THROWS(SmtpTalk(inlet.port()));
    CHECK_FALSE(busy.readable(0));
    busy.send(mail.substr(40) + ".\r\n" + envelope);
    CHECK_FALSE(id_in(busy.reply()).empty());
    CHECK(busy.reply().starts_with("421 4.3.2 "));  // not even the next one of a flight
    CHECK(busy.reply().empty());
    CHECK(inlet.rig.daemon.wait(30s) == 0);
    CHECK(inlet.rig.daemon.run_until_idle({"--settling-time", "200ms"}) == 0);
    CHECK(inlet.taken() == each_once(1));
}

TEST_CASE("inlet: a drain does not wait longer than its grace for an application that dawdles", "[daemon][inlet]") {
    InletRig inlet;
    inlet.start({"--drain-grace", "300ms"});
    auto busy = greeted(inlet);
    busy.send(envelope + "DATA\r\nSubject: half");
    CHECK(busy.codes(3) == "250 250 354");
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(busy.reply().empty());
    CHECK(inlet.rig.daemon.run_until_idle({"--settling-time", "200ms"}) == 0);
    CHECK(inlet.sent().empty());
}

TEST_CASE("inlet: whatever looks like the end of a mail, one mail is one mail, and none is smuggled behind it",
          "[daemon][inlet][hostile-14]") {
    InletRig inlet;
    inlet.start();
    auto talk = greeted(inlet);
    const std::string smuggled = envelope + "DATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n";
    for (const std::string end :
         {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\r\n.\r\r\n", "\n\r\n.\n"}) {
        CAPTURE(end);
        talk.send(envelope + "DATA\r\n");
        CHECK(talk.codes(3) == "250 250 354");
        talk.send("Subject: outer\r\n\r\nx" + end + smuggled);
        CHECK(talk.reply().starts_with("550 5.6.11 "));
        CHECK(talk.ask("NOOP").starts_with("250 "));
        talk.send(envelope + whole("Subject: outer\r\n\r\nx" + end + smuggled));
        CHECK(talk.codes(3) == "250 250 550");
    }
    talk.send(envelope + whole(short_mail("0")));
    CHECK(talk.codes(3) == "250 250 250");
    CHECK(inlet.arrive(1));
    for (const std::string command :
         {"NOOP\n", "NOOP\rNOOP\r\n", "MAIL FROM:<box0001@sim.test>\nRCPT TO:<a@there.test>\r\n"}) {
        CAPTURE(command);
        auto other = greeted(inlet);
        other.send(command);
        CHECK(other.reply().starts_with("500 5.5.2 lines end with CRLF"));
        CHECK(other.reply().empty());
    }
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.taken() == each_once(1));
}

TEST_CASE("inlet: commands that come behind STARTTLS before TLS are heard by nobody", "[daemon][inlet][hostile-1]") {
    InletRig inlet;
    inlet.start(inlet.tls_flags());
    {
        auto talk = greeted(inlet);
        talk.send("STARTTLS\r\n" + envelope + whole(short_mail("injected")));
        CHECK(talk.reply().starts_with("554 5.5.1 "));
        CHECK(talk.reply().empty());
    }
    auto talk = greeted(inlet);
    CHECK(talk.ask("STARTTLS").starts_with("220 "));
    talk.send(envelope + whole(short_mail("injected")));
    CHECK_FALSE(talk.reply().starts_with("250 "));
    CHECK(inlet.metric("rohrpost_inlet_accepted_total") == 0);
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.sent().empty());
}

TEST_CASE("inlet: line ends, NUL and controls in what is said reach no mail, and no log line",
          "[daemon][inlet][hostile-13]") {
    InletRig inlet;
    inlet.start({"--log-level", "trace"});
    using namespace std::string_literals;
    for (const std::string& line :
         {"EHLO app\0.example"s, "MAIL FROM:<box\0001@sim.test>"s, "MAIL FROM:<box0001@sim.test> ENVID=a+0Db"s,
          "MAIL FROM:<box0001@sim.test> ENVID=a+00"s, "MAIL FROM:<\"box\x01\"@sim.test>"s, "NOOP \x1b[2J"s}) {
        auto talk = greeted(inlet);
        const auto reply = talk.ask(line);
        CAPTURE(reply);
        CHECK(reply.starts_with("50"));
    }
    auto talk = greeted(inlet);
    CHECK(talk.ask("MAIL FROM:<box0001@sim.test>").starts_with("250"));
    CHECK(talk.ask("RCPT TO:<a@there.test> ORCPT=rfc822;a+0D+0Ab").starts_with("501 5.5.4"));
    CHECK(talk.ask("RCPT TO:<a@there.test>").starts_with("250"));
    talk.send(whole("Subject: a\0b\r\n\r\nx\r\n"s));
    CHECK(talk.reply().starts_with("550 5.6.0 the message has a NUL byte"));
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.rig.daemon.log().find_first_of("\0\x1b\x01"s) == std::string::npos);
    CHECK(inlet.sent().empty());
}

TEST_CASE("inlet: who says nothing, and who dribbles, is left after his time, and harms nobody",
          "[daemon][inlet][hostile-9]") {
    InletRig inlet;
    inlet.start({"--smtp-idle", "1s"});
    auto silent = greeted(inlet);
    auto dribbles = greeted(inlet);
    dribbles.send(envelope + "DATA\r\n");
    CHECK(dribbles.codes(3) == "250 250 354");
    auto long_line = greeted(inlet);
    bool told = false, told_too = false;
    CHECK(eventually(
        [&] {
            if (!told) dribbles.send("x");
            if (!told_too) long_line.send("x");
            told = told || dribbles.readable(50);
            told_too = told_too || long_line.readable(0);
            return told && told_too;
        },
        20s));
    CHECK(dribbles.reply().starts_with("421 4.4.2 "));
    CHECK(long_line.reply().starts_with("421 4.4.2 "));
    CHECK(silent.reply().starts_with("421 4.4.2 "));
    CHECK(silent.reply().empty());
    auto talk = greeted(inlet);
    talk.send(envelope + whole(short_mail("0")));
    CHECK(talk.codes(3) == "250 250 250");
    CHECK(inlet.metric("rohrpost_inlet_refusals_total{reason=\"leaving\"}") == 3);
    CHECK(inlet.arrive(1));
    CHECK(inlet.rig.daemon.stop() == 0);
}

TEST_CASE("inlet: connections are limited, in all and for each peer, and a place that is free is given again",
          "[daemon][inlet]") {
    InletRig inlet;
    inlet.start({"--smtp-connections", "3", "--smtp-connections-per-peer", "2"});
    auto first = greeted(inlet), second = greeted(inlet);
    SmtpTalk third(inlet.port());
    CHECK(third.reply() == "421 4.7.0 too many connections from there; try again later");
    CHECK(third.reply().empty());
    auto other = greeted(inlet, "127.0.0.2");
    SmtpTalk fourth(inlet.port(), "127.0.0.3");
    CHECK(fourth.reply() == "421 4.3.2 too many connections; try again later");
    CHECK(inlet.metric("rohrpost_inlet_turned_away_total{reason=\"peer\"}") == 1);
    CHECK(inlet.metric("rohrpost_inlet_turned_away_total{reason=\"all\"}") == 1);
    CHECK(inlet.metric("rohrpost_inlet_connections") == 3);
    first.close();
    CHECK(eventually([&] { return SmtpTalk(inlet.port(), "127.0.0.1").reply().starts_with("220 "); }));
    CHECK(other.ask("NOOP").starts_with("250 "));
    CHECK(inlet.rig.daemon.stop() == 0);
}

TEST_CASE("inlet: applications that vanish in the middle of a mail leave nothing behind", "[daemon][inlet]") {
    InletRig inlet;
    inlet.start({"--memory-budget", "16MiB", "--smtp-message-max", "4MiB"});
    const auto mail = long_mail("half", 3'000'000);
    for (int each = 0; each < 30; ++each) {
        auto talk = greeted(inlet);
        talk.send(envelope + whole(mail).substr(0, 2'000'000));
        CHECK(talk.codes(2) == "250 250");
        talk.close();
    }
    CHECK(eventually([&] { return inlet.metric("rohrpost_inlet_connections") == 0; }));
    auto talk = greeted(inlet);
    talk.send(envelope + whole(long_mail("0", 3'000'000)));
    CHECK(talk.codes(3) == "250 250 250");  // their bytes were given back to the budget
    CHECK(inlet.arrive(1));
    CHECK(inlet.rig.daemon.stop() == 0);
    CHECK(inlet.taken() == each_once(1));
}

TEST_CASE("inlet: flags that do not fit together are refused with what to do", "[daemon][inlet]") {
    InletRig inlet;
    const auto refused = [&](std::vector<std::string> flags, std::string_view why) {
        flags.insert(flags.begin(), {"run", "--console", "127.0.0.1:0"});
        const auto ran = inlet.rig.daemon.ask(std::move(flags));
        CAPTURE(ran.errors);
        CHECK(ran.exit_code != 0);
        CHECK(holds(ran.errors, why));
    };
    refused({"--smtp-listen", "0.0.0.0:0"}, "--smtp-certificate");
    refused({"--smtp-require-auth"}, "--smtp-listen");
    refused({"--smtp-listen", "127.0.0.1:0", "--smtp-certificate", "x"}, "--smtp-private-key");
    refused({"--smtp-listen", "127.0.0.1:0", "--smtp-certificate", "/nowhere", "--smtp-private-key", "/nowhere"},
            "--smtp-certificate /nowhere");
    refused({"--smtp-listen", "127.0.0.1:0", "--smtp-message-max", "1KiB"}, "64KiB");
    refused({"--smtp-listen", "192.0.2.1:0", "--smtp-certificate", inlet.tls_flags()[1], "--smtp-private-key",
             inlet.tls_flags()[3]},
            "choose another address with --smtp-listen");
}

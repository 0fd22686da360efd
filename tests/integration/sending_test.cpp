// What applications hand in leaves once, whatever the provider, the network and the machine do meanwhile.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <map>

#include "tests/support/mail_rig.hpp"

using support::eventually;
using support::MailRig;
using support::Ran;

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> quick{"--settling-time", "200ms"};

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string mail(const std::string& subject, const std::string& body = "Guten Tag\n") {
    return fmt::format("From: box0001@sim.test\nTo: nobody@there.test\nSubject: {}\n\n{}", subject, body);
}

/// Of more than two chunks.
std::string long_text() {
    std::string text;
    while (text.size() < 2'500'000) text += std::string(75, 'x') + '\n';
    return text + "no end of line";
}

/// The submission's id; the daemon has it durably.
std::string send(const MailRig& rig, const std::string& message, std::vector<std::string> words = {"a@there.test"}) {
    words.insert(words.begin(), "send");
    const Ran ran = rig.daemon.ask(std::move(words), message);
    INFO(ran.errors);
    REQUIRE(ran.exit_code == 0);
    return ran.output.substr(0, ran.output.find('\n'));
}

json::object shown(const MailRig& rig, const std::string& id) {
    const Ran ran = rig.daemon.ask({"queue", "show", id, "--json"});
    INFO(ran.errors);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.output).as_object();
}

std::string word(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value == nullptr ? std::string() : std::string(value->as_string());
}

/// "delivered: smtp said …"
std::string state(const MailRig& rig, const std::string& id) {
    const auto one = shown(rig, id);
    return word(one, "state") + ": " + word(one, "reason");
}

bool becomes(const MailRig& rig, const std::string& id, std::string_view state_and_reason) {
    return eventually([&] { return state(rig, id).starts_with(state_and_reason); });
}

/// What a sender is doing, and why not: "parked: …".
std::string sender(const MailRig& rig, const std::string& mailbox = "box0001") {
    const Ran ran = rig.daemon.ask({"queue", "senders", "--json"});
    if (ran.exit_code != 0) return ran.errors;
    const auto answer = json::parse(ran.output);
    for (const auto& value : answer.at("senders").as_array()) {
        const auto& one = value.as_object();
        if (word(one, "mailbox") == mailbox) return word(one, "state") + ": " + word(one, "reason");
    }
    return {};
}

std::vector<sim::SentMail> sent(MailRig& rig) {
    return rig.provider.ask([](sim::World& world) { return world.sent(); });
}
std::size_t sent_count(MailRig& rig) {
    return rig.provider.ask([](sim::World& world) { return world.sent().size(); });
}

/// How often the server took each mail, by subject.
std::map<std::string, int> taken(MailRig& rig) {
    std::map<std::string, int> counts;
    for (const auto& one : sent(rig)) {
        const auto from = one.message.find("Subject: ") + 9;
        ++counts[one.message.substr(from, one.message.find("\r\n", from) - from)];
    }
    return counts;
}

/// Mails "0" and on; their ids.
std::vector<std::string> send_many(const MailRig& rig, std::size_t count) {
    std::vector<std::string> ids;
    for (std::size_t number = 0; number < count; ++number) ids.push_back(send(rig, mail(std::to_string(number))));
    return ids;
}

std::map<std::string, int> each_once(std::size_t count) {
    std::map<std::string, int> counts;
    for (std::size_t number = 0; number < count; ++number) counts[std::to_string(number)] = 1;
    return counts;
}

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// How many wait in that state.
std::size_t waiting(const MailRig& rig, const std::string& state) {
    const Ran ran = rig.daemon.ask({"queue", "list", "--state", state, "--json"});
    REQUIRE(ran.exit_code == 0);
    return lines_in(ran.output);
}

}  // namespace

TEST_CASE("sending: what is handed in arrives once, byte for byte, and the queue has the server's words",
          "[daemon][sending][threads]") {
    MailRig rig(MailRig::senders());
    rig.import();
    rig.daemon.start(quick);
    const std::string head = "From: box0001@sim.test\nTo: a@there.test\nMessage-ID: <known@sim.test>\n";
    const auto small = send(rig, head + "Date: Fri, 27 Nov 2026 05:00:00 +0000\n\n.dots\n..\nend\n", {"-t", "-i"});
    const auto large = send(rig, mail("large", long_text()), {"a@there.test", "b@there.test"});
    CHECK(becomes(rig, small, "delivered: localhost:"));
    CHECK(holds(state(rig, small), "said: 250 2.0.0 OK <1@sim.test>"));
    CHECK(becomes(rig, large, "delivered"));
    const auto mails = sent(rig);
    REQUIRE(mails.size() == 2);
    CHECK(mails[0].sender == "box0001@sim.test");
    CHECK(mails[0].recipients == std::vector<std::string>{"a@there.test"});
    CHECK(mails[0].message == fmt::format("X-Rohrpost-Submission: {}\r\nFrom: box0001@sim.test\r\nTo: a@there.test\r\n"
                                          "Message-ID: <known@sim.test>\r\nDate: Fri, 27 Nov 2026 05:00:00 +0000\r\n"
                                          "\r\n.dots\r\n..\r\nend\r\n",
                                          mails[0].message.substr(23, mails[0].message.find("\r\n") - 23)));
    CHECK(mails[1].recipients == std::vector<std::string>{"a@there.test", "b@there.test"});
    CHECK(rig.daemon.ask({"queue", "raw", large}).output == mails[1].message);

    const Ran posted = support::run_to_end(
        {.command = {"curl", "-s", "--unix-socket", (rig.daemon.data() / "control.sock").string(), "--data-binary",
                     mail("posted"), "http://rohrpost/v1/submissions?to=c@there.test&key=one"}});
    const auto id = word(json::parse(posted.output).as_object(), "id");
    CHECK(becomes(rig, id, "delivered"));
    CHECK(send(rig, mail("posted"), {"c@there.test", "--key", "one"}) == id);
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle(quick) == 0);
    CHECK(sent_count(rig) == 3);
}

TEST_CASE("sending: each recipient has its fate, who is put off is asked again, and a report tells who is lost",
          "[daemon][sending]") {
    MailRig rig(MailRig::senders());
    rig.fault("smtp_rcpt mailbox=lost@there.test");
    rig.fault("smtp_rcpt mailbox=later@there.test value=451 row=4.2.1_busy times=1");
    rig.import();
    rig.daemon.start(quick);
    const auto id = send(rig, mail("mixed"), {"good@there.test", "lost@there.test", "later@there.test"});
    REQUIRE(becomes(rig, id, "queued: localhost:"));
    CHECK(holds(state(rig, id), "said: 451 4.2.1 busy"));
    const auto recipients = shown(rig, id).at("recipients").as_array();
    CHECK(word(recipients.at(0).as_object(), "state") == "delivered");
    CHECK(word(recipients.at(1).as_object(), "state") == "failed");
    CHECK(word(recipients.at(2).as_object(), "state") == "waiting");
    REQUIRE(eventually([&] { return support::count_in(rig.daemon.maildir()) == 1; }));

    CHECK(rig.daemon.ask({"queue", "retry", id}).exit_code == 0);
    CHECK(becomes(rig, id, "failed: 550 5.1.10"));
    const auto mails = sent(rig);
    REQUIRE(mails.size() == 2);
    CHECK(mails[0].recipients == std::vector<std::string>{"good@there.test"});
    CHECK(mails[1].recipients == std::vector<std::string>{"later@there.test"});
    CHECK(rig.daemon.stop() == 0);
    REQUIRE(support::count_in(rig.daemon.maildir()) == 1);
    const auto report = support::contents_of(std::filesystem::directory_iterator(rig.daemon.maildir() / "new")->path());
    CHECK(holds(report, "multipart/report"));
    CHECK(holds(report, "lost@there.test"));
    CHECK(holds(report, "5.1.10"));
    CHECK_FALSE(holds(report, "later@there.test"));
}

TEST_CASE("sending: what the account suffers from parks it with the reason, and costs no mail",
          "[daemon][sending][threads]") {
    struct Case {
        std::string fault, reason;
    };
    const auto given = GENERATE(values<Case>({{"token_html", "500"},
                                              {"smtp_auth", "535 5.7.3"},
                                              {"smtp_no_starttls", "STARTTLS"},
                                              {"smtp_greeting", "421 4.3.2"},
                                              {"smtp_mail", "432 4.3.2"},
                                              {"smtp_mail value=550 row=5.7.60_SMTP;_no_permissions", "5.7.60"}}));
    CAPTURE(given.fault);
    auto wish = MailRig::senders();
    wish.smtp_starts_tls = true;
    MailRig rig(wish);
    rig.import();
    rig.fault(given.fault);
    rig.daemon.start(quick);
    const Ran posted = support::run_to_end(
        {.command = {"curl", "-s", "--unix-socket", (rig.daemon.data() / "control.sock").string(), "--data-binary",
                     mail("0"), "http://rohrpost/v1/submissions?to=c@there.test&life_s=1"}});
    const auto id = word(json::parse(posted.output).as_object(), "id");
    REQUIRE(eventually([&] { return sender(rig).starts_with("parked") && holds(sender(rig), given.reason); }));
    const auto expires = std::chrono::steady_clock::now() + 1100ms;
    REQUIRE(eventually([&] { return std::chrono::steady_clock::now() > expires; }));
    CHECK(shown(rig, id).at("attempts") == 0);
    CHECK(word(shown(rig, id), "state") == "queued");
    rig.clear_faults();
    const auto retried = rig.daemon.ask({"queue", "retry", id});  // at once instead of when the pause is over
    const bool was_before_us = retried.exit_code == 65 && word(shown(rig, id), "state") != "queued";
    CHECK((retried.exit_code == 0 || was_before_us));
    CHECK(becomes(rig, id, "delivered"));
    CHECK(rig.daemon.stop() == 0);
    CHECK(taken(rig) == each_once(1));
    CHECK(support::count_in(rig.daemon.maildir()) == 0);
}

TEST_CASE("sending: a token that the server refuses is replaced at once, a fresh one that is refused parks the account",
          "[daemon][sending][hostile-24][hostile-25]") {
    const std::string said = GENERATE("535 row=5.7.3_Authentication_unsuccessful",
                                      "501 row=5.5.127_Invalid_XOAUTH2_auth_data_-_Token_will_expire_soon");
    const bool also_fresh = GENERATE(false, true);
    CAPTURE(said, also_fresh);
    MailRig rig(MailRig::senders());
    rig.fault("smtp_auth value=" + said + (also_fresh ? "" : " times=1"));
    rig.import();
    rig.daemon.start(quick);
    const auto refreshes = rig.counters().token_requests;
    const auto id = send(rig, mail("0"));
    if (also_fresh) {
        REQUIRE(eventually([&] { return sender(rig).starts_with("parked"); }));
        CHECK(holds(sender(rig), said.substr(8, 5)));
        CHECK(word(shown(rig, id), "state") == "queued");
        CHECK(shown(rig, id).at("attempts") == 0);
        CHECK(rig.counters().smtp_logins == 0);
        rig.clear_faults();
        CHECK(rig.daemon.ask({"queue", "retry", id}).exit_code == 0);
    }
    CHECK(becomes(rig, id, "delivered"));
    CHECK(rig.counters().token_requests <= refreshes + 2);
    CHECK(taken(rig) == each_once(1));
}

TEST_CASE("sending: a tar-pit holds up its own mailbox and nobody else", "[daemon][sending][hostile-27]") {
    constexpr std::uint32_t mailboxes = 20, mails = 5;
    MailRig rig(MailRig::senders(mailboxes));
    rig.import();
    rig.fault("smtp_slow value=600000 mailbox=" + MailRig::address(1));
    rig.daemon.start(quick);
    std::vector<std::string> held_up, others;
    for (std::uint32_t number = 0; number < mails; ++number) {
        for (std::uint32_t box = 1; box <= mailboxes; ++box) {
            auto id = send(rig, mail(fmt::format("{}-{}", box, number)), {"c@there.test", "-f", MailRig::address(box)});
            (box == 1 ? held_up : others).push_back(std::move(id));
        }
    }
    for (const auto& id : others) CHECK(becomes(rig, id, "delivered"));
    for (const auto& id : held_up) CHECK_FALSE(word(shown(rig, id), "state") == "delivered");
    CHECK(waiting(rig, "held") == 0);
}

TEST_CASE("sending: a connection that breaks before the mail is whole costs nothing and doubles nothing",
          "[daemon][sending][hostile-10][hostile-17][hostile-20]") {
    const std::string fault =
        GENERATE("smtp_drop_in_body value=0 times=2", "smtp_body value=421 times=2", "smtp_mail value=421 times=2");
    CAPTURE(fault);
    MailRig rig(MailRig::senders());
    rig.fault(fault);
    rig.import();
    rig.daemon.start(quick);
    const auto id = send(rig, mail("0", long_text()));
    CHECK(becomes(rig, id, "delivered"));
    CHECK(rig.daemon.stop() == 0);
    CHECK(taken(rig) == each_once(1));
}

TEST_CASE("sending: mails whose last reply is lost are found in Sent Items, and none is sent twice",
          "[daemon][sending][hostile-10][threads]") {
    constexpr std::size_t count = 24;
    MailRig rig(MailRig::senders());
    rig.fault("smtp_lost_reply value=2");
    rig.import();
    rig.daemon.start(quick);
    const auto ids = send_many(rig, count);
    for (const auto& id : ids) CHECK(becomes(rig, id, "delivered"));
    std::size_t found = 0;
    for (const auto& id : ids)
        found += holds(state(rig, id), "found in Sent Items by its X-Rohrpost-Submission") ? 1 : 0;
    CHECK(found == count / 2);
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle(quick) == 0);
    CHECK(taken(rig) == each_once(count));
}

TEST_CASE("sending: a mail that was read and not kept is not found, and is sent once more",
          "[daemon][sending][hostile-10]") {
    MailRig rig(MailRig::senders());
    rig.fault("smtp_drop times=1");
    rig.import();
    rig.daemon.start({"--settling-time", "50ms"});
    const auto id = send(rig, mail("0"));
    REQUIRE(becomes(rig, id, "in_doubt"));
    CHECK(becomes(rig, id, "delivered: localhost:"));
    CHECK(rig.daemon.stop() == 0);
    CHECK(taken(rig) == each_once(1));
}

TEST_CASE("sending: a mail in doubt is not taken for another one with its Message-ID", "[daemon][sending]") {
    MailRig rig(MailRig::senders());
    rig.import();
    rig.daemon.start(quick);
    const std::string twin = "Message-ID: <both@sim.test>\n" + mail("0");
    CHECK(becomes(rig, send(rig, twin, {"a@there.test"}), "delivered"));
    rig.fault("smtp_drop times=1");  // the second is read and not kept
    CHECK(becomes(rig, send(rig, twin, {"b@there.test"}), "delivered"));
    CHECK(rig.daemon.stop() == 0);
    const auto mails = sent(rig);
    REQUIRE(mails.size() == 2);
    CHECK(mails[1].recipients == std::vector<std::string>{"b@there.test"});
}

TEST_CASE("sending: Dovecot tells a message without our field from one with another's", "[sending]") {
    support::Dovecot dovecot({});
    const std::string text = "Message-ID: <both@sim.test>\r\nSubject: x\r\n\r\nx\r\n";
    dovecot.put("box", {"X-Rohrpost-Submission: other\r\n" + text, text, "Subject: y\r\n\r\ny\r\n"});
    const auto found = dovecot.doveadm("box", {"fetch", "uid", "mailbox", "INBOX", "HEADER", "Message-ID",
                                               "<both@sim.test>", "NOT", "HEADER", "X-Rohrpost-Submission", ""});
    CHECK(found == "uid: 2\n");
}

TEST_CASE("sending: where Sent Items cannot be seen, a mail in doubt waits for a person", "[daemon][sending]") {
    MailRig rig(MailRig::senders());
    rig.fault("hide_sent");
    rig.fault("smtp_lost_reply times=3");
    rig.import();
    rig.daemon.start(quick);
    const auto ids = send_many(rig, 3);
    for (const auto& id : ids) {
        CHECK(
            becomes(rig, id, "in_doubt: the mailbox has no folder for sent mail; whether it has left cannot be seen"));
        CHECK_FALSE(shown(rig, id).contains("due"));
    }
    CHECK(taken(rig) == each_once(3));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle(quick) == 0);  // what a person has to decide holds nobody up
    rig.daemon.start(quick);
    for (const auto& id : ids) CHECK(state(rig, id).starts_with("in_doubt"));
    CHECK(taken(rig) == each_once(3));
    CHECK(rig.daemon.ask({"queue", "release", ids[1]}).exit_code == 0);
    CHECK(becomes(rig, ids[1], "delivered"));
    CHECK(rig.daemon.ask({"queue", "cancel", ids[0], ids[2]}).exit_code == 0);
    CHECK(rig.daemon.stop() == 0);
    CHECK(taken(rig) == std::map<std::string, int>{{"0", 1}, {"1", 2}, {"2", 1}});
}

namespace {

/// A command that finds no daemon yet has the store for a moment.
void start_again(MailRig& rig) {
    REQUIRE(eventually([&] {
        try {
            rig.daemon.start(quick);
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    }));
}

}  // namespace

TEST_CASE("sending: killed while mails leave, it finds out which have left, and sends the rest once",
          "[daemon][sending][hostile-10]") {
    constexpr std::size_t count = 40;
    MailRig rig(MailRig::senders());
    rig.fault("smtp_slow value=150");  // filed, and not yet answered: the moment of doubt
    rig.import();
    const auto send_keyed = [&](std::size_t number) {
        return send(rig, mail(std::to_string(number)), {"a@there.test", "--key", fmt::format("key-{}", number)});
    };
    std::map<std::size_t, std::string> ids;
    for (const std::size_t kill_at : {1, 4, 9, 16, 25, 36}) {
        start_again(rig);
        for (std::size_t number = 0; number < count && sent_count(rig) < kill_at; ++number) {
            const auto id = send_keyed(number);
            const auto known = ids.emplace(number, id);
            CHECK(known.first->second == id);  // what was accepted before is the same submission
        }
        REQUIRE(eventually([&] { return sent_count(rig) >= kill_at; }));
        rig.daemon.kill();
    }
    start_again(rig);
    for (std::size_t number = 0; number < count; ++number) ids[number] = send_keyed(number);
    for (const auto& [number, id] : ids) CHECK(becomes(rig, id, "delivered"));
    std::size_t found = 0;
    for (const auto& [number, id] : ids) found += holds(state(rig, id), "found in Sent Items") ? 1 : 0;
    CHECK(found >= 6);
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle(quick) == 0);
    CHECK(taken(rig) == each_once(count));
}

TEST_CASE("sending: the operator's hand holds, releases, tries again and cancels, and says what it cannot do",
          "[daemon][sending]") {
    MailRig rig(MailRig::senders(2));
    rig.import();
    rig.daemon.start(quick);
    const std::string tomorrow = std::to_string(std::time(nullptr) + 86'400);
    const auto later = [&](const std::string& subject, const std::string& to, const std::string& from) {
        return send(rig, mail(subject), {to, "--not-before", tomorrow, "-f", from});
    };
    const auto a = later("a", "x@one.test", "box0001@sim.test"), b = later("b", "x@two.test", "box0001@sim.test"),
               c = later("c", "x@one.test", "box0002@sim.test"), d = later("d", "x@two.test", "box0002@sim.test");
    const auto queue = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "queue");
        return rig.daemon.ask(std::move(words));
    };
    const auto refused = [&](std::vector<std::string> words, int code, std::string_view why) {
        const Ran ran = queue(std::move(words));
        CAPTURE(ran.errors);
        CHECK(ran.exit_code == code);
        CHECK(holds(ran.errors, why));
    };

    CHECK(queue({"hold", a}).exit_code == 0);
    CHECK(state(rig, a) == "held: held by an operator");
    refused({"hold", a}, 65, "only what is queued can be held");
    refused({"retry", a}, 65, "only what is queued can be tried again");
    refused({"release", b}, 65, "only what is held or in doubt can be released");
    refused({"show", "0000000000000"}, 66, "there is no submission");
    refused({"hold", "nonsense"}, 66, "13 letters and digits");
    refused({"hold"}, 64, "--all");
    refused({"hold", a, "--all"}, 64, "--all");

    CHECK(holds(queue({"hold", "--all", "--mailbox", "box0002", "--domain", "one.test"}).errors, "1 done"));
    CHECK(state(rig, c).starts_with("held"));
    CHECK(state(rig, d).starts_with("queued"));
    CHECK(waiting(rig, "held") == 2);
    CHECK(sent_count(rig) == 0);
    CHECK(queue({"release", a}).exit_code == 0);
    CHECK(becomes(rig, a, "delivered"));
    refused({"cancel", a}, 65, "that is final");
    CHECK(queue({"retry", b}).exit_code == 0);
    CHECK(becomes(rig, b, "delivered"));
    CHECK(holds(queue({"cancel", "--all", "--mailbox", "box0002"}).errors, "2 done"));
    CHECK(state(rig, c) == "cancelled: cancelled by an operator");
    CHECK(state(rig, d).starts_with("cancelled"));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle(quick) == 0);
    CHECK(sent_count(rig) == 2);
}

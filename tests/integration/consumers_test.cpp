// Consumers beyond the Maildir, with the real daemon: LMTP into Dovecot, webhooks that fail in every way, programs.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <map>

#include "protocols/base/base64.hpp"
#include "protocols/webhook/signature.hpp"
#include "tests/support/http_recorder.hpp"
#include "tests/support/mail_rig.hpp"
#include "tests/support/running.hpp"
#include "tests/support/sanitized.hpp"

using support::Dovecot;
using support::eventually;
using support::HttpRecorder;
using support::MailRig;
using support::Mails;

namespace json = boost::json;

namespace {

using Answer = HttpRecorder::Answer;

const std::vector<std::string> webhooks_here{"--webhook-networks", "127.0.0.1"};
constexpr std::string_view secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

MailRig::Wish wish_for(std::uint32_t mailboxes) {
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    wish.mailboxes = mailboxes;
    return wish;
}

/// Imports the rig's mailboxes for this consumer alone.
void import_with(const MailRig& rig, json::object consumer) {
    auto document = rig.document();
    const auto id = consumer.at("id");
    document["consumers"] = json::array{std::move(consumer)};
    for (auto& mailbox : document.at("mailboxes").as_array()) mailbox.as_object()["consumer"] = id;
    rig.daemon.import(json::serialize(document));
}

json::object webhook_to(const HttpRecorder& recorder, std::string_view format) {
    return {{"id", "hook"},
            {"kind", "webhook"},
            {"url", recorder.url()},
            {"format", format},
            {"secret", json::object{{"value", secret}}}};
}

std::string with_crlf(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n' && (out.empty() || out.back() != '\r')) out += '\r';
        out += c;
    }
    return out;
}

std::string name_of(std::string_view mail) {
    const auto mark = sim::mark_of(mail);
    return mark ? fmt::format("{} {}", mark->mailbox, mark->number) : std::string("none of ours");
}

/// What is in a user's INBOX, without what stands in front of it since it came.
struct Piece {
    std::string name;   // of the mail
    std::string front;  // what stands in front of it
};
Mails delivered_to(const Dovecot& dovecot, const std::string& user, std::vector<Piece>* pieces = nullptr) {
    Mails mails;
    for (const auto* folder : {"new", "cur"}) {
        const auto place = dovecot.maildir(user) / folder;
        if (!std::filesystem::exists(place)) continue;
        for (const auto& entry : std::filesystem::directory_iterator(place)) {
            const auto text = with_crlf(support::contents_of(entry.path()));
            const auto begin = text.find("From: Customer ");
            if (begin == std::string::npos) continue;
            auto name = name_of(std::string_view(text).substr(begin));
            if (pieces != nullptr) pieces->push_back({name, text.substr(0, begin)});
            mails.insert(std::move(name));
        }
    }
    return mails;
}

Mails delivered_to(const Dovecot& dovecot, std::uint32_t boxes) {
    Mails all;
    for (std::uint32_t box = 1; box <= boxes; ++box) all.merge(delivered_to(dovecot, MailRig::address(box)));
    return all;
}

std::string value_in(const std::string& front, const std::string& name) {
    const auto at = front.find(name + ": ");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 2;
    return front.substr(from, front.find("\r\n", from) - from);
}

/// An LMTP server of Debian.
struct Agent {
    explicit Agent(const std::string& more = "") : port(support::free_port()), dovecot(wish(port, more)) {}
    static Dovecot::Wish wish(std::uint16_t port, const std::string& more) {
        Dovecot::Wish wish;
        wish.settings = Dovecot::lmtp_settings(port) + more;
        return wish;
    }
    [[nodiscard]] json::object consumer() const {
        return {{"id", "lda"}, {"kind", "lmtp"}, {"address", fmt::format("127.0.0.1:{}", port)}};
    }
    std::uint16_t port;
    Dovecot dovecot;
};

std::string hand_off_reason(const MailRig& rig, std::uint32_t box) {
    const auto shown = rig.daemon.mailbox(MailRig::id(box));
    const auto* reason = shown.if_contains("hand_off_waits");
    return reason == nullptr ? std::string() : std::string(reason->as_string());
}

std::size_t set_aside(const MailRig& rig, std::uint32_t box) {
    const auto shown = rig.daemon.mailbox(MailRig::id(box));
    const auto* list = shown.if_contains("set_aside");
    return list == nullptr ? 0 : list->as_array().size();
}

/// The mail of a post in either format.
std::string mail_of(const HttpRecorder::Post& post) {
    if (post.headers.at("content-type") == "message/rfc822") return post.body;
    return *base64_decoded(std::string_view(json::parse(post.body).at("data").at("raw").as_string()));
}

Mails mails_of(const std::vector<HttpRecorder::Post>& posts) {
    Mails mails;
    for (const auto& post : posts) mails.insert(name_of(mail_of(post)));
    return mails;
}

bool is_signed(const HttpRecorder::Post& post) {
    const auto key = webhook::key_of(Secret(std::string(secret)));
    return post.headers.at("webhook-signature") ==
           webhook::signature_of(key, post.headers.at("webhook-id"), post.headers.at("webhook-timestamp"), post.body);
}

/// The n-th mails of each mailbox came in the order of their numbers.
bool in_order(const std::vector<HttpRecorder::Post>& posts) {
    std::map<std::string, std::uint32_t> last;
    for (const auto& post : posts) {
        const auto mark = sim::mark_of(mail_of(post));
        if (!mark || mark->number != ++last[mark->mailbox]) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("lmtp: mail arrives in Dovecot byte for byte, each once, with its id in front", "[daemon][lmtp][threads]") {
    const Agent agent;
    MailRig rig(wish_for(3));
    for (std::uint32_t box = 1; box <= 3; ++box) rig.put(box, 40);
    rig.put(2, 1, 3'000'000);
    auto consumer = agent.consumer();
    const bool over_socket = GENERATE(false, true);
    CAPTURE(over_socket);
    if (over_socket) consumer["address"] = "unix:" + agent.dovecot.lmtp_socket().string();
    import_with(rig, consumer);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(support::difference(rig.expected(), delivered_to(agent.dovecot, 3)) == "");
    std::vector<Piece> pieces;
    delivered_to(agent.dovecot, MailRig::address(2), &pieces);
    std::set<std::string> ids;
    for (const auto& piece : pieces) {
        ids.insert(value_in(piece.front, "X-Rohrpost-Id"));
        CHECK(value_in(piece.front, "X-Rohrpost-Mailbox") == "box0002");
    }
    CHECK(ids.size() == 41);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(delivered_to(agent.dovecot, 3).size() == rig.expected().size());
}

TEST_CASE("lmtp: a full mailbox waits with the server's words, and the others go on", "[daemon][lmtp]") {
    Agent agent("mail_plugins = quota\nplugin {\n  quota = maildir:User quota\n  quota_rule = *:storage=100K\n}\n");
    MailRig rig(wish_for(2));
    rig.put(1, 60);  // 240 KiB
    rig.put(2, 5);
    import_with(rig, agent.consumer());
    rig.daemon.start();
    REQUIRE(eventually([&] { return delivered_to(agent.dovecot, MailRig::address(2)).size() == 5; }));
    REQUIRE(eventually([&] { return hand_off_reason(rig, 1).find("552 5.2.2") != std::string::npos; }));
    CHECK(set_aside(rig, 1) == 0);
    CHECK(hand_off_reason(rig, 2).empty());
    rig.put(2, 1);
    CHECK(eventually([&] { return delivered_to(agent.dovecot, MailRig::address(2)).size() == 6; }));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("lmtp: a mail that fails again and again is set aside with the server's words, and the next one comes",
          "[daemon][lmtp]") {
    Agent agent(
        "mail_plugins = quota\nplugin {\n  quota = maildir:User quota\n  quota_rule = *:storage=1G\n  "
        "quota_max_mail_size = 100K\n}\n");
    MailRig rig(wish_for(1));
    rig.put(1, 2);
    rig.put(1, 1, 200'000);
    rig.put(1, 2);
    auto consumer = agent.consumer();
    consumer["attempts"] = 3;  // Dovecot says 451, as if it could change its mind
    import_with(rig, consumer);
    CHECK(rig.daemon.run_until_idle() == 0);
    const auto there = delivered_to(agent.dovecot, MailRig::address(1));
    CHECK(there.size() == 4);
    CHECK(there.count("box0001@sim.test 3") == 0);
    CHECK(set_aside(rig, 1) == 1);
}

TEST_CASE("lmtp: nothing is lost when Dovecot or the daemon is killed, and repeats carry the id of the first",
          "[daemon][lmtp][hostile-60]") {
    Agent agent;
    MailRig rig(wish_for(2));
    rig.put(1, 300);
    rig.put(2, 300);
    import_with(rig, agent.consumer());
    rig.daemon.start();
    REQUIRE(eventually([&] { return delivered_to(agent.dovecot, 2).size() > 20; }));
    agent.dovecot.kill();
    rig.daemon.kill();
    agent.dovecot.restart();
    rig.daemon.start();
    REQUIRE(eventually([&] { return delivered_to(agent.dovecot, 2).size() > 100; }));
    rig.daemon.kill();
    CHECK(rig.daemon.run_until_idle() == 0);
    std::vector<Piece> pieces;
    for (std::uint32_t box = 1; box <= 2; ++box) delivered_to(agent.dovecot, MailRig::address(box), &pieces);
    std::map<std::string, std::string> id_of;
    std::size_t marked = 0;
    for (const auto& piece : pieces) {
        const auto id = value_in(piece.front, "X-Rohrpost-Id");
        CHECK(id_of.try_emplace(piece.name, id).first->second == id);
        if (value_in(piece.front, "X-Rohrpost-Possible-Repeat") == "yes") ++marked;
    }
    CHECK(id_of.size() == 600);
    CHECK(pieces.size() - id_of.size() <= marked);  // whatever came again said that it may have come before
}

TEST_CASE("webhook: mail arrives signed, in the order of its mailbox, raw or as CloudEvents",
          "[daemon][webhook][threads]") {
    const std::string format = GENERATE("raw", "json");
    CAPTURE(format);
    const HttpRecorder recorder;
    MailRig rig(wish_for(3));
    for (std::uint32_t box = 1; box <= 3; ++box) rig.put(box, 50);
    import_with(rig, webhook_to(recorder, format));
    CHECK(rig.daemon.run_until_idle(webhooks_here) == 0);
    const auto posts = recorder.posts();
    CHECK(support::difference(rig.expected(), mails_of(posts)) == "");
    CHECK(std::all_of(posts.begin(), posts.end(), is_signed));
    CHECK(in_order(posts));
    CHECK(recorder.connections() < 20);
    if (format == "json") {
        const auto event = json::parse(posts.front().body).as_object();
        CHECK(event.at("specversion") == "1.0");
        CHECK(event.at("type") == "message.received");
        CHECK(event.at("id").as_string() == posts.front().headers.at("webhook-id"));
        CHECK(event.at("data").at("folder") == "INBOX");
        CHECK_THAT(std::string(event.at("data").at("headers").at("subject").as_string()),
                   Catch::StartsWith("Request "));
    }
}

TEST_CASE("webhook: a receiver that fails in every way gets each mail in the end, none doubled as another",
          "[daemon][webhook][hostile-52]") {
    std::size_t said_503 = 0;
    const HttpRecorder recorder([&](std::size_t number, const HttpRecorder::Post&) -> Answer {
        switch (number) {
            case 1:
                return {.status = 500};
            case 2:
                return {.bytes = "this is no HTTP\r\n", .then = Answer::Then::hang_up};
            case 4:
                ++said_503;
                return {.status = 503, .headers = {{"Retry-After", "1"}}};
            case 6:
                return {.then = Answer::Then::stay_silent};
            case 8:
                return {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + std::string(300'000, 'x'),
                        .then = Answer::Then::hang_up};
            case 9:
                return {.status = 204, .then = Answer::Then::hang_up};
            case 10:
                return {.bytes =
                            "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"};
            case 12:
                return {.status = 429};
            case 14:
                return {.status = 408};
            default:
                return {.status = 200};
        }
    });
    MailRig rig(wish_for(2));
    rig.put(1, 10);
    rig.put(2, 10);
    auto consumer = webhook_to(recorder, "raw");
    consumer["timeout"] = "2s";
    import_with(rig, consumer);
    CHECK(rig.daemon.run_until_idle(webhooks_here) == 0);
    CHECK(said_503 == 1);
    std::map<std::string, std::set<std::string>> ids;
    for (const auto& post : recorder.posts()) {
        CHECK(is_signed(post));
        ids[name_of(post.body)].insert(post.headers.at("webhook-id"));
    }
    CHECK(ids.size() == 20);
    for (const auto& [mail, of_it] : ids) CHECK(of_it.size() == 1);
    CHECK(set_aside(rig, 1) + set_aside(rig, 2) == 0);
    for (const auto& post : recorder.posts()) CHECK(post.target == "/mail");
}

TEST_CASE("webhook: a mail that is refused for good is set aside, and the next one comes", "[daemon][webhook]") {
    const HttpRecorder recorder([](std::size_t, const HttpRecorder::Post& post) -> Answer {
        return {.status = name_of(post.body).ends_with(" 3") ? 422 : 200};
    });
    MailRig rig(wish_for(1));
    rig.put(1, 6);
    import_with(rig, webhook_to(recorder, "raw"));
    CHECK(rig.daemon.run_until_idle(webhooks_here) == 0);
    CHECK(mails_of(recorder.taken()).size() == 5);
    CHECK(set_aside(rig, 1) == 1);
    const auto aside = rig.daemon.mailbox("box0001").at("set_aside").at(0).as_object();
    CHECK(aside.at("seq") == 3);
    CHECK_THAT(std::string(aside.at("reason").as_string()), Catch::Contains("HTTP 422"));
}

TEST_CASE("inbox: what is set aside is listed, shown, retried and dropped", "[daemon][webhook]") {
    std::atomic<bool> refuses{true};
    const HttpRecorder recorder([&](std::size_t, const HttpRecorder::Post& post) -> Answer {
        const auto name = name_of(post.body);
        return {.status = refuses && (name.ends_with(" 2") || name.ends_with(" 4")) ? 422 : 200};
    });
    MailRig rig(wish_for(1));
    rig.put(1, 5);
    import_with(rig, webhook_to(recorder, "raw"));
    rig.daemon.start(webhooks_here);
    const auto listed = [&] {
        std::vector<json::object> rows;
        const auto ran = rig.daemon.ask({"inbox", "quarantine", "list", "--json"});
        INFO(ran.errors);
        REQUIRE(ran.exit_code == 0);
        for (std::size_t at = 0, end = 0; (end = ran.output.find('\n', at)) != std::string::npos; at = end + 1)
            rows.push_back(json::parse(ran.output.substr(at, end - at)).as_object());
        return rows;
    };
    REQUIRE(eventually([&] { return recorder.posts().size() == 5 && listed().size() == 2; }));
    const auto rows = listed();
    CHECK(rows[0].at("seq") == 2);
    CHECK(rows[0].at("consumer") == "hook");
    CHECK(rows[0].at("mailbox") == "box0001");
    CHECK_THAT(std::string(rows[0].at("reason").as_string()), Catch::Contains("HTTP 422"));
    const std::string second(rows[0].at("id").as_string()), fourth(rows[1].at("id").as_string());
    CHECK(rig.daemon.ask({"inbox", "quarantine", "show", second}).output ==
          sim::message_of(MailRig::address(1), 2, 4096));
    refuses = false;
    CHECK(rig.daemon.ask({"inbox", "quarantine", "retry", second}).exit_code == 0);
    CHECK(eventually([&] { return listed().size() == 1; }));
    CHECK(recorder.taken().back().headers.at("webhook-id") == second);
    CHECK(recorder.taken().back().headers.at("ce-possiblerepeat") == "true");
    CHECK(rig.daemon.ask({"inbox", "quarantine", "drop", fourth}).exit_code == 0);
    CHECK(listed().empty());
    CHECK(rig.daemon.ask({"inbox", "quarantine", "drop", fourth}).exit_code == 66);
    CHECK(rig.daemon.ask({"inbox", "quarantine", "retry"}).exit_code == 64);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("mailbox: replay hands mail off again from a seq on, with the same ids, and asks the server for nothing",
          "[daemon][webhook][hostile-52]") {
    const HttpRecorder recorder;
    MailRig rig(wish_for(1));
    rig.put(1, 6);
    import_with(rig, webhook_to(recorder, "raw"));
    rig.daemon.start(webhooks_here);
    REQUIRE(eventually([&] { return recorder.taken().size() == 6; }));
    const auto ran = rig.daemon.ask({"mailbox", "replay", "box0001", "--from", "4"});
    INFO(ran.errors);
    REQUIRE(ran.exit_code == 0);
    CHECK(ran.output == "handed off again to hook: from seq 4 to 6\n");
    REQUIRE(eventually([&] { return recorder.taken().size() == 9; }));
    const auto posts = recorder.taken();
    for (std::size_t at = 0; at < 3; ++at) {
        CHECK(posts[6 + at].headers.at("webhook-id") == posts[3 + at].headers.at("webhook-id"));
        CHECK(posts[6 + at].headers.at("ce-possiblerepeat") == "true");
        CHECK(posts[6 + at].body == posts[3 + at].body);
    }
    CHECK(rig.daemon.ask({"mailbox", "replay", "nobody", "--from", "1"}).exit_code == 66);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("consumers: a webhook at a private address is not called unless its network is named",
          "[daemon][webhook][hostile-51]") {
    const HttpRecorder recorder;
    MailRig rig(wish_for(1));
    rig.put(1, 1);
    import_with(rig, webhook_to(recorder, "json"));
    rig.daemon.start();
    REQUIRE(eventually([&] { return hand_off_reason(rig, 1).find("--webhook-networks") != std::string::npos; }));
    CHECK(recorder.connections() == 0);
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.daemon.run_until_idle(webhooks_here) == 0);
    CHECK(recorder.taken().size() == 1);
}

TEST_CASE("webhook: one that answers slowly delays neither another consumer nor the end of the daemon",
          "[daemon][webhook]") {
    const HttpRecorder slow(
        [](std::size_t, const HttpRecorder::Post&) -> Answer { return {.then = Answer::Then::stay_silent}; });
    const HttpRecorder quick;
    MailRig rig(wish_for(2));
    rig.put(1, 20);
    rig.put(2, 20);
    auto document = rig.document();
    auto second = webhook_to(quick, "raw");
    second["id"] = "quick";
    document["consumers"] = json::array{webhook_to(slow, "raw"), second};
    document.at("mailboxes").at(0).as_object()["consumer"] = "hook";
    document.at("mailboxes").at(1).as_object()["consumer"] = "quick";
    rig.daemon.import(json::serialize(document));
    auto flags = webhooks_here;
    flags.insert(flags.end(), {"--drain-grace", "1s"});
    rig.daemon.start(flags);
    REQUIRE(eventually([&] { return quick.taken().size() == 20; }));
    REQUIRE(eventually([&] { return !slow.posts().empty(); }));
    const auto asked_at = std::chrono::steady_clock::now();
    CHECK(rig.daemon.stop() == 0);
    CHECK(std::chrono::steady_clock::now() - asked_at < std::chrono::seconds(10));
}

TEST_CASE("command: a program gets each mail on its standard input", "[daemon][command]") {
    MailRig rig(wish_for(2));
    rig.put(1, 5);
    rig.put(2, 5);
    rig.put(2, 1, 2'000'000);
    const auto place = rig.daemon.file("taken");
    std::filesystem::create_directory(place);
    import_with(rig, {{"id", "program"},
                      {"kind", "command"},
                      {"program",
                       {"/bin/sh", "-c",
                        "case \"$ROHRPOST_SEQ\" in 3) echo not this one >&2; exit 65;; esac; "
                        "cat > \"$0/$ROHRPOST_ID\"",
                        place.string()}}});
    CHECK(rig.daemon.run_until_idle() == 0);
    Mails mails;
    for (const auto& entry : std::filesystem::directory_iterator(place))
        mails.insert(name_of(support::contents_of(entry.path())));
    auto expected = rig.expected();
    expected.erase("box0001@sim.test 3");
    expected.erase("box0002@sim.test 3");
    CHECK(support::difference(expected, mails) == "");
    CHECK(set_aside(rig, 1) == 1);
    const auto aside = rig.daemon.mailbox("box0002").at("set_aside").at(0).as_object();
    CHECK_THAT(std::string(aside.at("reason").as_string()), Catch::Contains("exit code 65 (EX_DATAERR): not this one"));
}

TEST_CASE("consumers: a mail of 150 MB passes through each of them in little memory", "[daemon][hostile-29]") {
    const std::string kind = GENERATE("lmtp", "webhook", "command");
    CAPTURE(kind);
    const auto peak_with = [&kind](std::size_t bytes) {
        const Agent agent;
        std::atomic<std::size_t> came{0};
        const HttpRecorder recorder([&](std::size_t, const HttpRecorder::Post& post) -> Answer {
            came = post.body.size();
            return {};
        });
        auto wish = wish_for(1);
        MailRig rig(wish);
        rig.put(1, 1, bytes);
        if (kind == "lmtp") import_with(rig, agent.consumer());
        if (kind == "webhook") import_with(rig, webhook_to(recorder, "raw"));
        if (kind == "command")
            import_with(rig, {{"id", "program"},
                              {"kind", "command"},
                              {"program", {"/bin/sh", "-c", "cat > \"$0\"", rig.daemon.file("taken").string()}}});
        rig.daemon.start(webhooks_here);
        REQUIRE(eventually([&] {
            if (kind == "lmtp") return support::count_in(agent.dovecot.maildir(MailRig::address(1))) == 1;
            if (kind == "webhook") return came == bytes;
            const auto file = rig.daemon.file("taken");
            return std::filesystem::exists(file) && std::filesystem::file_size(file) == bytes;
        }));
        const auto peak = rig.daemon.kernel_count("status", "VmHWM:");
        CHECK(rig.daemon.stop() == 0);
        return peak;
    };
    const auto small = peak_with(4096);
    const auto large = peak_with(150'000'000);
    CAPTURE(small, large);
    if (!support::sanitized) CHECK(large < small + 8 * 1024);  // fetching it included
}

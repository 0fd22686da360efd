// Mail from servers that were written by others than Dovecot: Cyrus and Courier, with the real daemon. What arrives is
// compared with what the server itself serves to an ordinary user.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "protocols/imap/mailbox_name.hpp"
#include "tests/support/courier.hpp"
#include "tests/support/cyrus.hpp"
#include "tests/support/mail_rig.hpp"

using support::Courier;
using support::Cyrus;
using support::eventually;
using support::ImapUser;

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

const std::string desk = "desk@sim.test";
constexpr std::size_t large_bytes = 24'000'000;

using Bytes = std::multiset<std::string>;

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A daemon, and one mailbox for it to serve at a server.
template <class Server>
struct Desk {
    explicit Desk(typename Server::Wish wish = {}) : server(std::move(wish)) { server.add(desk); }

    [[nodiscard]] json::object document(std::vector<std::string> folders, std::string_view password) const {
        const json::object imap{{"host", "localhost"}, {"port", server.port()}, {"tls", "implicit"}};
        json::object document;
        document["providers"] =
            json::array{json::object{{"id", "house"}, {"imap", imap}, {"ca_file", server.ca_file().string()}}};
        document["credentials"] = json::array{json::object{{"id", "desk"},
                                                           {"provider", "house"},
                                                           {"user", desk},
                                                           {"flow", "password"},
                                                           {"password", json::object{{"value", password}}}}};
        document["mailboxes"] = json::array{json::object{{"id", "desk"},
                                                         {"address", desk},
                                                         {"credential", "desk"},
                                                         {"folders", json::value_from(folders)},
                                                         {"consumer", "tickets"}}};
        document["consumers"] =
            json::array{json::object{{"id", "tickets"}, {"kind", "maildir"}, {"path", daemon.maildir().string()}}};
        return document;
    }
    void import(std::vector<std::string> folders = {"INBOX"}, std::string_view password = Server::password) const {
        daemon.import(json::serialize(document(std::move(folders), password)));
    }

    [[nodiscard]] Bytes arrived() const {
        Bytes all;
        if (!std::filesystem::exists(daemon.maildir() / "new")) return all;
        for (const auto& entry : std::filesystem::directory_iterator(daemon.maildir() / "new"))
            all.insert(support::contents_of(entry.path()));
        return all;
    }
    [[nodiscard]] std::size_t count() const { return support::count_in(daemon.maildir()); }
    [[nodiscard]] Bytes served(const std::string& folder = "INBOX") {
        const auto bodies = server.user(desk).bodies(folder);
        return {bodies.begin(), bodies.end()};
    }
    [[nodiscard]] json::object folder(std::size_t number = 0) const {
        return daemon.mailbox("desk").at("folders").at(number).as_object();
    }
    [[nodiscard]] bool idles() const { return daemon.state_of("desk") == "idle"; }
    /// Log of the daemon and of the server, for whoever has to find out.
    [[nodiscard]] std::string logs() const { return daemon.log() + server.log(); }

    Server server;
    support::Daemon daemon;
};

/// Empty: the same messages, each as often. Otherwise in words what differs.
std::string difference(const Bytes& expected, const Bytes& found) {
    const auto sizes = [](const Bytes& left, const Bytes& right) {
        std::string text;
        for (const std::string& one : left)
            if (left.count(one) > right.count(one))
                text += fmt::format(" {} bytes: [{}…]", one.size(), one.substr(0, 60));
        return text;
    };
    const std::string missing = sizes(expected, found), surplus = sizes(found, expected);
    return (missing.empty() ? "" : "missing:" + missing + "\n") + (surplus.empty() ? "" : "too many:" + surplus);
}

std::string mail(std::uint32_t number, std::string_view body) {
    return fmt::format("From: a@sim.test\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@sim.test>\r\n\r\n{}", desk, number,
                       number, body);
}

std::vector<std::string> mails(std::uint32_t from, std::uint32_t count, std::size_t bytes = 2048) {
    std::vector<std::string> all;
    for (std::uint32_t number = from; number < from + count; ++number)
        all.push_back(sim::message_of(desk, number, bytes));
    return all;
}

/// What a server may well change, and must then be taken as it serves it.
std::vector<std::string> odd_mails() {
    std::string all_bytes, utf8 = "Grüße aus Köln \xf0\x9f\x93\xaf\r\n";
    for (int byte = 1; byte < 256; ++byte)
        if (byte != '\r' && byte != '\n') all_bytes += static_cast<char>(byte);
    return {
        mail(1, "an ordinary one\r\n"),
        mail(2, utf8 + all_bytes + "\r\n"),
        mail(3, std::string(50'000, 'x') + "\r\n" + std::string(998, 'y') + "\r\n"),
        mail(4, "no line end at the end"),
        mail(5, ""),
        "Subject: nothing but a header\r\n\r\n",
        "Subject: and no empty line after it\r\n",
        "Subject: =?utf-8?q?folded?=\r\n =?utf-8?q?_twice?=\r\nX-8bit: \xc3\xa4\xff\r\n\r\nbody\r\n",
        mail(9, "(parentheses) \"quotes\" {12}\r\n* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\nt1 OK done\r\n+ \r\n"),
        mail(10, ".\r\n..\r\n.\r\n\r\n\r\n\r\n"),
        sim::message_of(desk, 11, 300'000),  // streams
        sim::message_of(desk, 12, 256 * 1024),
        sim::message_of(desk, 13, large_bytes),
    };
}

}  // namespace

TEMPLATE_TEST_CASE("servers: mail arrives as it is served, and a second run finds nothing new", "[servers]", Cyrus,
                   Courier) {
    if (!support::server_roots_work()) return;
    Desk<TestType> rig;
    const auto put = odd_mails();
    rig.server.put(desk, put);
    rig.import();
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    const Bytes served = rig.served();
    CHECK(served.size() == put.size());
    CHECK(difference(served, rig.arrived()) == "");
    CHECK(served.contains(put.back()));
    CHECK_FALSE(rig.folder().contains("pending"));

    CHECK(rig.daemon.run_until_idle() == 0);
    rig.server.restart();
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.count() == put.size());
    rig.server.put(desk, mails(100, 2));
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(difference(rig.served(), rig.arrived()) == "");
    CHECK(rig.daemon.mailbox("desk").at("messages") == put.size() + 2);
}

TEMPLATE_TEST_CASE("servers: a wrong password needs a person, and says so in the server's words", "[servers]", Cyrus,
                   Courier) {
    if (!support::server_roots_work()) return;
    Desk<TestType> rig;
    rig.server.put(desk, mails(1, 2));
    rig.import({"INBOX"}, "wrong");
    rig.daemon.start();
    CHECK(eventually([&] { return holds(rig.daemon.state_of("desk"), "needs help: the log-in as desk@sim.test"); }));
    INFO(rig.logs());
    constexpr bool cyrus = std::is_same_v<TestType, Cyrus>;
    const std::string state = rig.daemon.state_of("desk");
    CAPTURE(state);
    CHECK(holds(state, cyrus ? "authentication failure" : "Login failed"));
    CHECK(rig.count() == 0);
    rig.import();
    const auto reloaded = rig.daemon.ask({"mailbox", "resume", "desk"});
    CHECK(reloaded.exit_code == 0);
    CHECK(eventually([&] { return rig.count() == 2; }, 25s));  // at once, not when the next attempt is due
    CHECK(rig.daemon.stop() == 0);
}

TEMPLATE_TEST_CASE("servers: mail that comes during IDLE arrives within seconds, whoever dies meanwhile", "[servers]",
                   Cyrus, Courier) {
    if (!support::server_roots_work()) return;
    Desk<TestType> rig;
    rig.server.put(desk, mails(1, 3));
    rig.import();
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.idles() && rig.count() == 3; }));
    const auto comes_within_seconds = [&](std::uint32_t number) {
        const auto before = rig.count();
        rig.server.put(desk, mails(number, 1));
        return eventually([&] { return rig.count() == before + 1; }, 10s);
    };
    INFO(rig.logs());
    CHECK(comes_within_seconds(4));
    rig.server.user(desk).remove("INBOX", "2:4");
    CHECK(comes_within_seconds(5));
    REQUIRE(eventually([&] { return rig.idles(); }));

    CHECK(rig.server.kill_sessions() >= 1);
    rig.server.put(desk, mails(6, 1));
    CHECK(eventually([&] { return rig.count() == 6; }));

    rig.server.kill();
    REQUIRE(eventually([&] { return holds(rig.daemon.state_of("desk"), "refused"); }));
    rig.server.restart();
    CHECK(eventually([&] { return rig.idles(); }));
    CHECK(comes_within_seconds(7));
    CHECK(rig.daemon.stop() == 0);
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.idles(); }));
    CHECK(comes_within_seconds(8));
    CHECK(rig.daemon.stop() == 0);
    CHECK(rig.arrived().size() == 8);
}

TEMPLATE_TEST_CASE("servers: a large message goes on where a session died", "[servers]", Cyrus, Courier) {
    if (!support::server_roots_work()) return;
    Desk<TestType> rig;
    rig.server.put(desk, mails(1, 1));
    rig.import();
    rig.daemon.start();
    REQUIRE(eventually([&] { return rig.idles() && rig.count() == 1; }));
    const auto written = [&] { return rig.daemon.kernel_count("io", "wchar:"); };
    const auto before = written();
    rig.server.put(desk, mails(2, 1, 4 * large_bytes));
    REQUIRE(eventually([&] { return written() > before + 2'000'000; }));
    CHECK(rig.server.kill_sessions() >= 1);
    CHECK(written() < before + 4 * large_bytes);
    CHECK(eventually([&] { return rig.count() == 2; }));
    INFO(rig.logs());
    CHECK(holds(rig.daemon.log(), "resumes_at="));
    CHECK(rig.daemon.stop() == 0);
    CHECK(difference(rig.served(), rig.arrived()) == "");
}

TEMPLATE_TEST_CASE("servers: 3,000 messages arrive, those that are deleted meanwhile stop no other", "[servers]", Cyrus,
                   Courier) {
    if (!support::server_roots_work()) return;
    Desk<TestType> rig;
    const auto put = mails(1, 3000, 1024);
    rig.server.put(desk, put);
    rig.import();
    rig.daemon.launch({"--exit-when-idle", "--fetch-batch", "16"});
    REQUIRE(eventually([&] { return rig.count() > 0; }));
    rig.server.user(desk).remove("INBOX", "2500:2600,2950");
    REQUIRE(rig.daemon.wait(120s) == 0);
    INFO(rig.logs());
    const Bytes served = rig.served(), arrived = rig.arrived();
    CHECK(served.size() == 3000 - 102);
    // Those that were fetched before they went count as received.
    CHECK(std::includes(arrived.begin(), arrived.end(), served.begin(), served.end()));
    const Bytes all(put.begin(), put.end());
    CHECK(std::includes(all.begin(), all.end(), arrived.begin(), arrived.end()));
    CHECK(rig.folder().at("cursor") == 3000);
    CHECK_FALSE(rig.folder().contains("pending"));
}

TEMPLATE_TEST_CASE("servers: under another UIDVALIDITY exactly the new mail is handed off", "[servers][hostile-36]",
                   Cyrus, Courier) {
    if (!support::server_roots_work()) return;
    Desk<TestType> rig;
    rig.server.put(desk, mails(1, 3));
    rig.import();
    REQUIRE(rig.daemon.run_until_idle() == 0);
    const auto before = json::value_to<std::uint32_t>(rig.folder().at("uid_validity"));
    rig.server.renew(desk, mails(1, 5));
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    const auto changed = rig.folder().at("uid_validity_changed").as_object();
    CHECK(changed.at("before") == before);
    CHECK(changed.at("recognised") == 3);
    CHECK(changed.at("new") == 2);
    CHECK(difference(rig.served(), rig.arrived()) == "");
}

TEMPLATE_TEST_CASE("servers: folders are found by their names, whatever is in them", "[servers]", Cyrus, Courier) {
    if (!support::server_roots_work()) return;
    Desk<TestType> rig;
    // Courier keeps everything below INBOX., Cyrus as Debian has it beside INBOX.
    constexpr bool courier = std::is_same_v<TestType, Courier>;
    const std::string prefix = courier ? "INBOX." : "", separator = courier ? "." : "/";
    const std::vector<std::string> folders{
        prefix + "Entwürfe & Co",
        prefix + "日本語" + separator + (courier ? "台北 (quoted \"so\")" : "台北 +1"),
        prefix + "plain",
        "INBOX",
    };
    ImapUser user = rig.server.user(desk);
    Bytes put;
    std::uint32_t number = 0;
    for (const std::string& folder : folders) {
        std::string quoted = "\"";
        for (const char c : imap::mailbox_name_to_utf7(folder)) quoted += c == '"' ? "\\\"" : std::string(1, c);
        quoted += '"';
        if (folder != "INBOX") user.must("CREATE " + quoted);
        const auto some = mails(++number, 1);
        user.append(quoted, some);
        put.insert(some.begin(), some.end());
    }
    rig.import(folders);
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    CHECK(difference(put, rig.arrived()) == "");

    rig.import({prefix + "No such folder", "INBOX"});
    CHECK(rig.daemon.run_until_idle() == 75);
    CHECK(holds(rig.daemon.log(), "No such folder"));
    CHECK(rig.count() == put.size());
}

TEMPLATE_TEST_CASE("servers: folders are chosen by patterns, and mail that is moved between them is no new mail",
                   "[servers]", Cyrus, Courier) {
    if (!support::server_roots_work()) return;
    Desk<TestType> rig;
    constexpr bool courier = std::is_same_v<TestType, Courier>;
    const std::string team = courier ? "INBOX.Team" : "Team", separator = courier ? "." : "/";
    ImapUser user = rig.server.user(desk);
    Bytes put;
    std::uint32_t number = 0;
    const std::vector<std::string> all{"INBOX", team + separator + "Berlin", team + separator + "Bonn",
                                       team + separator + "Old", courier ? "INBOX.Private" : "Private"};
    for (const std::string& folder : all) {
        if (folder != "INBOX") user.must("CREATE " + folder);
        const auto some = mails(++number, 2);
        ++number;
        user.append(folder, some);
        const bool chosen = folder == "INBOX" || folder.find("erlin") != folder.npos || folder.ends_with("Bonn");
        if (chosen) put.insert(some.begin(), some.end());
    }
    rig.import({"INBOX", team + separator + "*", "!*Old"});
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    CHECK(difference(put, rig.arrived()) == "");
    user.must("SELECT INBOX");
    user.must("UID COPY 1 " + team + separator + "Bonn");
    user.must("UID COPY 2 INBOX");
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(difference(put, rig.arrived()) == "");
}

TEMPLATE_TEST_CASE("servers: a mailbox that starts with new mail gets just that", "[servers]", Cyrus, Courier) {
    if (!support::server_roots_work()) return;
    Desk<TestType> rig;
    rig.server.put(desk, mails(1, 3));
    auto document = rig.document({"INBOX"}, TestType::password);
    document.at("mailboxes").at(0).as_object()["start"] = "new";
    rig.daemon.import(json::serialize(document));
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    CHECK(rig.count() == 0);
    const auto later = mails(4, 2);
    rig.server.put(desk, later);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(difference({later.begin(), later.end()}, rig.arrived()) == "");
}

TEST_CASE("servers: mail that Courier numbers in another order than it came is neither lost nor doubled", "[servers]") {
    if (!support::server_roots_work()) return;
    Desk<Courier> rig;
    rig.server.put(desk, mails(1, 1));
    static_cast<void>(rig.server.user(desk).must("SELECT INBOX"));  // from here on its UIDVALIDITY stays
    rig.import();
    rig.server.put_as("1800000002", desk, mails(2, 1).front());
    CHECK(rig.daemon.run_until_idle() == 0);
    rig.server.put_as("1800000001", desk, mails(3, 1).front());  // which Courier sorts before the other
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    const auto put = mails(1, 3);
    CHECK(difference({put.begin(), put.end()}, rig.arrived()) == "");
}

TEST_CASE("servers: Cyrus without its extensions serves the same", "[servers]") {
    if (!support::server_roots_work()) return;
    Cyrus::Wish wish;
    wish.settings =
        "suppress_capabilities: LITERAL+ LITERAL- ESEARCH UNSELECT UIDPLUS SASL-IR ID ENABLE IDLE CONDSTORE QRESYNC "
        "NAMESPACE COMPRESS=DEFLATE\nimapidlepoll: 0\n";
    Desk<Cyrus> rig(wish);
    rig.server.put(desk, mails(1, 3));
    CHECK_FALSE(rig.server.user(desk).can("LITERAL+"));
    CHECK_FALSE(rig.server.user(desk).can("IDLE"));
    rig.import();
    rig.daemon.start({"--poll-interval", "1s"});
    CHECK(eventually([&] { return rig.count() == 3; }));
    rig.server.put(desk, mails(4, 2));
    INFO(rig.logs());
    CHECK(eventually([&] { return rig.count() == 5; }));
    CHECK(rig.daemon.stop() == 0);
    CHECK(difference(rig.served(), rig.arrived()) == "");
}

TEST_CASE("servers: Courier's IDLE that does not watch files is found out", "[servers]") {
    if (!support::server_roots_work()) return;
    Courier::Wish wish;
    wish.watches_files = false;
    wish.looks_every = 600s;
    Desk<Courier> rig(wish);
    rig.server.put(desk, mails(1, 1));
    rig.import();
    rig.daemon.start({"--idle-renew", "1s", "--poll-interval", "1s"});
    REQUIRE(eventually([&] { return rig.idles() && rig.count() == 1; }));
    rig.server.put(desk, mails(2, 1));
    INFO(rig.logs());
    CHECK(eventually([&] { return rig.count() == 2; }, 20s));
    rig.server.put(desk, mails(3, 1));
    CHECK(eventually([&] { return rig.count() == 3; }, 20s));
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("servers: Courier takes LOGIN with a password that no quoted string can hold", "[servers]") {
    if (!support::server_roots_work()) return;
    Courier::Wish wish;
    wish.capabilities = "IMAP4rev1";
    wish.sasl = "";
    wish.password = "p\"ä\\ß {3}";
    Desk<Courier> rig(wish);
    rig.server.put(desk, mails(1, 2));
    rig.import({"INBOX"}, wish.password);
    CHECK(rig.daemon.run_until_idle() == 0);
    INFO(rig.logs());
    CHECK(rig.count() == 2);
}

TEST_CASE("servers: a mail without a single byte is named, and stops no other", "[servers]") {
    if (!support::server_roots_work()) return;
    Desk<Courier> rig;
    auto put = mails(1, 1);
    put.emplace_back();
    put.push_back(mails(3, 1).front());
    rig.server.put(desk, put);
    rig.import();
    rig.daemon.start();
    CHECK(eventually([&] { return rig.count() == 2; }));
    CHECK(eventually([&] { return rig.folder().contains("pending"); }));
    INFO(rig.logs());
    CHECK(rig.folder().at("cursor") == 3);
    CHECK(rig.folder().at("pending").at(0).at("uid") == 2);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("servers: what Cyrus shows in a second folder under the same EMAILID is not fetched again", "[servers]") {
    if (!support::server_roots_work()) return;
    Desk<Cyrus> rig;
    const auto put = mails(1, 5);
    rig.server.put(desk, put);
    auto user = rig.server.user(desk);
    REQUIRE(user.can("OBJECTID"));
    user.must("CREATE Sales");
    user.must("SELECT INBOX");
    user.must("UID COPY 2:4 Sales");
    user.append("Sales", mails(6, 1));
    rig.import({"INBOX", "Sales"});
    rig.server.record(desk);
    CHECK(rig.daemon.run_until_idle() == 0);
    const auto said = rig.server.recorded(desk);
    INFO(rig.logs() << said);
    CHECK(rig.count() == 6);
    const auto bodies = [&] {
        std::size_t found = 0;
        for (auto at = said.find(" BODY[] {"); at != std::string::npos; at = said.find(" BODY[] {", at + 1)) ++found;
        return found;
    }();
    CHECK(bodies == 6);
    CHECK(holds(said, "EMAILID (M"));
    rig.daemon.start();
    CHECK(holds(rig.daemon.ask({"mailbox", "audit", "desk", "--json"}).output, "\"unknown\":0"));
    CHECK(rig.daemon.stop() == 0);
}

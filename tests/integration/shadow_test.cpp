// A mailbox that another product serves, and that is only observed: beside fetchmail at Dovecot, and at servers that
// hear every command.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <fstream>

#include "tests/integration/password_desk.hpp"

using namespace password_desk;
using support::eventually;
using support::MailRig;
using support::Process;

using namespace std::chrono_literals;

namespace {

/// Flags and UIDs as the server keeps them.
std::string flags_of(Dovecot& server) { return server.doveadm(desk, {"fetch", "uid flags", "mailbox", "INBOX"}); }
std::string flags_of(Cyrus& server) {
    auto user = server.user(desk);
    user.must("EXAMINE INBOX");
    std::string all;
    for (const auto& line : user.must("UID FETCH 1:* (FLAGS)"))
        if (line.find(" FETCH ") != std::string::npos) all += line + '\n';
    return all;
}

std::string id_of(std::uint32_t number) {
    const auto message = sim::message_of(desk, number, 2048);
    const auto begin = message.find("Message-ID: ") + 12;
    return message.substr(begin, message.find("\r\n", begin) - begin);
}

/// A daemon that shadows one mailbox.
template <class Server>
struct Beside {
    explicit Beside(typename Server::Wish wish = {}) : server(std::move(wish)) {}

    void import(const json::object& shadow, const json::object& more = {}) const {
        const json::object imap{{"host", "localhost"}, {"port", server.port()}, {"tls", "implicit"}};
        json::object document;
        document["providers"] =
            json::array{json::object{{"id", "house"}, {"imap", imap}, {"ca_file", server.ca_file().string()}}};
        document["credentials"] = json::array{json::object{{"id", "desk"},
                                                           {"provider", "house"},
                                                           {"user", desk},
                                                           {"flow", "password"},
                                                           {"password", json::object{{"value", Server::password}}}}};
        json::object mailbox{{"id", "desk"}, {"address", desk}, {"credential", "desk"}, {"shadow", shadow}};
        for (const auto& [key, value] : more) mailbox[key] = value;
        document["mailboxes"] = json::array{std::move(mailbox)};
        daemon.import(json::serialize(document));
    }
    void start() {
        daemon.start();
        REQUIRE(eventually([&] { return daemon.state_of("desk") == "idle"; }));
    }
    struct Report {
        int exit_code = 0;
        json::object said;
        std::string errors;

        [[nodiscard]] std::uint64_t count(std::string_view key) const {
            const auto* value = said.if_contains(key);
            return value == nullptr ? 0 : value->to_number<std::uint64_t>();
        }
        /// "missed <id>" of each row, in order.
        [[nodiscard]] std::vector<std::string> rows() const {
            std::vector<std::string> all;
            for (const auto& value : said.at("rows").as_array()) {
                const auto& row = value.as_object();
                const auto* id = row.if_contains("message_id");
                all.push_back(std::string(row.at("what").as_string()) + ' ' +
                              (id == nullptr ? "-" : std::string(id->as_string())));
            }
            return all;
        }
    };
    [[nodiscard]] Report report(std::vector<std::string> words = {}) const {
        words.insert(words.begin(), {"mailbox", "shadow", "desk", "--json"});
        const auto ran = daemon.ask(std::move(words));
        Report report{ran.exit_code, {}, ran.errors};
        if (!ran.output.empty()) report.said = json::parse(ran.output).as_object();
        return report;
    }
    [[nodiscard]] bool comes_to(std::uint64_t observed, std::uint64_t taken, std::uint64_t missed) const {
        return eventually([&] {
            const auto now = report();
            return now.count("observed") == observed && now.count("taken") + now.count("late") == taken &&
                   now.count("missed") == missed;
        });
    }
    [[nodiscard]] std::string logs() const { return daemon.log() + server.log(); }

    Server server;
    support::Daemon daemon;
};

/// The other product: takes mail from Dovecot into a Maildir.
class Fetchmail {
public:
    explicit Fetchmail(const Dovecot& server) : server_(server) {
        for (const auto* part : {"cur", "new", "tmp"}) std::filesystem::create_directories(maildir() / part);
        std::ofstream(home() / "deliver.sh") << "file=$(mktemp \"$1/tmp/XXXXXXXX\") && cat >\"$file\" && "
                                                "mv \"$file\" \"$1/new/$(date +%s).$(basename \"$file\")\"\n";
    }
    static bool installed() {
        if (std::filesystem::exists("/usr/bin/fetchmail")) return true;
        std::puts("SKIPPED: fetchmail is not installed: run tools/setup");
        return false;
    }
    /// Takes what has no \Seen, with these words of its configuration.
    void take(const std::string& options) const {
        const auto file = home() / "fetchmailrc";
        std::ofstream(file) << fmt::format(
            "poll localhost protocol imap service {} user \"{}\" password \"{}\" ssl sslcertck sslcertfile \"{}\" {} "
            "mda \"/bin/sh {} {}\"\n",
            server_.port(), desk, Dovecot::password, server_.ca_file().string(), options,
            (home() / "deliver.sh").string(), maildir().string());
        std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        Process::Start start;
        // Root's would all have one file of their process.
        start.command = {"fetchmail",
                         "--nodetach",
                         "--nosyslog",
                         "--fetchmailrc",
                         file.string(),
                         "--pidfile",
                         (home() / "fetchmail.pid").string()};
        start.environment = {{"HOME", home().string()}, {"FETCHMAILHOME", home().string()}};
        const auto ran = support::run_to_end(std::move(start), 60s);
        INFO(ran.output << ran.errors);
        REQUIRE((ran.exit_code == 0 || ran.exit_code == 1));  // 1: there was nothing
    }
    [[nodiscard]] std::filesystem::path maildir() const { return home() / "maildir"; }
    [[nodiscard]] std::size_t delivered() const { return support::count_in(maildir()); }

private:
    [[nodiscard]] std::filesystem::path home() const { return directory_.path(); }

    const Dovecot& server_;
    support::TemporaryDirectory directory_;
};

const json::object quick{{"taken", "seen"}, {"grace", "2s"}};

}  // namespace

TEST_CASE("shadow: what fetchmail leaves is missed, what it takes again is doubled, and what it takes at last is late",
          "[shadow]") {
    if (!Fetchmail::installed()) return;
    Beside<Dovecot> rig;
    const Fetchmail fetchmail(rig.server);
    rig.server.put(desk, mails(1, 3));  // there before: nobody's business
    rig.import(quick);
    rig.start();
    rig.server.put(desk, mails(4, 4));
    rig.server.put(desk, {sim::message_of(desk, 8, 60'000)});
    REQUIRE(eventually([&] { return rig.report().count("observed") == 5; }));
    const auto before = flags_of(rig.server);
    CHECK(before.find("\\Seen") == std::string::npos);
    INFO(rig.logs());

    fetchmail.take("keep limit 20000");
    CHECK(fetchmail.delivered() == 7);
    CHECK(rig.comes_to(5, 4, 1));
    const auto missed = rig.report();
    CHECK(missed.exit_code == 65);
    CHECK(missed.rows().back() == "missed " + id_of(8));
    CHECK(eventually([&] { return holds(rig.daemon.log(), "id=shadow-missed missed=1"); }));

    // What happens while no daemon runs is settled by the next one.
    CHECK(rig.daemon.stop() == 0);
    rig.server.put(desk, mails(9, 1));
    fetchmail.take("keep limit 20000");
    CHECK(rig.report().count("observed") == 5);  // without a daemon, from the store
    rig.start();
    CHECK(rig.comes_to(6, 5, 1));

    // Its own Maildir tells the same, mail by mail.
    const std::vector<std::string> list{"--list", fetchmail.maildir().string()};
    const auto compared = rig.report(list);
    INFO(json::serialize(compared.said));
    CHECK(compared.exit_code == 65);
    CHECK(compared.count("observed") == 6);
    CHECK(compared.count("missed") == 1);
    CHECK(compared.count("doubled") == 0);
    CHECK(compared.count("unknown_here") == 3);  // those from before

    // It loses its memory of one.
    rig.server.doveadm(desk, {"flags", "remove", "\\Seen", "mailbox", "INBOX", "uid", "5"});
    fetchmail.take("keep limit 20000");
    CHECK(fetchmail.delivered() == 9);
    const auto doubled = rig.report(list);
    CHECK(doubled.exit_code == 65);
    CHECK(doubled.count("doubled") == 1);
    const auto rows = doubled.rows();
    CHECK(std::count(rows.begin(), rows.end(), "doubled " + id_of(5)) == 1);

    fetchmail.take("keep");
    CHECK(rig.comes_to(6, 6, 0));
    const auto late = rig.report();
    CHECK(late.exit_code == 0);
    CHECK(late.count("late") >= 1);
    CHECK(late.count("longest_delay_seconds") >= 2);
    const auto late_rows = late.rows();
    CHECK(std::count(late_rows.begin(), late_rows.end(), "late " + id_of(8)) == 1);

    const auto text = rig.daemon.ask({"mailbox", "shadow", "desk", "--list", fetchmail.maildir().string()});
    CHECK(text.exit_code == 65);
    CHECK(holds(text.output, "doubled"));
    CHECK(holds(text.output, "delivered 2 times"));
    CHECK(holds(text.output, id_of(5)));
    CHECK(rig.daemon.mailbox("desk").at("messages") == 0);  // nothing has entered the ledger
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("shadow: where taking is removing, fetchmail's removals count, and Dovecot's new UIDVALIDITY does not",
          "[shadow]") {
    if (!Fetchmail::installed()) return;
    Beside<Dovecot> rig;
    const Fetchmail fetchmail(rig.server);
    rig.import({{"taken", "removed"}, {"grace", "2s"}});
    rig.start();
    rig.server.put(desk, mails(1, 3));
    rig.server.put(desk, {sim::message_of(desk, 4, 60'000)});
    REQUIRE(eventually([&] { return rig.report().count("observed") == 4; }));
    fetchmail.take("nokeep limit 20000");
    INFO(rig.logs());
    CHECK(rig.comes_to(4, 3, 1));

    CHECK(rig.daemon.stop() == 0);
    rig.server.set_uid_validity(desk, 4711);
    rig.server.put(desk, mails(5, 1));
    rig.start();
    CHECK(rig.comes_to(5, 3, 2));
    auto rows = rig.report().rows();
    CHECK(rows == std::vector<std::string>{"missed " + id_of(4), "missed " + id_of(5)});
    CHECK(holds(rig.daemon.log(), "id=shadow-renumbered"));
    fetchmail.take("nokeep");
    CHECK(rig.comes_to(5, 5, 0));
    CHECK(rig.report().exit_code == 0);
    CHECK(rig.daemon.stop() == 0);
}

TEMPLATE_TEST_CASE("shadow: flags are what they were, at Dovecot and Cyrus", "[shadow][servers]", Dovecot, Cyrus) {
    if (std::is_same_v<TestType, Cyrus> && !support::server_roots_work()) return;
    Beside<TestType> rig;
    if constexpr (std::is_same_v<TestType, Cyrus>) rig.server.add(desk);
    rig.server.put(desk, mails(1, 3));
    rig.import(quick, {{"start", "2020-01-01"}});
    const auto before = flags_of(rig.server);
    rig.start();
    INFO(rig.logs());
    CHECK(rig.comes_to(3, 0, 3));
    rig.server.put(desk, mails(4, 2));
    CHECK(rig.comes_to(5, 0, 5));
    CHECK(rig.daemon.stop() == 0);
    const auto after = flags_of(rig.server);
    CHECK(after.substr(0, before.size()) == before);  // \Recent, too
    CHECK(after.find("\\Seen") == std::string::npos);
    CHECK(after.find("\\Deleted") == std::string::npos);
}

TEST_CASE("shadow: Courier, whose EXAMINE gives out UIDs that it gives again, is told to be no server to observe",
          "[shadow][servers]") {
    if (!support::server_roots_work()) return;
    Beside<Courier> rig;
    rig.server.add(desk);
    rig.server.put(desk, mails(1, 2));
    rig.import(quick);
    rig.daemon.start({"--poll-interval", "1s"});
    INFO(rig.logs());
    CHECK(eventually([&] {
        return holds(rig.daemon.state_of("desk"),
                     "needs help: folder INBOX cannot be observed: the server does not say UIDNEXT");
    }));
    CHECK(rig.report().exit_code == 75);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("shadow: nothing but reading goes over the wire, whatever the server does", "[shadow]") {
    const auto fault = GENERATE(values<std::string>({"", "no_idle", "lying_idle", "no_data uid=2 times=3"}));
    CAPTURE(fault);
    MailRig::Wish wish;
    wish.server = MailRig::Server::sim;
    MailRig rig(wish);
    if (!fault.empty()) rig.fault(fault);
    rig.provider.ask([](sim::World& world) {
        world.heard.emplace();
        return 0;
    });
    rig.put(1, 3);
    auto document = rig.document();
    auto& mailbox = document.at("mailboxes").at(0).as_object();
    mailbox.erase("consumer");
    mailbox["shadow"] = json::object{{"grace", "1s"}};
    mailbox["folders"] = json::array{"*"};
    mailbox["start"] = "2020-01-01";
    rig.daemon.import(json::serialize(document));
    rig.daemon.start({"--poll-interval", "1s"});
    const auto report = [&] {
        const auto ran = rig.daemon.ask({"mailbox", "shadow", "box0001", "--json"});
        return ran.exit_code == 75 ? json::object() : json::parse(ran.output).as_object();
    };
    const auto comes_to = [&](std::string_view key, std::uint64_t number) {
        return eventually([&] {
            const auto now = report();
            const auto* value = now.if_contains(key);
            return value != nullptr && value->to_number<std::uint64_t>() == number;
        });
    };
    CHECK(comes_to("missed", 3));
    rig.put(1, 2);
    CHECK(comes_to("observed", 5));
    rig.provider.ask([](sim::World& world) {  // the other product removes one, and new UIDs are given to all
        auto& inbox = *world.folder(sim::World::address_of(1), "INBOX");
        inbox.remove(inbox.entries.front().uid, nullptr);
        return 0;
    });
    CHECK(comes_to("missed", 4));
    rig.provider.ask([](sim::World& world) {
        for (auto* session : world.sessions()) session->cut();
        return 0;
    });
    rig.put(1, 1);
    CHECK(comes_to("observed", 6));
    INFO(rig.daemon.log());
    CHECK(rig.daemon.stop() == 0);
    const auto heard = rig.provider.ask([](sim::World& world) { return *world.heard; });
    REQUIRE(heard.size() > 10);
    for (const auto& line : heard) {
        CAPTURE(line);
        const auto command = line.substr(line.find(' ') + 1);
        const bool reads = command.starts_with("EXAMINE ") || command.starts_with("STATUS ") ||
                           command.starts_with("UID SEARCH ") || command.starts_with("LIST ") ||
                           command.starts_with("ID ") || command == "IDLE" || command == "NOOP" ||
                           command == "CAPABILITY" || command == "LOGOUT";
        const bool peeks = command.starts_with("UID FETCH ") &&
                           command.ends_with(
                               "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID "
                               "DATE FROM SUBJECT RECEIVED)])");
        CHECK((reads || peeks));
    }
    CHECK(rig.counters().body_bytes_fetched < 6 * 2000);  // heads alone
}

TEST_CASE("shadow: whoever looks at the mailbox is told what it is, and nobody fetches from it", "[shadow]") {
    Beside<Dovecot> rig;
    rig.import(quick);
    const auto nothing = rig.report();
    CHECK(nothing.exit_code == 75);
    CHECK(holds(nothing.errors, "nothing was observed so far"));
    rig.start();
    rig.server.put(desk, mails(1, 2));
    REQUIRE(rig.comes_to(2, 0, 2));
    CHECK(eventually([&] {
        return holds(rig.daemon.ask({"mailbox", "show", "desk"}).output,
                     "of another product: taken is seen, grace 2s, missed so far 2");
    }));
    CHECK(holds(rig.daemon.ask({"mailbox", "list"}).output, "(shadow)"));
    CHECK(holds(rig.daemon.ask({"status"}).output, "1 mailboxes of other products, which missed 2 messages so far"));
    const auto audited = rig.daemon.ask({"mailbox", "audit", "desk"});
    CHECK(audited.exit_code != 0);
    CHECK(holds(audited.errors, "is a shadow"));
    CHECK(rig.daemon.ask({"mailbox", "audit"}).exit_code == 0);  // of all others: none
    CHECK(holds(rig.daemon.ask({"mailbox", "backfill", "desk", "--from", "2020-01-01"}).errors, "is a shadow"));
    const auto socket = (rig.daemon.data() / "control.sock").string();
    Process::Start curl;
    curl.command = {"curl", "--silent", "--max-time", "10", "--unix-socket", socket, "http://rohrpost/metrics"};
    CHECK(holds(support::run_to_end(std::move(curl)).output, "rohrpost_shadow_missed_messages{mailbox=\"desk\"} 2"));

    // A list of lines, from standard input; what is wrong with it is said.
    const auto listed = rig.daemon.ask({"mailbox", "shadow", "desk", "--list", "-", "--json"},
                                       "# of the other product\n" + id_of(1) + "\n" + id_of(2) + " 2020-01-01\n");
    CHECK(listed.exit_code == 0);
    const auto wrong = rig.daemon.ask({"mailbox", "shadow", "desk", "--list", "-"}, id_of(1) + "\nhow many?\n");
    CHECK(wrong.exit_code == 64);
    CHECK(holds(wrong.errors, "line 2"));
    CHECK(rig.daemon.ask({"mailbox", "shadow", "desk", "--list", "/nowhere"}).exit_code == 66);
    CHECK(rig.daemon.ask({"mailbox", "shadow", "desk", "--since", "soon"}).exit_code == 64);
    CHECK(rig.report({"--since", "2099-01-01"}).count("observed") == 0);
    CHECK(rig.daemon.ask({"mailbox", "shadow", "nobody"}).exit_code == 66);

    // An mbox, whose second mail has no Message-ID.
    const auto mbox = rig.daemon.file("mbox");
    std::ofstream(mbox) << "From a@b Fri Nov 27 10:00:00 2026\nMessage-ID: " << id_of(1)
                        << "\nSubject: x\n\nFrom the body\n\nFrom a@b Fri Nov 27 10:00:00 2026\nSubject: y\n\nbody\n";
    const auto from_mbox = rig.report({"--list", mbox.string()});
    CHECK(from_mbox.exit_code == 65);
    CHECK(from_mbox.count("taken") == 1);
    CHECK(from_mbox.rows() == std::vector<std::string>{"missed " + id_of(2), "unknown here -"});

    rig.import({{"taken", "list"}, {"grace", "2s"}});
    CHECK(rig.report().exit_code == 64);
    CHECK(holds(rig.report().errors, "only a list"));
    CHECK(rig.report({"--list", mbox.string()}).exit_code == 65);
    CHECK(rig.daemon.stop() == 0);
}

TEST_CASE("shadow: a mailbox is taken over, and what was observed is still told before", "[shadow]") {
    Beside<Dovecot> rig;
    rig.server.put(desk, mails(1, 2));
    rig.import(quick, {{"start", "2020-01-01"}});
    CHECK(rig.daemon.run_until_idle() == 0);  // one look is enough
    CHECK(rig.report().count("observed") == 2);
    CHECK(holds(rig.daemon.ask({"mailbox", "show", "desk"}).output, "OBSERVED SINCE"));
    // Each run looks once: in the end their time is over.
    CHECK(eventually([&] { return rig.daemon.run_until_idle() == 0 && rig.report().count("missed") == 2; }));

    const auto exported = rig.daemon.ask({"export"}).output;
    auto document = json::parse(exported).as_object();
    auto& mailbox = document.at("mailboxes").at(0).as_object();
    CHECK(mailbox.at("shadow").as_object().at("grace") == "2s");
    mailbox.erase("shadow");
    mailbox["consumer"] = "tickets";
    document["consumers"] = json::array{json::object{{"id", "tickets"}, {"kind", "pull"}}};
    rig.daemon.import(json::serialize(document));
    CHECK(rig.report().exit_code == 66);
    CHECK(rig.daemon.run_until_idle() == 0);
    CHECK(rig.daemon.mailbox("desk").at("messages") == 2);
}

TEST_CASE("shadow: pages of many rows are put together", "[shadow]") {
    Beside<Dovecot> rig;
    rig.import({{"grace", "1s"}});
    rig.start();
    constexpr std::uint32_t many = 1200;
    rig.server.put(desk, mails(1, many));
    CHECK(rig.comes_to(many, 0, many));
    const auto rows = rig.report().rows();
    CHECK(std::set<std::string>(rows.begin(), rows.end()).size() == many);
    CHECK(rig.daemon.stop() == 0);
}

/// Whole checks against the pretend provider, over real sockets on loopback: what it does is what is found.

#include "engine/doctor/doctor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/read_until.hpp>
#include <catch2/catch.hpp>

#include "protocols/base/base64.hpp"
#include "tests/support/directory.hpp"
#include "tests/unit/net/fixture.hpp"
#include "tools/rohrpost-sim/provider.hpp"

using namespace doctor;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view canary = "canary-token";

/// Names as the test wishes; counts the questions.
class ListedResolver final : public net::Resolver {
public:
    awaitable<Result<net::Addresses>> resolve(std::string host, Monotonic) override {
        ++asked;
        if (host == "localhost") co_return addresses;
        co_return net::errc::name_not_found;
    }
    net::Addresses addresses{asio::ip::make_address("127.0.0.1")};
    int asked = 0;
};

/// Tokens from the pretend provider's book; counts who was asked for.
class BookGrants final : public Grants {
public:
    awaitable<GrantFacts> of(std::string credential, std::chrono::milliseconds) override {
        asked.push_back(credential);
        GrantFacts facts;
        const auto found = tokens.find(credential);
        if (found == tokens.end()) {
            facts.no_token = fmt::format("credential {} has no refresh token: authorize it, or import one", credential);
            co_return facts;
        }
        facts.token.emplace();
        facts.token->secret = Secret(found->second);
        facts.token->expires_at = std::chrono::system_clock::now() + 1h;
        facts.grant.has_refresh_token = true;
        co_return facts;
    }
    std::map<std::string, std::string> tokens;
    std::vector<std::string> asked;
};

struct Rig {
    support::TemporaryDirectory directory;
    sim::Provider provider;
    net_test::Caller caller;
    SystemRandom random;
    Seams seams{caller.timers, random, caller.dialer};
    ListedResolver resolver;
    BookGrants grants;
    std::unique_ptr<Doctor> doctor;
    Plan plan;

    explicit Rig(std::uint32_t mailboxes = 2, std::string style = "exchange") : provider(options(mailboxes, style)) {
        provider.start();
        Surroundings here{.seams = seams, .resolver = resolver};
        doctor = std::make_unique<Doctor>(
            Doctor::Uses{.shard = caller.context.get_executor(), .surroundings = here, .grants = grants});
        config::Provider rig;
        rig.id = "rig";
        rig.token_url = fmt::format("https://localhost:{}/token", provider.ports().https);
        rig.ca_file = provider.ca_file().string();
        rig.imap = config::Host{.host = "localhost", .port = provider.ports().imap};
        plan.providers["rig"] = rig;
        for (std::uint32_t box = 1; box <= mailboxes; ++box) {
            const auto address = sim::World::address_of(box);
            config::Credential credential;
            credential.id = fmt::format("c{}", box);
            credential.provider = "rig";
            credential.user = address;
            plan.credentials[credential.id] = credential;
            Patient patient;
            patient.mailbox.id = fmt::format("box{}", box);
            patient.mailbox.address = patient.mailbox.login = address;
            patient.mailbox.credential = credential.id;
            plan.patients.push_back(std::move(patient));
            grants.tokens[credential.id] = provider.ask([&](sim::World& world) { return world.tokens.issue(address); });
        }
    }
    ~Rig() {
        bool closed = false;
        asio::co_spawn(caller.context, doctor->close(), [&closed](std::exception_ptr) { closed = true; });
        caller.run_until([&closed] { return closed; });
    }
    sim::Options options(std::uint32_t mailboxes, const std::string& style) const {
        sim::Options options;
        options.directory = directory.path();
        options.style = style;
        options.population.mailboxes = mailboxes;
        options.population.messages = 3;
        return options;
    }
    void fault(const std::string& text) {
        const auto one = sim::read_fault(text);
        REQUIRE(one);
        provider.ask([&](sim::World& world) {
            world.faults.add(*one);
            return 0;
        });
    }
    Report check() {
        const auto id = doctor->begin(plan);
        REQUIRE(id);
        auto progress = caller.result_of(doctor->look(*id, 10s));
        REQUIRE(progress);
        REQUIRE(progress->report);
        CHECK(progress->done == progress->steps);
        for (const auto& finding : progress->report->findings) {
            const auto all = finding.did + finding.got + finding.cause + finding.remedy;
            for (const auto& [credential, token] : grants.tokens) CHECK(all.find(token) == std::string::npos);
        }
        return *progress->report;
    }
};

std::vector<std::string> ids_of(const Report& report, const std::string& subject = {}) {
    std::vector<std::string> ids;
    for (const auto& finding : report.findings) {
        if (subject.empty() || finding.subject.name == subject) ids.push_back(finding.id);
    }
    return ids;
}

bool has(const Report& report, const std::string& id) {
    const auto ids = ids_of(report);
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

TEST_CASE("check: all is well, and each host and credential was looked at once", "[doctor]") {
    Rig rig(5);
    for (auto& patient : rig.plan.patients) patient.mailbox.credential = "c1";
    rig.plan.patients.resize(3);
    for (auto& patient : rig.plan.patients) patient.mailbox.login = sim::World::address_of(1);
    const auto report = rig.check();
    INFO(fmt::format("{}", fmt::join(ids_of(report), " ")));
    CHECK(report.worst == Severity::note);  // the sim's tokens do not say whose they are
    CHECK(rig.grants.asked == std::vector<std::string>{"c1"});
    CHECK(rig.resolver.asked == 2);  // mail and token endpoint
    REQUIRE(report.mailboxes.size() == 3);
    for (const auto& outcome : report.mailboxes) {
        CHECK(outcome.worst == Severity::ok);
        CHECK(outcome.summary == "INBOX: 3 messages");
    }
    const auto counters = rig.provider.ask([](sim::World& world) { return world.counters; });
    CHECK(counters.logins == 3);
    CHECK(counters.bodies_fetched == 0);
}

TEST_CASE("check: what goes wrong with one mailbox is found, the others are well (D38, D40, D42, D43)", "[doctor]") {
    struct Row {
        const char* fault;
        const char* id;
    };
    const Row rows[]{
        {"refuse_login mailbox=box0001@sim.test", "imap-login-refused"},
        {"not_connected mailbox=box0001@sim.test", "not-connected-own"},
        {"preauth times=2", "preauth"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.fault);
        Rig rig;
        rig.fault(row.fault);
        const auto report = rig.check();
        INFO(fmt::format("{}", fmt::join(ids_of(report), " ")));
        CHECK(has(report, row.id));
        if (row.id == std::string_view("preauth")) continue;
        CHECK(report.mailboxes[0].worst == Severity::fault);
        CHECK(report.mailboxes[0].summary == row.id);
        CHECK(report.mailboxes[1].worst == Severity::ok);
    }
    Rig wrong;  // a token of somebody else
    wrong.grants.tokens["c1"] = wrong.grants.tokens["c2"];
    CHECK(ids_of(wrong.check(), "box1") == std::vector<std::string>{"imap-login-refused"});
    Rig missing;
    missing.plan.patients[0].mailbox.folders = {"INBOX", "Orders"};
    const auto report = missing.check();
    CHECK(report.mailboxes[0].worst == Severity::fault);
    CHECK(report.mailboxes[1].worst == Severity::ok);
}

TEST_CASE("check: why the daemon does not serve a mailbox is a note where a fault says it, else a warning",
          "[doctor]") {
    Rig rig;
    for (auto& patient : rig.plan.patients) {
        patient.state = "waiting";
        patient.reason = "the log-in was refused";
    }
    rig.fault("refuse_login mailbox=box0001@sim.test");
    const auto report = rig.check();
    for (const auto& finding : report.findings) {
        if (finding.id != "not-served") continue;
        CHECK(finding.severity == (finding.subject.name == "box1" ? Severity::note : Severity::warning));
        CHECK(finding.remedy.find("rohrpost mailbox show " + finding.subject.name) != std::string::npos);
    }
    CHECK(report.mailboxes[0].worst == Severity::fault);
    CHECK(report.mailboxes[1].worst == Severity::warning);
}

TEST_CASE("check: Gmail's challenge is answered, and what it says is told", "[doctor]") {
    Rig rig(2, "gmail");
    rig.grants.tokens["c1"] = std::string(canary);
    const auto report = rig.check();
    CHECK(ids_of(report, "box1") == std::vector<std::string>{"gmail-login-refused"});
    const auto refused = std::find_if(report.findings.begin(), report.findings.end(),
                                      [](const Finding& each) { return each.id == "gmail-login-refused"; });
    REQUIRE(refused != report.findings.end());
    CHECK(refused->got.find("before that: {") != std::string::npos);
    CHECK(report.mailboxes[1].worst == Severity::ok);
}

TEST_CASE("check: a branch ends at its first hard failure, the others go on (D01 to D03, D06, D07)", "[doctor]") {
    Rig names;
    names.plan.providers["rig"].imap->host = "nowhere.invalid";
    auto report = names.check();
    CHECK(ids_of(report, fmt::format("nowhere.invalid:{}", names.provider.ports().imap)) ==
          std::vector<std::string>{"dns-not-found"});
    CHECK(names.grants.asked.size() == 2);
    CHECK(report.mailboxes[0].summary == "dns-not-found");

    Rig port;
    port.plan.providers["rig"].imap->port = 1;
    CHECK(ids_of(port.check(), "localhost:1") == std::vector<std::string>{"tcp-refused"});

    Rig half;  // D04: IPv6 is there, and nobody answers at it
    half.resolver.addresses.push_back(asio::ip::make_address("::1"));
    CHECK(has(half.check(), "ipv6-broken"));

    Rig trust;
    trust.plan.providers["rig"].ca_file.clear();
    report = trust.check();
    CHECK(ids_of(report, fmt::format("localhost:{}", trust.provider.ports().imap)) ==
          std::vector<std::string>{"certificate-unknown-issuer"});
    Rig file;
    file.plan.providers["rig"].ca_file = "/no/such/file";
    CHECK(has(file.check(), "ca-file-unreadable"));

    Rig nobody;
    nobody.grants.tokens.clear();
    report = nobody.check();
    CHECK(ids_of(report, "c1") == std::vector<std::string>{"no-grant"});
    CHECK(ids_of(report, "box1").empty());

    Rig clear;  // speaks no TLS
    net_test::Peer peer(
        [](net_test::tcp::socket socket) {
            boost::asio::write(socket, boost::asio::buffer(std::string("* OK hello\r\n")));
            net_test::drain(socket);
        },
        "127.0.0.1", 0, 2);
    clear.plan.providers["rig"].imap->port = peer.port();
    CHECK(ids_of(clear.check(), fmt::format("localhost:{}", peer.port())) == std::vector<std::string>{"tls-failed"});
}

TEST_CASE("check: a clock that is wrong shows beside the identity provider's (D08)", "[doctor]") {
    Rig rig(1);
    const auto tls = net_test::server_tls(rig.provider.authority().issue({}));
    const auto answer = [](net_test::TlsSocket& stream) {
        std::string request;
        boost::system::error_code ended;
        boost::asio::read_until(stream, boost::asio::dynamic_buffer(request), "\r\n\r\n", ended);
        if (ended) return;  // the connection that looks at the certificate
        const std::string text =
            "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n";
        boost::asio::write(stream, boost::asio::buffer(text));
        net_test::drain(stream);
    };
    net_test::Peer peer(net_test::over_tls(tls, answer), "127.0.0.1", 0, 2);
    rig.plan.providers["rig"].token_url = fmt::format("https://localhost:{}/token", peer.port());
    const auto report = rig.check();
    INFO(fmt::format("{}", fmt::join(ids_of(report), " ")));
    CHECK(has(report, "clock-wrong"));
    CHECK(has(report, "page"));
}

TEST_CASE("check: a server that says again what it was told gets no secret into a finding", "[doctor]") {
    const std::string token = "canary-0123456789abcdef-0123456789abcdef";
    const auto spoken = [](const std::string& sent) {
        const auto blank = sent.find_last_of(' ');
        return sent.substr(blank + 1, sent.find_last_not_of("\r\n") - blank);
    };
    for (const auto* way : {"base 64", "plain", "a piece", "bye"}) {
        CAPTURE(way);
        Rig rig(1);
        rig.grants.tokens["c1"] = token;
        const auto tls = net_test::server_tls(rig.provider.authority().issue({}));
        const auto echo = [&](net_test::TlsSocket& stream) {
            const auto say = [&stream](const std::string& line) {
                boost::asio::write(stream, boost::asio::buffer(line + "\r\n"));
            };
            say("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hello");
            std::string said;
            boost::system::error_code ended;
            while (!ended) {
                const auto bytes = boost::asio::read_until(stream, boost::asio::dynamic_buffer(said), "\r\n", ended);
                if (ended) return;
                const auto line = said.substr(0, bytes);
                said.erase(0, bytes);
                const auto tag = line.substr(0, line.find(' '));
                if (line.find("AUTHENTICATE") == std::string::npos) {
                    say(tag + " OK bye");
                    continue;
                }
                const std::string words = way == std::string("base 64")   ? spoken(line)
                                          : way == std::string("plain")   ? "x" + token + "x"
                                          : way == std::string("a piece") ? token.substr(5, 20)
                                                                          : token;
                if (way == std::string("bye")) say("* BYE no to " + words);
                say(tag + " NO what is " + words);
            }
        };
        net_test::Peer peer(net_test::over_tls(tls, echo), "127.0.0.1", 0, 3);
        rig.plan.providers["rig"].imap->port = peer.port();
        const auto report = rig.check();
        INFO(fmt::format("{}", fmt::join(ids_of(report), " ")));
        REQUIRE(report.mailboxes[0].worst == Severity::fault);
        bool redacted = false;
        for (const auto& finding : report.findings) {
            redacted = redacted || finding.got.find("<redacted>") != std::string::npos;
            for (std::size_t at = 0; at + 16 <= token.size(); ++at) {
                CHECK(finding.got.find(token.substr(at, 16)) == std::string::npos);
            }
            CHECK(finding.got.find(base64_encoded(token).substr(4, 24)) == std::string::npos);
        }
        CHECK(redacted);
    }
}

TEST_CASE("check: an id that is not there, and too many at once", "[doctor]") {
    Rig rig(1);
    CHECK_FALSE(rig.caller.result_of(rig.doctor->look("nothing", 1ms)));
    std::vector<std::string> running;
    for (std::size_t i = 0; i < Doctor::running_max; ++i) running.push_back(*rig.doctor->begin(rig.plan));
    CHECK_FALSE(rig.doctor->begin(rig.plan));
    for (const auto& id : running) CHECK(rig.caller.result_of(rig.doctor->look(id, 10s))->report);
    for (std::size_t i = 0; i < Doctor::kept_max; ++i) rig.check();  // the old ones go
    CHECK_FALSE(rig.caller.result_of(rig.doctor->look(running.front(), 1ms)));
}

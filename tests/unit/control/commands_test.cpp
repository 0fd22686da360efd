#include <catch2/catch.hpp>

#include <boost/json/parse.hpp>
#include <optional>

#include "engine/control/json.hpp"
#include "engine/control/routes.hpp"
#include "engine/submission/acceptance.hpp"
#include "engine/submission/record.hpp"
#include "engine/tokens/grant_record.hpp"
#include "queue/store/open.hpp"
#include "queue/store/shadows.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace control;

namespace {

constexpr std::string_view document = R"({
  "providers": [{"id": "rig", "token_url": "https://rig.test/token", "imap": {"host": "rig.test"}}],
  "credentials": [{"id": "r", "provider": "rig", "user": "r@rig.test", "flow": "refresh_token", "client_id": "app",
                   "refresh_token": {"value": "canary"}}],
  "mailboxes": [{"id": "a", "address": "a@rig.test", "credential": "r", "consumer": "api"},
                {"id": "b/c", "address": "b@rig.test", "credential": "r", "consumer": "dir"}],
  "consumers": [{"id": "api", "kind": "pull"}, {"id": "dir", "kind": "maildir", "path": "/mail"}]})";

/// A daemon that counts how often it was told to load again.
class CountingLive final : public Live {
public:
    [[nodiscard]] std::optional<MailboxState> mailbox(std::string_view id) const override {
        if (id != "a") return std::nullopt;
        MailboxState state;
        state.state = "idle";
        state.last_proof = WallTime{};
        runtime::Audit audit;
        audit.folders.push_back(
            {.folder = "INBOX", .on_server = 6, .before_start = 4, .unknown = 2, .not_compared = {}});
        state.audit = std::make_shared<const runtime::Audit>(std::move(audit));
        return state;
    }
    [[nodiscard]] std::vector<std::string> mailboxes_in(std::string_view state, std::string_view after,
                                                        std::size_t limit) const override {
        return state == "idle" && after < "a" && limit > 0 ? std::vector<std::string>{"a"} : std::vector<std::string>();
    }
    [[nodiscard]] std::optional<CredentialState> credential(const std::string& id) const override {
        const auto found = credentials.find(id);
        return found == credentials.end() ? std::nullopt : std::optional(found->second);
    }
    [[nodiscard]] Summary summary() const override {
        Summary summary;
        summary.expiring = expiring;
        return summary;
    }
    void changed() override { ++changes; }
    std::optional<WallTime> audit(const std::string& id) override {
        if (id != "a") return std::nullopt;
        audited.push_back(id);
        return WallTime{};
    }
    void look_again(std::int64_t mailbox_number) override { looks.push_back(mailbox_number); }
    void acknowledged(std::int64_t mailbox_number) override { acknowledgements.push_back(mailbox_number); }
    [[nodiscard]] std::string metrics() const override { return "rohrpost_up 1\n"; }
    awaitable<void> started() override {
        ++waited;
        co_return;
    }
    [[nodiscard]] std::string not_ready() const override { return waiting; }

    int changes = 0;
    std::vector<std::string> audited;
    std::vector<std::int64_t> looks, acknowledgements;
    std::vector<Expiring> expiring;
    std::map<std::string, CredentialState> credentials;
    std::string waiting;
    int waited = 0;  // for its start
};

/// A store and what commands need around it; the committer runs in steps, in this thread.
class House {
public:
    House() {
        auto opened = store::open_store(disk_, folder_.path(), {});
        REQUIRE(opened.has_value());
        REQUIRE(opened->store->begin().has_value());
        keyring_.emplace(*secrets::Keyring::open(folder_.path() / "key", *opened->store, random_));
        REQUIRE(opened->store->commit().has_value());
        lock_ = std::move(opened->lock);
        committer_.emplace(std::move(opened->store), std::move(opened->bodies), clock_, store::Committer::Options{});
        here.emplace(Surroundings{.committer = *committer_,
                                  .home = inbox_,
                                  .clock = clock_,
                                  .keyring = &*keyring_,
                                  .live = &live,
                                  .random = &random_,
                                  .api_token = &api_token});
    }

    Response call(std::string method, std::string target, std::string body = {}, From from = From::network) {
        Request request{
            .method = std::move(method), .target = std::move(target), .body = std::move(body), .from = from};
        return done(handle(*here, std::move(request)));
    }
    boost::json::object object(std::string method, std::string target, std::string body = {}) {
        const auto response = call(std::move(method), std::move(target), std::move(body));
        CAPTURE(response.body);
        REQUIRE(response.status == 200);
        return boost::json::parse(response.body).as_object();
    }
    /// Runs a coroutine to its end.
    template <class T>
    T done(awaitable<T> coroutine) {
        std::optional<T> result;
        context_.restart();
        asio::co_spawn(context_, std::move(coroutine), [&](const std::exception_ptr& thrown, T value) {
            REQUIRE_FALSE(thrown);
            result = std::move(value);
        });
        while (!result) {
            const bool stepped = committer_->step();
            const auto ran = context_.poll();
            context_.restart();
            if (stepped || ran > 0 || result) continue;
            const auto work = asio::make_work_guard(context_);  // the worker has something to do
            REQUIRE(context_.run_one_for(std::chrono::seconds(20)) > 0);
            context_.restart();
        }
        return std::move(*result);
    }
    template <class Work>
    auto commit(Work work) {
        return done(committer_->run(inbox_, std::move(work)));
    }
    /// Writes into the file that holds the bodies.
    void damage(std::uint64_t offset) {
        const auto file = disk_.open(folder_.path() / "segments/0000000000000001.seg", store::Disk::Mode::write);
        REQUIRE((*file)->write("XXX", offset));
    }
    /// Keeps a message in mailbox "a"; its id is thirty-two times the digit.
    void keep(unsigned char digit, const std::string& body) {
        auto work = [digit, body](store::Workbench bench) -> Result<store::Seq> {
            const auto mailbox = bench.store.mailbox("a");
            const auto folder = bench.store.folder(mailbox->number, "INBOX");
            const auto place = bench.bodies.append(body);
            store::Message message;
            message.mailbox = mailbox->number;
            message.folder = folder->number;
            message.uid_validity = 1;
            message.uid = digit;
            message.id.fill(static_cast<unsigned char>(digit * 0x11));
            message.body = *place;
            const auto added = bench.store.add_message(message);
            if (!added) return added.error();
            return added->seq;
        };
        REQUIRE(done(committer_->run(inbox_, std::move(work))).has_value());
    }

    /// The grant of credential "r".
    void keep_grant(const tokens::GrantRecord& record, const std::string& state = "usable") {
        store::Grant row;
        row.credential = "r";
        row.generation = 1;
        row.sealed = keyring_->seal("r", "grant", tokens::encoded(record));
        row.access_expires_at = store::Millis(std::chrono::seconds(3600));
        row.state = state;
        row.reason = state == "usable" ? "" : "the provider says no";
        REQUIRE(commit([row](store::Workbench bench) { return bench.store.put_grant(row); }).has_value());
    }

    CountingLive live;
    ApiToken api_token;
    std::optional<Surroundings> here;

private:
    TemporaryDirectory folder_;
    SystemClock clock_;
    SystemRandom random_;
    store::SystemDisk disk_;
    std::unique_ptr<store::File> lock_;
    std::optional<secrets::Keyring> keyring_;
    asio::io_context context_{1};
    queue::Inbox inbox_{context_.get_executor()};
    std::optional<store::Committer> committer_;
};

std::string id_with(char digit) { return std::string(32, digit); }

}  // namespace

TEST_CASE("an import through the API takes effect once and tells the daemon", "[control]") {
    House house;
    std::string sound(document);
    sound.replace(sound.find("b/c"), 3, "b.c");
    const auto first = house.object("PUT", "/v1/configuration", sound);
    CHECK(first.at("changed").at("mailboxes").as_int64() == 2);
    CHECK(house.live.changes == 1);
    const auto exported = house.call("GET", "/v1/configuration");
    CHECK_THAT(exported.body, !Catch::Contains("canary"));
    CHECK(house.object("PUT", "/v1/configuration", exported.body).at("changed").at("mailboxes").as_int64() == 0);
}

TEST_CASE("an import with faults changes nothing and names each key", "[control]") {
    House house;
    const auto response = house.call("PUT", "/v1/configuration", std::string(document));
    CHECK(response.status == 422);
    const auto answer = boost::json::parse(response.body).as_object();
    CHECK(answer.at("faults").at(0).at("path").as_string() == "mailboxes[1].id");
    CHECK(house.live.changes == 0);
    CHECK(house.object("GET", "/v1/mailboxes").at("mailboxes").as_array().empty());
    CHECK_THAT(response.body, !Catch::Contains("canary"));
}

namespace {

/// A house with what `document` holds, mended.
struct Furnished : House {
    Furnished() {
        std::string sound(document);
        sound.replace(sound.find("b/c"), 3, "b.c");
        object("PUT", "/v1/configuration", sound);
        live.changes = 0;
    }
};

}  // namespace

TEST_CASE("which programs are run is said through the control socket alone", "[control][hostile-54]") {
    House house;
    const std::string runs = R"({"consumers": [{"id": "p", "kind": "command", "program": ["/bin/true"]}]})";
    const auto network = house.call("PUT", "/v1/configuration", runs);
    CHECK(network.status == 403);
    CHECK_THAT(network.body, Catch::Contains("rohrpost import"));
    CHECK(house.call("PUT", "/v1/configuration", runs, From::owner).status == 200);
    const std::string doubled =
        R"({"consumers": [], "consumers": [{"id": "q", "kind": "command", "program": ["/x"]}]})";
    CHECK(house.call("PUT", "/v1/configuration", doubled).status == 403);
}

TEST_CASE("an export with secrets has the refresh token that works now, and leaves for the owner alone",
          "[control][hostile-50]") {
    Furnished house;
    constexpr auto open = "/v1/configuration?secrets=open";
    const auto network = house.call("GET", open);
    CHECK(network.status == 403);
    CHECK_THAT(network.body, !Catch::Contains("canary"));
    CHECK(house.call("GET", "/v1/configuration?secrets=yes", "", From::owner).status == 400);
    CHECK(house.call("PUT", open, std::string(document), From::owner).status == 400);
    const auto refresh_token = [&house] {
        const auto response = house.call("GET", open, "", From::owner);
        CAPTURE(response.body);
        REQUIRE(response.status == 200);
        const auto credential = boost::json::parse(response.body).at("credentials").at(0);
        return std::string(credential.at("refresh_token").at("value").as_string());
    };
    CHECK(refresh_token() == "canary");

    tokens::GrantRecord grant;
    grant.refresh_token = Secret("rotated");
    grant.seed = tokens::seed_of(Secret("canary"));
    house.keep_grant(grant);
    CHECK(refresh_token() == "rotated");
    CHECK_THAT(house.call("GET", "/v1/configuration", "", From::owner).body, !Catch::Contains("rotated"));

    // What is taken in again is the same grant, and still is when it rotates further.
    const auto exported = house.call("GET", open, "", From::owner).body;
    house.object("PUT", "/v1/configuration", exported);
    CHECK(house.object("GET", "/v1/credentials/r").at("state").as_string() == "current");
    CHECK(house.call("GET", open, "", From::owner).body == exported);

    grant.seed = tokens::seed_of(Secret("an older one"));
    grant.refresh_token = Secret("of the older one");
    house.keep_grant(grant);
    CHECK(refresh_token() == "rotated");

    const auto spoilt = [](store::Workbench bench) {
        store::Grant row;
        row.credential = "r";
        row.generation = 2;
        row.sealed = "x";
        row.state = "usable";
        return bench.store.put_grant(row);
    };
    REQUIRE(house.commit(spoilt).has_value());
    const auto unreadable = house.call("GET", open, "", From::owner);
    CHECK(unreadable.status == 500);
    CHECK_THAT(unreadable.body, Catch::Contains("r: grant: "));
}

TEST_CASE("an export has a grant that came with a sign-in, which no import brought", "[control]") {
    House house;
    std::string signed_in(document);
    signed_in.replace(signed_in.find("b/c"), 3, "b.c");
    const std::string_view imported = R"("flow": "refresh_token", "client_id": "app",
                   "refresh_token": {"value": "canary"})";
    signed_in.replace(signed_in.find(imported), imported.size(), R"("flow": "device_code", "client_id": "app")");
    signed_in.replace(signed_in.find(R"("token_url")"), 0, R"("device_url": "https://rig.test/device", )");
    house.object("PUT", "/v1/configuration", signed_in);
    constexpr auto open = "/v1/configuration?secrets=open";
    CHECK_THAT(house.call("GET", open, "", From::owner).body, !Catch::Contains("\"refresh_token\":{"));
    tokens::GrantRecord grant;
    grant.refresh_token = Secret("of the sign-in");
    house.keep_grant(grant);
    const auto exported = house.call("GET", open, "", From::owner).body;
    CHECK(boost::json::parse(exported).at("credentials").at(0).at("refresh_token").at("value").as_string() ==
          "of the sign-in");
    House elsewhere;
    elsewhere.object("PUT", "/v1/configuration", exported);
    CHECK(elsewhere.call("GET", open, "", From::owner).body == exported);
}

TEST_CASE("mailboxes are listed in pages, with their session's state", "[control]") {
    Furnished house;
    const auto first = house.object("GET", "/v1/mailboxes?limit=1");
    CHECK(first.at("mailboxes").at(0).at("id").as_string() == "a");
    CHECK(first.at("mailboxes").at(0).at("state").as_string() == "idle");
    CHECK(first.at("next").as_string() == "a");
    const auto second = house.object("GET", "/v1/mailboxes?limit=1&after=a");
    CHECK(second.at("mailboxes").at(0).at("id").as_string() == "b.c");
    CHECK(second.at("mailboxes").at(0).at("state").as_string() == "not served");
    CHECK_FALSE(second.contains("next"));
}

TEST_CASE("a mailbox is audited by the daemon that serves it, and shows what came of it", "[control][audit]") {
    Furnished house;
    house.here->live = nullptr;
    CHECK(house.call("POST", "/v1/mailboxes/a/audit").status == 503);
    house.here->live = &house.live;
    const auto asked = house.call("POST", "/v1/mailboxes/a/audit");
    CHECK(asked.status == 202);
    CHECK(asked.body.find(R"("asked_at":"1970-01-01T00:00:00.000Z")") != std::string::npos);
    CHECK(house.live.audited == std::vector<std::string>{"a"});
    CHECK(house.call("POST", "/v1/mailboxes/b.c/audit").status == 409);  // not served
    CHECK(house.call("POST", "/v1/mailboxes/nobody/audit").status == 404);
    CHECK(house.call("GET", "/v1/mailboxes/a/audit").status == 405);
    CHECK(house.call("POST", "/v1/mailboxes/a/audit?reason=x").status == 400);
    house.object("POST", "/v1/mailboxes/a/pause");
    CHECK(house.call("POST", "/v1/mailboxes/a/audit").status == 409);
    const auto shown = house.object("GET", "/v1/mailboxes/a");
    CHECK(shown.at("unaccounted") == 2);
    CHECK(shown.at("audit").at("folders").at(0).at("before_start") == 4);
    CHECK(shown.at("audit").at("folders").at(0).at("folder") == "INBOX");
}

TEST_CASE("a mailbox is paused, resumed and removed, and the daemon hears of it", "[control]") {
    Furnished house;
    house.object("POST", "/v1/mailboxes/a/pause?reason=on%20leave");
    CHECK(house.object("GET", "/v1/mailboxes/a").at("paused").as_string() == "on leave");
    house.object("POST", "/v1/mailboxes/a/resume");
    CHECK_FALSE(house.object("GET", "/v1/mailboxes/a").contains("paused"));
    house.object("DELETE", "/v1/mailboxes/a");
    CHECK(house.live.changes == 3);
    CHECK(house.call("GET", "/v1/mailboxes/a").status == 404);
    CHECK(house.call("DELETE", "/v1/mailboxes/nobody").status == 404);
    CHECK(house.call("POST", "/v1/mailboxes/nobody/pause").status == 404);
}

TEST_CASE("mailboxes of one state are listed from the daemon's own view", "[control]") {
    Furnished house;
    const auto idle = house.object("GET", "/v1/mailboxes?state=idle").at("mailboxes").as_array();
    REQUIRE(idle.size() == 1);
    CHECK(idle[0].at("id").as_string() == "a");
    CHECK(house.object("GET", "/v1/mailboxes?state=needs%20help").at("mailboxes").as_array().empty());
}

TEST_CASE("credentials are listed in pages with their state, and shown one by one", "[control]") {
    Furnished house;
    std::string more(document);
    more.replace(more.find("b/c"), 3, "b.c");
    more.insert(
        more.find("\"credentials\": [") + 16,
        R"({"id": "p", "provider": "rig", "user": "p@rig.test", "flow": "password", "password": {"value": "x"}},)");
    house.object("PUT", "/v1/configuration", more);
    const auto first = house.object("GET", "/v1/credentials?limit=1");
    CHECK(first.at("credentials").at(0).at("id").as_string() == "p");
    CHECK(first.at("credentials").at(0).at("state").as_string() == "current");
    CHECK(first.at("credentials").at(0).at("mailboxes").to_number<int>() == 0);
    CHECK(first.at("next").as_string() == "p");
    const auto second = house.object("GET", "/v1/credentials?limit=1&after=p");
    CHECK(second.at("credentials").at(0).at("id").as_string() == "r");
    CHECK(second.at("credentials").at(0).at("state").as_string() == "not asked yet");
    CHECK(second.at("credentials").at(0).at("mailboxes").to_number<int>() == 2);
    CHECK_FALSE(second.contains("next"));

    house.live.credentials["r"] = {.meaning = tokens::Meaning::retry,
                                   .reason = "rig.test does not answer",
                                   .access_token_ends = {},
                                   .next_attempt = WallTime(std::chrono::seconds(60))};
    const auto waiting = house.object("GET", "/v1/credentials/r");
    CHECK(waiting.at("state").as_string() == "waiting");
    CHECK(waiting.at("reason").as_string() == "rig.test does not answer");
    CHECK(waiting.at("next_attempt").as_string() == "1970-01-01T00:01:00.000Z");
    CHECK_THAT(house.call("GET", "/v1/credentials/r").body, !Catch::Contains("canary"));

    house.live.expiring = {{"p", "client secret", WallTime(std::chrono::days(30)), 13, "make a new one"},
                           {"r", "certificate", WallTime(std::chrono::days(30)), 7, "upload a new one"}};
    const auto expiring = house.object("GET", "/v1/credentials/r").at("expiring").as_array();
    REQUIRE(expiring.size() == 1);
    CHECK(expiring.at(0).at("what").as_string() == "certificate");
    CHECK(expiring.at(0).at("days_left").to_number<int>() == 7);
    CHECK(house.object("GET", "/v1/credentials").at("credentials").at(0).at("expiring").as_array().size() == 1);
}

TEST_CASE("a credential tells who has signed in, unless another refresh token was imported since", "[control]") {
    Furnished house;
    tokens::GrantRecord grant;
    grant.refresh_token = Secret("canary-refresh");
    grant.access_token = Secret("canary-access");
    grant.seed = tokens::seed_of(Secret("canary"));
    grant.owner = {.tenant = "t", .object_id = "o", .user = "r@rig.test"};
    grant.signed_in_at = WallTime(std::chrono::seconds(60));
    house.keep_grant(grant, "usable");
    const auto current = house.object("GET", "/v1/credentials/r");
    CHECK(current.at("state").as_string() == "current");
    CHECK(current.at("signed_in").at("user").as_string() == "r@rig.test");
    CHECK(current.at("signed_in").at("at").as_string() == "1970-01-01T00:01:00.000Z");
    CHECK(current.at("access_token_ends").as_string() == "1970-01-01T01:00:00.000Z");
    CHECK_FALSE(current.contains("reason"));
    CHECK_THAT(house.call("GET", "/v1/credentials/r").body, !Catch::Contains("canary"));

    house.keep_grant(grant, "consent needed");
    const auto dead = house.object("GET", "/v1/credentials/r");
    CHECK(dead.at("state").as_string() == "sign-in needed");
    CHECK(dead.at("reason").as_string() == "the provider says no");
    CHECK_THAT(std::string(dead.at("advice").as_string()), Catch::Contains("r@rig.test must sign in"));

    grant.seed = tokens::seed_of(Secret("an older one"));
    house.keep_grant(grant, "usable");
    CHECK(house.object("GET", "/v1/credentials/r").at("state").as_string() == "not asked yet");
}

TEST_CASE("a new token of the API ends the old one, and the store keeps neither", "[control][hostile-50]") {
    Furnished house;
    CHECK_FALSE(house.api_token.admits(""));
    const auto made = [&house] { return std::string(house.object("POST", "/v1/api-token").at("token").as_string()); };
    const auto first = made();
    CHECK(first.size() == 43);
    CHECK(house.api_token.admits(first));
    CHECK_FALSE(house.api_token.admits(first.substr(1)));
    const auto generation = house.api_token.generation();
    const auto second = made();
    CHECK_FALSE(house.api_token.admits(first));
    CHECK(house.api_token.admits(second));
    CHECK(house.api_token.generation() != generation);
    const auto kept = house.commit([](store::Workbench bench) { return bench.store.meta(ApiToken::row); });
    REQUIRE(kept.has_value());
    REQUIRE(kept->has_value());
    CHECK(**kept == ApiToken::kept_of(second));
    CHECK((*kept)->find(second) == std::string::npos);
}

TEST_CASE("a pull consumer reads the oldest message until it acknowledges", "[control]") {
    Furnished house;
    CHECK(house.call("GET", "/v1/inbox/next").status == 204);
    house.keep(1, "Subject: one\r\n\r\nfirst");
    house.keep(2, "Subject: two\r\n\r\nsecond");
    const auto next = house.object("GET", "/v1/inbox/next");
    CHECK(next.at("id").as_string() == id_with('1'));
    CHECK(next.at("mailbox").as_string() == "a");
    CHECK(house.object("GET", "/v1/inbox").at("messages").as_array().size() == 2);
    const auto raw = house.call("GET", "/v1/messages/" + id_with('1') + "/raw");
    CHECK(raw.type == mail_type);
    CHECK(raw.body == "Subject: one\r\n\r\nfirst");
    CHECK(house.call("GET", "/v1/messages/" + id_with('1') + "/raw?offset=16").body == "first");
    CHECK(house.call("GET", "/v1/messages/" + id_with('1') + "/raw?offset=21").body.empty());
    house.object("POST", "/v1/messages/" + id_with('1') + "/acknowledge");
    CHECK(house.object("GET", "/v1/inbox/next").at("id").as_string() == id_with('2'));
    house.object("POST", "/v1/messages/" + id_with('1') + "/acknowledge");
    CHECK(house.object("GET", "/v1/inbox/next").at("id").as_string() == id_with('2'));
}

TEST_CASE("a message is viewed as JSON, and its parts are files to be saved", "[control]") {
    Furnished house;
    house.keep(
        1,
        "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n"
        "--b\r\nContent-Type: text/html; name=\"../a.html\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "PHNjcmlwdD4=\r\n--b--\r\n");
    const auto facts = house.object("GET", "/v1/messages/" + id_with('1'));
    CHECK(facts.at("id").as_string() == id_with('1'));
    CHECK(facts.at("mailbox").as_string() == "a");
    const auto& view = facts.at("view").as_object();
    CHECK(view.at("readable").as_bool());
    CHECK(view.at("subject").as_string() ==
          "Gr\xc3\xbc\xc3\x9f"
          "e");
    CHECK(view.at("text").as_string() == "text");
    CHECK(view.at("attachments").as_array().size() == 1);
    const auto part = house.call("GET", "/v1/messages/" + id_with('1') + "/parts/2");
    CHECK(part.status == 200);
    CHECK(part.type == "application/octet-stream");
    CHECK(part.body == "<script>");
    REQUIRE(part.headers.size() == 2);
    CHECK(part.headers[0].second == "attachment; filename=\"a.html\"");
    CHECK(house.call("GET", "/v1/messages/" + id_with('1') + "/parts/9").status == 404);
    CHECK(house.call("GET", "/v1/messages/" + id_with('1') + "/parts/x").status == 404);
    CHECK(house.call("GET", "/v1/messages/" + id_with('1') + "/pieces/1").status == 404);
    CHECK(house.call("GET", "/v1/messages/" + id_with('f')).status == 404);
    CHECK(house.call("GET", "/v1/messages/short").status == 404);
    CHECK(house.call("POST", "/v1/messages/" + id_with('1')).status == 405);
    CHECK(house.call("GET", "/v1/messages/" + id_with('1') + "?x=1").status == 400);
}

TEST_CASE("a message that cannot be taken apart says so, and its bytes are there", "[control]") {
    Furnished house;
    std::string mail = "Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (int part = 0; part < 3000; ++part) mail += "--b\r\n\r\n";
    house.keep(1, mail);
    const auto facts = house.object("GET", "/v1/messages/" + id_with('1'));
    CHECK_FALSE(facts.at("view").at("readable").as_bool());
    CHECK(facts.at("view").at("why").as_string() == "more than 2000 parts");
    CHECK(facts.at("view").at("subject").as_string() == "many");
    CHECK(house.call("GET", "/v1/messages/" + id_with('1') + "/raw").body == mail);
    house.damage(200);
    CHECK(house.call("GET", "/v1/messages/" + id_with('1')).status == 500);
}

TEST_CASE("a bounce names the submission that it is about, if it was accepted about when its mail was dated",
          "[control]") {
    Furnished house;
    const auto accepted_at = store::Millis(std::chrono::milliseconds(1'769'860'805'000));  // 2026-01-31T12:00:05Z
    auto accept = [accepted_at](store::Workbench bench) -> Result<store::SubmissionId> {
        store::SubmissionId last = 0;
        for (const char* mark : {"before", "themark", "behind"}) {
            store::Submission submission;
            submission.mailbox = bench.store.mailbox("a")->number;
            submission.accepted_at = accepted_at;
            submission.due = accepted_at;
            submission.expires_at = accepted_at + std::chrono::hours(48);
            submission.changed_at = accepted_at;
            submission.body = *bench.bodies.append("x");
            submission::Ticket ticket;
            ticket.mark = mark;
            submission.envelope = submission::encoded(ticket);
            const auto taken = bench.store.outbox().accept(submission);
            if (!taken) return taken.error();
            if (std::string_view(mark) == "themark") last = taken->id;
        }
        return last;
    };
    const auto id = house.commit(accept);
    REQUIRE(id.has_value());
    const auto bounce = [](std::string_view mark, std::string_view date) {
        return "Return-Path: <>\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\ngone\r\n--b\r\n"
               "Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b.test\r\nAction: failed\r\n"
               "--b\r\nContent-Type: message/rfc822\r\n\r\nX-Rohrpost-Submission: " +
               std::string(mark) + "\r\nDate: " + std::string(date) + "\r\n\r\n--b--\r\n";
    };
    house.keep(1, bounce("themark", "Sat, 31 Jan 2026 13:00:00 +0100"));
    house.keep(2, bounce("nobody", "Sat, 31 Jan 2026 13:00:00 +0100"));
    house.keep(3, bounce("themark", "Sat, 31 Jan 2026 18:00:00 +0100"));
    house.keep(4, bounce("themark", "Fri, 31 Dec 9999 23:00:00 -0100"));
    const auto about = [&](char digit) {
        const auto facts = house.object("GET", "/v1/messages/" + id_with(digit));
        CHECK(facts.at("view").at("is_bounce").as_bool());
        return facts.at("view").at("delivery_report").at("about").as_object();
    };
    CHECK(about('1').at("submission").as_string() == submission::id_text(*id));
    for (const char other : {'2', '3', '4'}) CHECK_FALSE(about(other).contains("submission"));
}

TEST_CASE("an acknowledgement out of order is refused, unless it is meant for all before", "[control]") {
    Furnished house;
    for (unsigned char digit = 1; digit <= 3; ++digit) house.keep(digit, "x");
    const auto refused = house.call("POST", "/v1/messages/" + id_with('2') + "/acknowledge");
    CHECK(refused.status == 409);
    CHECK_THAT(refused.body, Catch::Contains(id_with('1') + " comes first"));
    house.object("POST", "/v1/messages/" + id_with('2') + "/acknowledge?through=yes");
    CHECK(house.object("GET", "/v1/inbox/next").at("id").as_string() == id_with('3'));
}

TEST_CASE("only pull consumers have an inbox", "[control]") {
    Furnished house;
    CHECK(house.call("GET", "/v1/inbox?consumer=dir").status == 409);
    CHECK(house.call("GET", "/v1/inbox?consumer=nobody").status == 404);
    CHECK(house.call("GET", "/v1/inbox?mailbox=nobody").status == 404);
    CHECK(house.call("POST", "/v1/messages/" + id_with('f') + "/acknowledge").status == 404);
    CHECK(house.call("GET", "/v1/messages/short/raw").status == 404);
}

TEST_CASE("paths, methods and parameters that do not exist are refused", "[control]") {
    Furnished house;
    struct Case {
        std::string method, target;
        unsigned status;
    };
    const auto given = GENERATE(values<Case>({
        {"GET", "/", 404},
        {"GET", "/v1", 404},
        {"GET", "/v2/status", 404},
        {"GET", "/v1/status/more", 404},
        {"GET", "/v1/mailboxes/a/b/c", 404},
        {"GET", "no path", 400},
        {"GET", "/v1/status?x=1", 400},
        {"GET", "/v1/mailboxes?limit=many", 400},
        {"GET", "/v1/inbox?limit=1&limit=2", 400},
        {"POST", "/v1/messages/1/acknowledge?through=no", 400},
        {"POST", "/v1/status", 405},
        {"DELETE", "/v1/configuration", 405},
        {"GET", "/v1/mailboxes/a/pause", 405},
        {"GET", "/v1/credentials?limit=x", 400},
        {"GET", "/v1/credentials?other=1", 400},
        {"POST", "/v1/credentials", 405},
        {"PATCH", "/v1/credentials/r", 405},
        {"GET", "/v1/credentials/r?x=1", 400},
        {"GET", "/v1/credentials/nobody", 404},
        {"GET", "/v1/credentials/r/other", 404},
        {"GET", "/v1/credentials/r/authorize", 405},
        {"POST", "/v1/credentials/r/authorize?by=magic", 400},
        {"GET", "/v1/api-token", 405},
        {"GET", "/v1/mailboxes/a/shadow", 404},  // it is none
        {"GET", "/v1/mailboxes/nobody/shadow", 404},
        {"DELETE", "/v1/mailboxes/a/shadow", 405},
        {"GET", "/v1/mailboxes/a/shadow?limit=x", 400},
        {"GET", "/v1/mailboxes/a/shadow?from=2026-01-01", 400},
        {"GET", "/v1/mailboxes/a/shadow?since=yesterday", 400},
    }));
    CAPTURE(given.method, given.target);
    CHECK(house.call(given.method, given.target).status == given.status);
}

TEST_CASE("what another product missed is told in pages, by the server or by a list that is posted",
          "[control][shadow]") {
    House house;
    std::string shadowed(document);
    const std::string_view consumed = R"("consumer": "api"},)";
    shadowed.replace(shadowed.find(consumed), consumed.size(), R"("shadow": {"grace": "1m"}},)");
    shadowed.replace(shadowed.find("b/c"), 3, "b.c");
    house.object("PUT", "/v1/configuration", shadowed);
    CHECK(house.call("GET", "/v1/mailboxes/a/shadow").status == 503);  // nothing was observed so far
    const auto at = [](int minutes) { return store::Millis(std::chrono::minutes(28'000'000 + minutes)); };
    const auto observe = [at](store::Workbench bench) -> Result<void> {
        const auto mailbox = bench.store.mailbox("a");
        const auto folder = bench.store.folder(mailbox->number, "INBOX");
        auto& shadows = bench.store.shadows();
        const auto put = shadows.put_folder({.folder = folder->number,
                                             .mailbox = mailbox->number,
                                             .uid_validity = 7,
                                             .since = at(0),
                                             .looked_at = at(100),
                                             .unseen = 2});
        if (!put) return put;
        for (std::uint32_t uid = 1; uid < 6; ++uid) {
            store::ShadowMail mail;
            mail.mailbox = mailbox->number;
            mail.folder = folder->number;
            mail.uid_validity = 7;
            mail.uid = uid;
            mail.message_id = std::to_string(uid) + "@rig.test";
            mail.arrived_at = at(static_cast<int>(uid));
            if (uid == 5) mail.seen = store::ShadowEvent{at(5), at(5)};
            const auto added = shadows.add(mail);
            if (!added) return added.error();
        }
        return {};
    };
    REQUIRE(house.commit(observe).has_value());

    const auto first = house.object("GET", "/v1/mailboxes/a/shadow?limit=3");
    CHECK(first.at("by") == "server");
    CHECK(std::string(first.at("from").as_string()) == time_text(at(0)));
    CHECK(std::string(first.at("until").as_string()) == time_text(at(100)));
    CHECK(first.at("missed") == 4);
    CHECK(first.at("taken") == 1);
    CHECK(first.at("came_and_went") == 2);
    CHECK(first.at("rows").as_array().size() == 3);
    CHECK(first.at("next") == 3);
    const auto second = house.object("GET", "/v1/mailboxes/a/shadow?limit=3&after=3");
    REQUIRE(second.at("rows").as_array().size() == 1);
    CHECK(second.at("rows").at(0).at("message_id") == "<4@rig.test>");
    CHECK(second.at("rows").at(0).at("folder") == "INBOX");
    CHECK_FALSE(second.contains("next"));

    const auto listed =
        house.object("POST", "/v1/mailboxes/a/shadow", "<1@rig.test>\n<1@rig.test>\n2@rig.test\n5@rig.test\n");
    CHECK(listed.at("by") == "list");
    CHECK(listed.at("missed") == 2);
    CHECK(listed.at("doubled") == 1);
    const auto until =
        house.object("POST", "/v1/mailboxes/a/shadow?until=" + time_text(at(4)), "1@rig.test\n2@rig.test\n");
    CHECK(until.at("missed") == 1);
    CHECK(until.at("open") == 2);
    const auto wrong = house.call("POST", "/v1/mailboxes/a/shadow", "1@rig.test\n?? ??\n");
    CHECK(wrong.status == 400);
    CHECK_THAT(wrong.body, Catch::Contains("line 2"));
    CHECK(house.object("GET", "/v1/mailboxes/a").at("shadow").at("grace") == "1m");
    CHECK(house.call("POST", "/v1/mailboxes/a/audit").status == 409);
    CHECK(house.call("POST", "/v1/mailboxes/a/backfill?from=2020-01-01").status == 422);
}

TEST_CASE("probes say whether the daemon works", "[control]") {
    Furnished house;
    CHECK(house.call("GET", "/metrics").body == "rohrpost_up 1\n");
    CHECK(house.call("GET", "/healthz").status == 200);
    CHECK(house.call("GET", "/readyz").status == 200);
    house.live.waiting = "still loading";
    CHECK(house.call("GET", "/readyz").body == "still loading\n");
    CHECK(house.call("GET", "/readyz").status == 503);
    CHECK(house.object("GET", "/v1/status").at("store").at("mailboxes").as_int64() == 2);
}

TEST_CASE("a call that comes before the daemon knows its mailboxes waits, a probe does not", "[control]") {
    Furnished house;
    house.live.waited = 0;
    for (const auto* probe : {"/metrics", "/healthz", "/readyz"}) house.call("GET", probe);
    CHECK(house.live.waited == 0);
    house.call("GET", "/v1/mailboxes");
    house.call("POST", "/v1/credentials/r/authorize?by=browser");
    CHECK(house.live.waited == 2);
}

TEST_CASE("no API token begins like a flag", "[control]") {
    support::SeededRandom random;
    for (int i = 0; i < 500; ++i) {
        const Secret token = ApiToken::fresh(random);
        CHECK(token.reveal().size() == 43);
        CHECK(token.reveal().front() != '-');
    }
}

TEST_CASE("message ids are thirty-two hexadecimal digits", "[control]") {
    store::Digest id{};
    id[0] = 0xab;
    CHECK(id_text(id) == "ab000000000000000000000000000000");
    CHECK(id_of(id_text(id)) == id);
    CHECK_FALSE(id_of("ab"));
    CHECK_FALSE(id_of(std::string(32, 'x')));
    CHECK_FALSE(id_of("+b000000000000000000000000000000"));
    CHECK(time_text(WallTime(std::chrono::milliseconds(1'500))) == "1970-01-01T00:00:01.500Z");
}

TEST_CASE("what was set aside is shown with its mailbox and counted in the status", "[control][hostile-58]") {
    Furnished house;
    house.keep(1, "Subject: one\r\n\r\nfirst");
    CHECK_FALSE(house.object("GET", "/v1/mailboxes/a").contains("set_aside"));
    REQUIRE(house.commit([](store::Workbench bench) {
        const auto mailbox = bench.store.mailbox("a");
        return bench.store.set_aside(
            {.consumer = "api", .mailbox = mailbox->number, .seq = 1, .at = {}, .reason = "its bytes are damaged"});
    }));
    const auto shown = house.object("GET", "/v1/mailboxes/a").at("set_aside").as_array();
    REQUIRE(shown.size() == 1);
    CHECK(shown[0].at("id").as_string() == id_with('1'));
    CHECK(shown[0].at("consumer").as_string() == "api");
    CHECK(shown[0].at("reason").as_string() == "its bytes are damaged");
    CHECK(house.object("GET", "/v1/status").at("store").at("set_aside").to_number<int>() == 1);
}

TEST_CASE("a reader of a pull consumer is told that a message is damaged, and gets past it", "[control][hostile-58]") {
    Furnished house;
    house.keep(1, "Subject: one\r\n\r\nfirst");
    house.keep(2, "Subject: two\r\n\r\nsecond");
    house.damage(40);
    const auto raw = house.call("GET", "/v1/messages/" + id_with('1') + "/raw");
    CHECK(raw.status == 500);
    CHECK(raw.body.find("damaged") != std::string::npos);
    CHECK(raw.body.find("acknowledge") != std::string::npos);
    const auto aside = house.object("GET", "/v1/mailboxes/a").at("set_aside").as_array();
    REQUIRE(aside.size() == 1);  // so that nothing removes the server's copy
    CHECK(aside[0].at("id").as_string() == id_with('1'));
    CHECK(house.call("GET", "/v1/messages/" + id_with('1') + "/raw").status == 500);
    house.object("POST", "/v1/messages/" + id_with('1') + "/acknowledge");
    CHECK(house.call("GET", "/v1/messages/" + id_with('2') + "/raw").body == "Subject: two\r\n\r\nsecond");
}

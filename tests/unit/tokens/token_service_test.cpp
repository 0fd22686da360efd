#include "tests/unit/tokens/fixture.hpp"

using namespace tokens_test;

TEST_CASE("ten thousand who ask at once lead to one request", "[tokens][hostile-48]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.slow = true;
    world.endpoint.replies = {gives("a1", "r1")};
    std::vector<std::optional<TokenAnswer>> answers(10'000);
    for (std::size_t i = 0; i < answers.size(); ++i) run.begin(answers, i);
    run.settle();
    CHECK(world.endpoint.asked == std::vector<std::string>{"r0"});
    REQUIRE(world.endpoint.gates.size() == 1);
    world.endpoint.gates[0]->wake();
    run.settle();
    for (const auto& answer : answers) {
        REQUIRE(answer.has_value());
        const auto* token = std::get_if<Token>(&*answer);
        REQUIRE(token != nullptr);
        CHECK(token->secret.reveal() == "a1");
        CHECK(token->user == "svc@contoso.com");
    }
    CHECK(world.endpoint.asked.size() == 1);
    CHECK(run.service->stats().requests == 1);
}

TEST_CASE("nobody gets a token before its refresh token is durable", "[tokens][hostile-47]") {
    World world;
    {
        Run run(world);
        run.import("refresh_token", "r0");
        world.endpoint.replies = {gives("a1", "r1")};
        run.access();
        world.clock.passed += 3600s;
        world.endpoint.replies = {gives("a2", "r2")};
        std::vector<std::optional<TokenAnswer>> answers(1);
        run.begin(answers, 0);
        run.store_works = false;
        run.settle();
        CHECK(world.endpoint.asked == std::vector<std::string>{"r0", "r1"});
        CHECK_FALSE(answers[0].has_value());
        run.store_works = true;
        run.settle();
        REQUIRE(answers[0].has_value());
        const auto kept = run.stored_grant();
        REQUIRE(kept.has_value());
        CHECK(kept->refresh_token.reveal() == "r2");
        CHECK(kept->previous.reveal() == "r1");
        CHECK(kept->access_token.reveal() == "a2");
    }
    Run restarted(world);
    CHECK(restarted.access() == "a2");
    CHECK(world.endpoint.asked.size() == 2);
}

TEST_CASE("a crash between the answer and the store leaves the old refresh token, which is used again",
          "[tokens][hostile-47]") {
    World world;
    TemporaryDirectory before;
    const auto save_disk = [&world, &before] {
        std::filesystem::copy(
            world.directory.path(), before.path(),
            std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
    };
    {
        Run run(world);
        run.import("refresh_token", "r0");
        world.endpoint.replies = {gives("a1", "r1")};
        run.access();
        world.clock.passed += 3600s;
        world.endpoint.replies = {gives("a2", "r2")};
        std::vector<std::optional<TokenAnswer>> answers(1);
        run.begin(answers, 0);
        run.store_works = false;
        run.settle();
        CHECK_FALSE(answers[0].has_value());
        save_disk();  // the power goes here
    }
    std::filesystem::remove_all(world.directory.path());
    std::filesystem::copy(before.path(), world.directory.path(), std::filesystem::copy_options::recursive);
    world.endpoint.asked.clear();
    world.endpoint.replies = {gives("a3", "r3")};
    Run restarted(world);
    CHECK(restarted.access() == "a3");
    CHECK(world.endpoint.asked == std::vector<std::string>{"r1"});
}

TEST_CASE("when the newest refresh token is refused, the one before it is tried once", "[tokens][hostile-47]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1", "r1")};
    CHECK(run.access() == "a1");
    world.endpoint.replies = {refuses(400, "invalid_grant"), gives("a2", "r2")};
    run.pass(3600s);
    CHECK(run.access() == "a2");
    CHECK(world.endpoint.asked == std::vector<std::string>{"r0", "r1", "r0"});
    CHECK(run.stored_grant()->refresh_token.reveal() == "r2");
    world.endpoint.replies = {refuses(400, "invalid_grant"), refuses(400, "invalid_grant")};
    run.pass(3600s);
    CHECK(run.none().person_needed);
    CHECK(run.service->states().front().state == Meaning::consent_needed);
}

TEST_CASE("importing the refresh token that a grant has come to changes nothing", "[tokens]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1", "r1")};
    CHECK(run.access() == "a1");
    run.import("refresh_token", "r1");
    run.service->set_accounts(run.accounts);
    CHECK(run.access() == "a1");
    CHECK(world.endpoint.asked == std::vector<std::string>{"r0"});
    world.endpoint.replies = {gives("a2", "r2")};
    run.pass(3600s);
    CHECK(run.access() == "a2");
    run.service->set_accounts(run.accounts);
    CHECK(run.access() == "a2");  // and not with r1 from the start
    CHECK(world.endpoint.asked == std::vector<std::string>{"r0", "r1"});
}

TEST_CASE("a token is asked for anew only shortly before its end", "[tokens]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1"), gives("a2")};
    CHECK(run.access() == "a1");
    run.pass(2690s);
    CHECK(run.access() == "a1");
    CHECK(world.endpoint.asked.size() == 1);
    run.pass(400s);
    CHECK(run.access() == "a2");
    CHECK(world.endpoint.asked == std::vector<std::string>{"r0", "r0"});
}

TEST_CASE("a token that is in use gets its successor in time, without anybody asking", "[tokens]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1", "r1"), gives("a2", "r2")};
    CHECK(run.access() == "a1");
    PublishedReader reader(run.service->published("svc"));
    REQUIRE(reader.current() != nullptr);
    CHECK(reader.current()->secret.reveal() == "a1");
    run.pass(2699s);
    CHECK(world.endpoint.asked.size() == 1);
    run.pass(301s);  // 600 s before its end at the latest
    CHECK(world.endpoint.asked.size() == 2);
    REQUIRE(reader.current() != nullptr);
    CHECK(reader.current()->secret.reveal() == "a2");

    // Nobody logs in with it: it ends, and no other is asked for.
    run.pass(3500s);
    REQUIRE(reader.current() != nullptr);
    run.pass(100s);
    CHECK(reader.current() == nullptr);
    CHECK(world.endpoint.asked.size() == 2);
}

TEST_CASE("a token that sessions log in with counts as in use", "[tokens]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.endless = true;
    world.endpoint.replies = {gives("a")};
    run.access();
    for (std::size_t hour = 1; hour <= 5; ++hour) {
        run.pass(3000s);
        CHECK(world.endpoint.asked.size() == hour + 1);
        run.client->accepted("svc", run.generation());
        run.settle();
    }
}

TEST_CASE("after a failure the next attempt is made by itself, and a token never stays published beyond its end",
          "[tokens][hostile-46]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1"), refuses(503), refuses(503), gives("a2")};
    CHECK(run.access() == "a1");
    PublishedReader reader(run.service->published("svc"));
    run.pass(3000s);
    CHECK(world.endpoint.asked.size() == 2);
    CHECK(reader.current()->secret.reveal() == "a1");
    run.pass(5s);
    run.pass(10s);
    CHECK(reader.current()->secret.reveal() == "a2");
    world.endpoint.endless = true;
    world.endpoint.replies = {refuses(503)};
    run.client->accepted("svc", run.generation());
    run.settle();
    for (int minute = 0; minute < 61; ++minute) run.pass(60s);
    CHECK(reader.current() == nullptr);
    CHECK(world.endpoint.asked.size() > 5);
}

TEST_CASE("grants that expire in the same second are refreshed spread over minutes, each once",
          "[tokens][hostile-48]") {
    World world;
    Run run(world);
    constexpr std::size_t grants = 10'000;
    std::vector<Account> accounts;
    for (std::size_t i = 0; i < grants; ++i)
        accounts.push_back(account_of("c" + std::to_string(i), config::Flow::client_credentials));
    run.service->set_accounts(accounts);
    world.endpoint.endless = true;
    world.endpoint.replies = {gives("a")};
    std::vector<std::optional<TokenAnswer>> answers(grants);
    for (std::size_t i = 0; i < grants; ++i) run.begin(answers, i, accounts[i].credential.id);
    run.settle();
    REQUIRE(world.endpoint.asked.size() == grants);
    run.pass(2699s);
    CHECK(world.endpoint.asked.size() == grants);
    std::size_t before = grants, busiest = 0;
    for (int second = 0; second < 302; ++second) {
        run.pass(1s);
        busiest = std::max(busiest, world.endpoint.asked.size() - before);
        before = world.endpoint.asked.size();
    }
    CHECK(before == 2 * grants);
    CHECK(busiest <= 2 * grants / 300);
}

TEST_CASE("trouble at the provider never harms a grant, the old token serves until its real end",
          "[tokens][hostile-46]") {
    const auto trouble = GENERATE(0, 429, 500, 503, 200, 403);
    CAPTURE(trouble);
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1", "r1")};
    CHECK(run.access() == "a1");
    world.endpoint.replies = {refuses(trouble)};
    world.endpoint.endless = true;
    run.pass(3100s);
    CHECK(run.access() == "a1");
    CHECK(run.access() == "a1");
    CHECK(world.endpoint.asked.size() == 2);  // the pause holds, however often one asks
    for (int i = 0; i < 49; ++i) {
        run.pass(10s);
        CHECK(run.access() == "a1");
    }
    CHECK(world.endpoint.asked.size() < 12);
    run.pass(10s);
    const auto none = run.none();
    CHECK_FALSE(none.person_needed);
    REQUIRE(none.retry_at);
    CHECK(*none.retry_at > world.clock.wall());
    CHECK(none.reason.find("the server's words") != std::string::npos);
    CHECK(run.stored_state() == "usable");
    world.endpoint.replies = {gives("a2", "r2")};
    run.pass(600s);
    CHECK(run.access() == "a2");
}

TEST_CASE("an empty token, or one that ends before it arrives, is no reason to ask on and on", "[tokens][hostile-46]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.endless = true;
    world.endpoint.replies = {gives("")};
    CHECK(run.none().retry_at.has_value());
    CHECK(world.endpoint.asked.size() == 1);
    world.endpoint.slow = true;
    world.endpoint.replies = {gives("a1", "", 1s)};
    run.pass(10s);
    std::vector<std::optional<TokenAnswer>> answers(1);
    run.begin(answers, 0);
    run.settle();
    run.pass(2s);
    world.endpoint.gates.back()->wake();
    run.settle();
    CHECK(answers[0].has_value());
    CHECK(world.endpoint.asked.size() == 2);
}

TEST_CASE("Retry-After is respected", "[tokens][hostile-46]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {refuses(429, "", 120s), gives("a1")};
    CHECK(*run.none().retry_at >= world.clock.wall() + 120s);
    run.pass(119s);
    CHECK_FALSE(run.none().person_needed);
    CHECK(world.endpoint.asked.size() == 1);
    run.pass(31s);
    CHECK(run.access() == "a1");
}

TEST_CASE("a dead grant waits for a new import, also across a restart", "[tokens]") {
    World world;
    {
        Run run(world);
        run.import("refresh_token", "r0");
        world.endpoint.replies = {gives("a1"), refuses(400, "invalid_grant")};
        CHECK(run.access() == "a1");
        run.pass(3100s);
        CHECK(run.access() == "a1");  // still good for a while
        run.pass(500s);
        const auto none = run.none();
        CHECK(none.person_needed);
        CHECK_FALSE(none.retry_at);
        CHECK(run.stored_state() == "consent needed");
    }
    Run run(world);
    CHECK(run.none().person_needed);
    run.pass(24h);
    CHECK(run.none().reason.find("the server's words") != std::string::npos);
    run.import("refresh_token", "r0");  // the same document again changes nothing
    run.service->set_accounts(run.accounts);
    CHECK(run.none().person_needed);
    CHECK(world.endpoint.asked.size() == 2);

    run.import("refresh_token", "r9");
    run.service->set_accounts(run.accounts);
    world.endpoint.replies = {gives("a9", "r10")};
    CHECK(run.access() == "a9");
    CHECK(world.endpoint.asked.back() == "r9");
    CHECK(run.stored_state() == "usable");
}

TEST_CASE("importing the same again keeps the rotated refresh token", "[tokens]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1", "r1"), gives("a2", "r2")};
    CHECK(run.access() == "a1");
    run.import("refresh_token", "r0");
    run.service->set_accounts(run.accounts);
    CHECK(run.access() == "a1");
    run.pass(3100s);
    CHECK(run.access() == "a2");
    CHECK(world.endpoint.asked == std::vector<std::string>{"r0", "r1"});
}

TEST_CASE("a refused token is replaced once, however many report it", "[tokens]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1"), gives("a2")};
    CHECK(run.access() == "a1");
    const auto first = run.generation();
    for (int i = 0; i < 100; ++i) run.client->rejected("svc", first);
    CHECK(run.access() == "a2");
    for (int i = 0; i < 100; ++i) run.client->rejected("svc", first);  // late ones
    CHECK(run.access() == "a2");
    CHECK(world.endpoint.asked.size() == 2);
    CHECK(run.service->stats().forced == 1);
}

TEST_CASE("when a fresh token is refused as well, the operator must act, and it is tried again later", "[tokens]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1"), gives("a2"), gives("a3"), gives("a4")};
    run.access();
    run.client->rejected("svc", run.generation());
    CHECK(run.access() == "a2");
    run.client->rejected("svc", run.generation());
    const auto none = run.none();
    CHECK(none.person_needed);
    CHECK(none.reason == "the mail server refuses even a fresh token of svc");
    REQUIRE(none.retry_at);
    CHECK(*none.retry_at == world.clock.wall() + parked_for);
    CHECK(run.stored_state() == "operator must act");
    CHECK(world.endpoint.asked.size() == 2);
    run.pass(parked_for);
    CHECK(run.access() == "a3");
    run.client->rejected("svc", run.generation());
    CHECK(run.none().person_needed);
    CHECK(world.endpoint.asked.size() == 3);
}

TEST_CASE("a token that servers end again and again is replaced each time, once for all sessions", "[tokens]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1"), gives("a2"), gives("a3")};
    CHECK(run.access() == "a1");
    for (const char* next : {"a2", "a3"}) {
        const auto ended = run.generation();
        run.client->accepted("svc", ended);
        for (int i = 0; i < 100; ++i) run.client->expired("svc", ended);
        CHECK(run.access() == next);
        for (int i = 0; i < 100; ++i) run.client->expired("svc", ended);  // late ones
        CHECK(run.access() == next);
        run.pass(30s);
    }
    CHECK(world.endpoint.asked.size() == 3);
}

TEST_CASE("a mailbox that is refused with a token others get in with does not park the credential", "[tokens]") {
    World world;
    Run run(world);
    run.import("refresh_token", "r0");
    world.endpoint.replies = {gives("a1"), gives("a2")};
    run.access();
    run.client->rejected("svc", run.generation());
    CHECK(run.access() == "a2");
    run.client->accepted("svc", run.generation());
    run.client->rejected("svc", run.generation());
    CHECK(run.access() == "a2");
    CHECK(world.endpoint.asked.size() == 2);
}

TEST_CASE("a password is given out as it is, and parked when it is refused", "[tokens]") {
    World world;
    Run run(world, config::Flow::password);
    run.import("password", "open sesame");
    auto answer = run.token();
    REQUIRE(std::holds_alternative<Token>(answer));
    CHECK(std::get<Token>(answer).kind == Token::Kind::password);
    CHECK(run.access() == "open sesame");
    run.client->rejected("svc", run.generation());
    CHECK(run.none().reason == "the mail server refuses the password of svc");
    run.import("password", "new one");
    run.service->set_accounts(run.accounts);
    CHECK(run.access() == "new one");
    run.client->rejected("svc", run.generation());
    CHECK(run.none().person_needed);
    run.pass(parked_for);
    CHECK(run.access() == "new one");
    CHECK(world.endpoint.asked.empty());
}

TEST_CASE("what cannot work has a reason: no such credential, no refresh token, a foreign key", "[tokens]") {
    World world;
    Run run(world);
    auto unknown = run.token("nobody");
    REQUIRE(std::holds_alternative<NoToken>(unknown));
    CHECK(std::get<NoToken>(unknown).reason == "there is no credential named nobody");
    CHECK(run.none().reason == "credential svc has no refresh token: authorize it, or import one");
    REQUIRE(run.commit(
        [](store::Workbench bench) { return bench.store.put_secret("svc", "refresh_token", "not sealed at all"); }));
    run.service->set_accounts(run.accounts);
    CHECK(run.none().reason.starts_with("cannot read the secrets of svc: "));
    CHECK(run.none().person_needed);
    CHECK(world.endpoint.asked.empty());
}

TEST_CASE("client credentials need no refresh token", "[tokens]") {
    World world;
    Run run(world, config::Flow::client_credentials);
    run.import("client_secret", "hush");
    world.endpoint.replies = {gives("a1"), refuses(401, "invalid_client")};
    CHECK(run.access() == "a1");
    run.pass(3600s);
    const auto none = run.none();
    CHECK(none.person_needed);
    REQUIRE(none.retry_at);
    CHECK(*none.retry_at >= world.clock.wall() + parked_for);
    CHECK(world.endpoint.asked == std::vector<std::string>{"", ""});
}

TEST_CASE("at most eight requests are under way at one host", "[tokens][hostile-48]") {
    World world;
    Run run(world);
    std::vector<Account> accounts;
    for (int i = 0; i < 50; ++i)
        accounts.push_back(account_of("c" + std::to_string(i), config::Flow::client_credentials));
    run.service->set_accounts(accounts);
    world.endpoint.slow = world.endpoint.endless = true;
    world.endpoint.replies = {gives("a")};
    std::vector<std::optional<TokenAnswer>> answers(accounts.size());
    for (std::size_t i = 0; i < accounts.size(); ++i) run.begin(answers, i, accounts[i].credential.id);
    run.settle();
    for (std::size_t i = 0; i < accounts.size(); ++i) {
        REQUIRE(world.endpoint.gates.size() > i);
        world.endpoint.gates[i]->wake();
        run.settle();
    }
    CHECK(world.endpoint.busiest == 8);
    for (const auto& answer : answers) CHECK(answer.has_value());
}

TEST_CASE("a grant reads back as it was written, and nothing else does", "[tokens]") {
    GrantRecord grant{.refresh_token = Secret("r\n1"),
                      .previous = Secret(""),
                      .access_token = Secret(std::string("a\0b", 3)),
                      .seed = "5eed",
                      .life = {.expires_at = WallTime(1'700'003'600s), .refresh_at = WallTime(1'700'003'000s)}};
    grant.owner = {"tid", "oid", "desk@contoso.com"};
    grant.signed_in_at = WallTime(1'700'000'001s);
    grant.refresh_token_at = WallTime(1'700'000'002s);
    const auto bytes = std::string(encoded(grant).reveal());
    const auto read = decoded(Secret(bytes));
    REQUIRE(read.has_value());
    CHECK(read->refresh_token.reveal() == "r\n1");
    CHECK(read->previous.empty());
    CHECK(read->access_token.reveal() == std::string("a\0b", 3));
    CHECK(read->seed == "5eed");
    CHECK(read->life.expires_at == grant.life.expires_at);
    CHECK(read->life.refresh_at == grant.life.refresh_at);
    for (std::size_t kept = 0; kept < bytes.size(); ++kept) {
        CHECK_FALSE(decoded(Secret(bytes.substr(0, kept))).has_value());
    }
    CHECK(read->owner.object_id == "oid");
    CHECK(read->owner.user == "desk@contoso.com");
    CHECK(read->signed_in_at == grant.signed_in_at);
    CHECK(read->refresh_token_at == grant.refresh_token_at);
    const auto before = decoded(Secret("grant 1\n2\nr11\np2\na11\n510\n170000000010\n1700000000"));
    REQUIRE(before.has_value());
    CHECK(before->refresh_token.reveal() == "r1");
    CHECK(before->owner.object_id.empty());
    CHECK_FALSE(decoded(Secret(bytes + "x")).has_value());
    CHECK_FALSE(decoded(Secret("grant 1\n99999999999999999999\nx")).has_value());
}

TEST_CASE("a wall clock that jumps costs at most a refresh: waits are monotonic, and the server's word ends a token",
          "[tokens][hostile-49]") {
    const auto jump = GENERATE(seconds(3600), seconds(-3600), seconds(1), seconds(31'536'000), seconds(-31'536'000));
    CAPTURE(jump.count());
    World world;
    Run run(world);
    run.import("refresh_token", "r1");
    world.endpoint.replies = {gives("a1"), gives("a2"), gives("a3")};
    REQUIRE(run.access() == "a1");
    const auto first = run.generation();
    world.clock.jumped += jump;
    const auto after = run.access();
    if (jump > 0s) CHECK(after == (jump > 30min ? "a2" : "a1"));
    if (jump < 0s) {
        // It looks good for longer than it is: until the server says that it has expired.
        CHECK(after == "a1");
        run.client->expired("svc", first);
        run.settle();
        CHECK(run.access() == "a2");
    }
    CHECK(world.endpoint.asked.size() <= 2);
}

TEST_CASE("a pause that the endpoint asks for is kept by the monotonic clock, however the wall clock jumps",
          "[tokens][hostile-49]") {
    const auto jump = GENERATE(seconds(3600), seconds(-3600));
    World world;
    Run run(world);
    run.import("refresh_token", "r1");
    world.endpoint.replies = {refuses(429, "", 60s), gives("a1")};
    CHECK(run.none().retry_at.has_value());
    world.clock.jumped += jump;
    run.pass(59s);
    const auto still = run.none();
    REQUIRE(still.retry_at.has_value());
    CHECK(*still.retry_at - world.clock.wall() <= 17s);  // of the 60 and a spread of a quarter
    CHECK(world.endpoint.asked.size() == 1);
    run.pass(17s);
    CHECK(run.access() == "a1");
}

TEST_CASE("where nobody signs in, a dead grant is the operator's and is tried again", "[tokens]") {
    World world;
    Run run(world, config::Flow::client_credentials);
    run.import("client_secret", "hush");
    world.endpoint.replies = {refuses(400, "invalid_grant"), gives("a1")};
    const auto none = run.none();
    CHECK(none.person_needed);
    REQUIRE(none.retry_at);
    run.pass(2 * parked_for);
    CHECK(run.access() == "a1");
}

/// What ends by itself is foretold, and refresh tokens do not die of disuse.

#include "engine/tokens/forecast.hpp"

#include "engine/tokens/expiry_watch.hpp"
#include "protocols/jose/private_key.hpp"
#include "tests/unit/jose/signer.hpp"
#include "tests/unit/tokens/fixture.hpp"

using namespace tokens_test;
using std::chrono::days;

TEST_CASE("operators are told 60, 30, 14, 7 and 1 days before the end, and at it", "[tokens]") {
    const WallTime now(1'700'000'000s);
    struct Row {
        WallTime::duration left;
        std::optional<int> warning;
        std::optional<WallTime::duration> until_next;
        int days;
    };
    const Row rows[] = {
        {days(61), std::nullopt, days(1), 61},
        {days(60) + 1s, std::nullopt, 1s, 60},
        {days(60), 60, days(30), 60},
        {days(31), 60, days(1), 31},
        {days(30), 30, days(16), 30},
        {days(14) + 1h, 30, 1h, 14},
        {days(14), 14, days(7), 14},
        {days(7), 7, days(6), 7},
        {days(2), 7, days(1), 2},
        {days(1), 1, days(1), 1},
        {1s, 1, 1s, 0},
        {0s, 0, std::nullopt, 0},
        {-days(400), 0, std::nullopt, -400},
    };
    for (const auto& row : rows) {
        CAPTURE(std::chrono::floor<seconds>(row.left).count());
        CHECK(warning_at(now + row.left, now) == row.warning);
        CHECK(until_next_warning(now + row.left, now) == row.until_next);
        CHECK(days_left(now + row.left, now) == row.days);
    }
}

TEST_CASE("refresh tokens live on for as long as their provider says", "[tokens]") {
    config::Provider provider;
    CHECK_FALSE(idle_life_of(provider).has_value());
    provider.preset = "microsoft365";
    CHECK(idle_life_of(provider) == days(90));
    provider.preset = "gmail";
    CHECK(idle_life_of(provider) == days(180));
}

TEST_CASE("what ends of a credential follows from its configuration, its certificate and its last use", "[tokens]") {
    const WallTime used(1'700'000'000s), ends(1'800'000'000s);
    config::Credential credential;
    credential.flow = config::Flow::client_credentials;
    CHECK(expiries_of(credential, days(90), {}).empty());
    CHECK(expiries_of(credential, std::nullopt, {.certificate = {}, .refresh_token_used_at = used}).empty());
    const auto all = expiries_of(credential, days(90), {.certificate = ends, .refresh_token_used_at = used});
    REQUIRE(all.size() == 2);
    CHECK(all[0].at == ends);
    CHECK(all[1].at == used + days(90));
    credential.flow = config::Flow::password;
    credential.client_secret_expires = std::chrono::floor<days>(ends);
    CHECK(expiries_of(credential, days(90), {.certificate = ends, .refresh_token_used_at = used}).empty());

    GrantRecord grant;
    CHECK_FALSE(refresh_token_used_at(grant).has_value());
    grant.refresh_token = Secret("r");
    CHECK_FALSE(refresh_token_used_at(grant).has_value());  // imported, and never used
    grant.refresh_token_at = used;
    CHECK(refresh_token_used_at(grant) == used);
    grant.life.expires_at = used + days(10);  // used since, and not rotated
    CHECK(refresh_token_used_at(grant) == used + days(10) - 28h);
}

namespace {

/// The watch beside a token service whose one account is at Microsoft.
struct Watched {
    explicit Watched(World& world) : run(world) {
        auto provider = std::make_shared<config::Provider>();
        provider->preset = "microsoft365";
        run.accounts[0].provider = provider;
        run.service->set_accounts(run.accounts);
        watch.set_accounts(run.accounts);
        asio::co_spawn(run.context, watch.watch(), asio::bind_cancellation_slot(ends.slot(), asio::detached));
    }
    ~Watched() {
        ends.emit(asio::cancellation_type::terminal);
        run.settle();
    }
    std::optional<WallTime> end_of(Expiry::What what) const {
        for (const auto& expiry : watch.expiries()) {
            if (expiry.what == what) return expiry.at;
        }
        return std::nullopt;
    }

    Run run;
    ExpiryWatch watch{{run.inbox, run.timers, *run.committer, run.world.keyring, *run.service}};
    asio::cancellation_signal ends;
};

}  // namespace

TEST_CASE("a refresh token that nobody uses is used before it dies, and its age is told when that fails", "[tokens]") {
    World world;
    Watched watched(world);
    Run& run = watched.run;
    run.import("refresh_token", "r0");
    run.settle();
    CHECK(watched.watch.expiries().empty());  // imported and never used: nobody knows its age
    bool works = true;
    std::size_t number = 0;
    world.endpoint.answers = [&](const std::string&) {
        return works ? gives("a", "r" + std::to_string(++number)) : refuses(503);
    };
    REQUIRE(run.access() == "a");
    run.pass(1h);  // and a successor, as that one was in use
    const auto asked = world.endpoint.asked.size();
    const auto used_at = world.clock.wall();
    run.pass(24h);
    REQUIRE(watched.end_of(Expiry::What::refresh_token) == used_at + days(90));
    for (int day = 0; day < 18; ++day) run.pass(24h);
    CHECK(world.endpoint.asked.size() == asked);
    run.pass(24h);
    run.pass(24h);
    CHECK(world.endpoint.asked.size() == asked + 1);  // kept alive
    run.pass(24h);
    CHECK(watched.end_of(Expiry::What::refresh_token) > used_at + days(90 + 19));
    works = false;
    for (int day = 0; day < 40; ++day) run.pass(24h);
    const auto end = watched.end_of(Expiry::What::refresh_token);
    REQUIRE(end.has_value());
    CHECK(warning_at(*end, world.clock.wall()) == 60);
    CHECK(world.endpoint.asked.size() > 15);
    works = true;
    run.pass(24h);
    run.pass(24h);
    CHECK_FALSE(warning_at(*watched.end_of(Expiry::What::refresh_token), world.clock.wall()).has_value());
}

TEST_CASE("the end of a client secret is told as it was entered, that of a certificate as it says itself", "[tokens]") {
    World world;
    Watched watched(world);
    Run& run = watched.run;
    const auto ends = std::chrono::sys_days(std::chrono::year(2027) / 3 / 1);
    run.accounts[0].credential.client_secret_expires = ends;
    run.accounts[0].credential.flow = config::Flow::client_credentials;
    const auto pem = jose_test::certificate_of(jose_test::rsa_signer());
    run.import("certificate", pem);
    watched.watch.set_accounts(run.accounts);
    run.settle();
    CHECK(watched.end_of(Expiry::What::client_secret) == WallTime(ends));
    const auto of_certificate = jose::read_certificate(pem);
    REQUIRE(of_certificate.has_value());
    CHECK(watched.end_of(Expiry::What::certificate) == of_certificate->not_after);
    CHECK_FALSE(watched.end_of(Expiry::What::refresh_token).has_value());

    run.accounts.clear();
    watched.watch.set_accounts(run.accounts);
    run.settle();
    CHECK(watched.watch.expiries().empty());
}

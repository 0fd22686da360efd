#include "tools/rohrpost-sim/tokens.hpp"

#include <catch2/catch.hpp>

#include "tests/support/hand_clock.hpp"

using namespace std::chrono_literals;
using sim::TokenBook;

namespace {

using support::HandClock;

struct Desk {
    HandClock clock;
    SystemRandom random;
    TokenBook book{sim::TokenRules{}, clock, random};
};

const std::string user = "box0001@sim.test";

}  // namespace

TEST_CASE("sim tokens: a refresh gives an access token for the user and a new refresh token", "[sim]") {
    Desk desk;
    const std::string first = desk.book.first_refresh_token(user);
    const auto pair = desk.book.refresh(first);
    REQUIRE(pair);
    CHECK(pair->refresh_token != first);
    CHECK(pair->access_token.size() == 1600);
    CHECK(pair->expires_in == 3600s);
    const auto holder = desk.book.holder_of(pair->access_token);
    REQUIRE(holder);
    CHECK(holder->user == user);
}

TEST_CASE("sim tokens: the old refresh token stays good unless told otherwise", "[sim]") {
    Desk desk;
    const std::string first = desk.book.first_refresh_token(user);
    const auto once = desk.book.refresh(first);
    const auto twice = desk.book.refresh(first);
    REQUIRE((once && twice));
    CHECK(once->refresh_token != twice->refresh_token);
    CHECK(desk.book.refresh(twice->refresh_token));

    TokenBook strict(sim::TokenRules{.refresh_once = true}, desk.clock, desk.random);
    const auto only = strict.refresh(first);
    REQUIRE(only);
    CHECK_FALSE(strict.refresh(first));
    CHECK(strict.refresh(only->refresh_token));
}

TEST_CASE("sim tokens: an access token ends with its time, its user's revocation does not end it", "[sim]") {
    Desk desk;
    const std::string token = desk.book.issue(user);
    desk.clock.pass(3599s);
    desk.book.revoke(user);
    CHECK(desk.book.holder_of(token));
    CHECK_FALSE(desk.book.refresh(desk.book.first_refresh_token(user)));
    desk.book.restore(user);
    CHECK(desk.book.refresh(desk.book.first_refresh_token(user)));
    desk.clock.pass(1s);
    CHECK_FALSE(desk.book.holder_of(token));
}

TEST_CASE("sim tokens: expiry on demand meets one user or all", "[sim]") {
    Desk desk;
    const std::string mine = desk.book.issue(user);
    const std::string other = desk.book.issue("box0002@sim.test");
    desk.book.expire(user);
    CHECK_FALSE(desk.book.holder_of(mine));
    CHECK(desk.book.holder_of(other));
    desk.book.expire("");
    CHECK_FALSE(desk.book.holder_of(other));
}

TEST_CASE("sim tokens: refresh tokens outlive the process, foreign ones are refused", "[sim]") {
    Desk before;
    const auto pair = before.book.refresh(before.book.first_refresh_token(user));
    REQUIRE(pair);
    Desk after;
    CHECK(after.book.refresh(pair->refresh_token));
    CHECK(after.book.user_of(pair->refresh_token) == user);
    std::string forged = pair->refresh_token;
    forged.back() = forged.back() == 'a' ? 'b' : 'a';
    for (const std::string& token : {forged, std::string(), std::string("0.x.y"), std::string("...")})
        CHECK_FALSE(after.book.refresh(token));
}

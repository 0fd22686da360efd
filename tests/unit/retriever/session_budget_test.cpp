#include <catch2/catch.hpp>
#include <memory>
#include <random>

#include "engine/retriever/session_budget.hpp"
#include "tests/support/hand_clock.hpp"

namespace {

using namespace std::chrono_literals;
using retriever::SessionBudget;
using retriever::Share;
using Kind = SessionBudget::Kind;
using Shares = std::vector<Share>;

/// A budget, and sessions that note when they are called.
struct Office {
    asio::io_context context;
    queue::Inbox inbox{context.get_executor()};
    support::HandClock clock;
    SessionBudget budget{clock};

    struct Visitor {
        Visitor(Office& office, Shares shares, Kind kind)
            : seat(office.budget, office.inbox, std::make_shared<const Shares>(std::move(shares)), kind,
                   [this] { ++calls; }) {}
        int calls = 0;
        SessionBudget::Seat seat;
    };
    std::unique_ptr<Visitor> visitor(Shares shares, Kind kind = Kind::mailbox) {
        return std::make_unique<Visitor>(*this, std::move(shares), kind);
    }
    void deliver() {
        context.restart();
        context.poll();
    }
};

Shares one_of(std::uint32_t most) { return {{"credential svc", most}}; }

}  // namespace

TEST_CASE("session budget: who rests the longest without news leaves for who waits, and nobody leaves for nobody",
          "[retriever]") {
    Office office;
    auto a = office.visitor(one_of(2)), b = office.visitor(one_of(2)), c = office.visitor(one_of(2));
    REQUIRE(a->seat.take());
    REQUIRE(b->seat.take());
    a->seat.rest(office.clock.now() + 5s);
    b->seat.rest(office.clock.now() + 1s);
    CHECK_FALSE(b->seat.wanted());
    CHECK_FALSE(c->seat.take());
    CHECK(c->seat.obstacle() == "all sessions of credential svc are in use (2 at once): waits for its turn, 1 in line");
    office.deliver();
    CHECK(a->calls == 0);
    CHECK(b->calls == 1);
    CHECK(b->seat.wanted());
    b->seat.leave();
    office.deliver();
    CHECK(c->calls == 1);
    CHECK(c->seat.take());
    CHECK_FALSE(c->seat.wanted());
}

TEST_CASE("session budget: the line is first come, first served, and one that gives up its turn passes it on",
          "[retriever]") {
    Office office;
    auto a = office.visitor(one_of(1)), b = office.visitor(one_of(1)), c = office.visitor(one_of(1));
    REQUIRE(a->seat.take());
    CHECK_FALSE(b->seat.take());
    CHECK_FALSE(c->seat.take());
    CHECK_FALSE(c->seat.take());  // asking again changes nothing
    b->seat.leave();
    a->seat.leave();
    office.deliver();
    CHECK(b->calls == 0);
    CHECK(c->calls == 1);
    c.reset();  // its place is free again
    CHECK(b->seat.take());
}

TEST_CASE("session budget: who works is left alone for a minute, then has to share", "[retriever]") {
    Office office;
    auto a = office.visitor(one_of(1)), b = office.visitor(one_of(1));
    REQUIRE(a->seat.take());
    CHECK_FALSE(b->seat.take());
    office.clock.passed += 59s;
    CHECK_FALSE(b->seat.take());
    CHECK_FALSE(a->seat.wanted());
    office.clock.passed += 1s;
    CHECK_FALSE(b->seat.take());
    CHECK(a->seat.wanted());
    b->seat.leave();  // not any more
    CHECK_FALSE(a->seat.wanted());
    a->seat.work();
    office.clock.passed += 60s;
    CHECK_FALSE(b->seat.take());
    CHECK(a->seat.wanted());  // can be asked again
}

TEST_CASE("session budget: one that comes to rest is asked at once when others wait", "[retriever]") {
    Office office;
    auto a = office.visitor(one_of(1)), b = office.visitor(one_of(1));
    REQUIRE(a->seat.take());
    CHECK_FALSE(b->seat.take());
    a->seat.rest({});
    CHECK(a->seat.wanted());
    office.deliver();
    CHECK(a->calls == 1);
}

TEST_CASE("session budget: extra sessions have what is left over, and leave first", "[retriever]") {
    Office office;
    auto a = office.visitor(one_of(2)), extra = office.visitor(one_of(2), Kind::extra), b = office.visitor(one_of(2));
    auto more = office.visitor(one_of(2), Kind::extra);
    REQUIRE(a->seat.take());
    REQUIRE(extra->seat.take());
    a->seat.rest({});
    extra->seat.rest(office.clock.now() + 1h);
    CHECK_FALSE(more->seat.take());
    office.deliver();
    CHECK(a->calls + extra->calls == 0);  // nobody leaves for an extra one
    CHECK_FALSE(b->seat.take());
    office.deliver();
    CHECK(extra->calls == 1);
    extra->seat.leave();
    CHECK(b->seat.take());
    CHECK_FALSE(more->seat.take());
}

TEST_CASE("session budget: extra ones in line cost nobody a place, however many there are", "[retriever]") {
    Office office;
    auto a = office.visitor(one_of(2)), b = office.visitor(one_of(2)), c = office.visitor(one_of(2));
    std::vector<std::unique_ptr<Office::Visitor>> extra;
    for (int i = 0; i < 4; ++i) extra.push_back(office.visitor(one_of(2), Kind::extra));
    REQUIRE(a->seat.take());
    REQUIRE(b->seat.take());
    for (auto& one : extra) CHECK_FALSE(one->seat.take());
    a->seat.rest({});
    b->seat.rest({});
    for (auto& one : extra) CHECK_FALSE(one->seat.take());
    CHECK_FALSE(a->seat.wanted());
    CHECK_FALSE(b->seat.wanted());
    for (int i = 0; i < 3; ++i) CHECK_FALSE(c->seat.take());
    b->seat.rest({});
    CHECK(a->seat.wanted() != b->seat.wanted());  // one for one
}

TEST_CASE("session budget: a pause that the provider asks of a credential holds all of it, and nobody else",
          "[retriever]") {
    Office office;
    auto a = office.visitor(one_of(9)), b = office.visitor(one_of(9)), other = office.visitor({{"credential x", 9}});
    REQUIRE(a->seat.take());
    a->seat.hold(office.clock.now() + 30s);
    CHECK_FALSE(b->seat.take());
    CHECK(b->seat.obstacle() == "the provider has asked for a pause of credential svc");
    CHECK(other->seat.take());
    office.clock.passed += 30s;
    CHECK(b->seat.take());
}

TEST_CASE("session budget: whatever sessions do, no share is exceeded, and everybody has a turn", "[retriever]") {
    std::mt19937 random(20);  // NOLINT(cert-msc51-cpp): the same each time
    Office office;
    struct Life {
        std::unique_ptr<Office::Visitor> visitor;
        std::size_t credential = 0;
        bool seated = false;
        int turns = 0;
    };
    constexpr std::uint32_t in_all = 7;
    constexpr std::array<std::uint32_t, 3> per_credential{2, 3, 4};
    std::vector<Life> lives;
    for (std::size_t i = 0; i < 30; ++i) {
        const auto credential = i % per_credential.size();
        Shares shares{{"credential " + std::to_string(credential), per_credential.at(credential)}, {"all", in_all}};
        const auto kind = i % 10 == 9 ? Kind::visit : Kind::mailbox;
        lives.push_back({office.visitor(std::move(shares), kind), credential, false, 0});
    }
    for (int step = 0; step < 20'000; ++step) {
        auto& life = lives[random() % lives.size()];
        office.clock.passed += std::chrono::milliseconds(random() % 500);
        if (!life.seated) {
            life.seated = life.visitor->seat.take();
            life.turns += life.seated ? 1 : 0;
        } else if (life.visitor->seat.wanted() || random() % 50 == 0) {
            life.visitor->seat.leave();
            life.seated = false;
        } else if (random() % 2 == 0) {
            life.visitor->seat.rest(office.clock.now());
        } else {
            life.visitor->seat.work();
        }
        office.deliver();
        std::array<std::uint32_t, 3> used{};
        for (const auto& one : lives) used.at(one.credential) += one.seated ? 1 : 0;
        for (std::size_t i = 0; i < used.size(); ++i) REQUIRE(used.at(i) <= per_credential.at(i));
        REQUIRE(used[0] + used[1] + used[2] <= in_all);
    }
    for (const auto& life : lives) CHECK(life.turns > 5);
    const auto seat_all = office.visitor({{"all", in_all}}, Kind::visit);
    for (auto& life : lives) life.visitor->seat.leave();
    CHECK(seat_all->seat.take());
}

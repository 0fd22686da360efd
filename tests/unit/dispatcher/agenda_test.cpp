#include "engine/dispatcher/agenda.hpp"

#include <catch2/catch.hpp>

#include <random>

using dispatcher::Agenda;
using namespace std::chrono_literals;

namespace {

const Monotonic start(1000h);

using Numbers = std::vector<store::MailboxNumber>;

}  // namespace

TEST_CASE("mailboxes have their turn in the order of their times", "[dispatcher]") {
    Agenda agenda;
    CHECK_FALSE(agenda.next());
    CHECK_FALSE(agenda.due(start));
    agenda.put(7, start + 2s);
    agenda.put(3, start + 1s);
    agenda.put(5, start + 1s);  // later than 3
    CHECK(agenda.next() == start + 1s);
    CHECK_FALSE(agenda.due(start));
    CHECK(agenda.due(start + 1s) == 3);
    CHECK(agenda.all_due(start + 1s, 10) == Numbers{3, 5});
    CHECK(agenda.all_due(start + 9s, 10) == Numbers{3, 5, 7});
    CHECK(agenda.all_due(start + 9s, 2) == Numbers{3, 5});
    CHECK(agenda.next_after(start) == start + 1s);
    CHECK(agenda.next_after(start + 1s) == start + 2s);
    CHECK_FALSE(agenda.next_after(start + 2s));
    agenda.put(3, start + 3s);
    CHECK(agenda.all_due(start + 9s, 10) == Numbers{5, 7, 3});
    agenda.remove(5);
    agenda.remove(5);
    CHECK(agenda.all_due(start + 9s, 10) == Numbers{7, 3});
}

TEST_CASE("whatever is put, moved and taken out, the agenda is the sorted list of it", "[dispatcher]") {
    std::mt19937 random(4711);
    Agenda agenda;
    std::map<store::MailboxNumber, Monotonic> model;
    for (int step = 0; step < 20'000; ++step) {
        const auto number = static_cast<store::MailboxNumber>(random() % 50);
        if (random() % 3 == 0) {
            agenda.remove(number);
            model.erase(number);
        } else {
            const auto when = start + std::chrono::seconds(random() % 20);
            agenda.put(number, when);
            model[number] = when;
        }
        const auto now = start + std::chrono::seconds(random() % 20);
        std::multiset<Monotonic> times;
        for (const auto& [each, when] : model) times.insert(when);
        const auto found = agenda.all_due(now, 1000);
        REQUIRE(found.size() == static_cast<std::size_t>(std::distance(times.begin(), times.upper_bound(now))));
        for (std::size_t at = 1; at < found.size(); ++at) REQUIRE(model[found[at - 1]] <= model[found[at]]);
        const auto later = times.upper_bound(now);
        REQUIRE(agenda.next_after(now) == (later == times.end() ? std::nullopt : std::optional(*later)));
    }
}

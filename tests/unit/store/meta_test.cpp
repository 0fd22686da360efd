#include <catch2/catch.hpp>

#include <map>
#include <random>

#include "queue/store/open.hpp"
#include "tests/support/simulated_disk.hpp"

using namespace store;

TEST_CASE("random work on meta rows, with rollbacks and restarts, gives what a model in memory gives", "[store]") {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 engine(seed);
        const auto below = [&engine](std::size_t limit) { return static_cast<std::size_t>(engine() % limit); };
        SimulatedDisk disk;
        OpenedStore opened;
        const auto reopen = [&] {
            opened = {};
            auto again = open_store(disk, "/data", {});
            REQUIRE(again.has_value());
            opened = std::move(*again);
            REQUIRE(opened.store->begin().has_value());
        };
        reopen();
        std::map<std::string, std::string> now, durable;
        for (int step = 0; step < 3000; ++step) {
            CAPTURE(step);
            const auto name = "row " + std::to_string(below(6));
            const auto act = below(20);
            if (act < 9) {
                const std::string value(below(3) == 0 ? 200 + below(200) : below(8), static_cast<char>(below(256)));
                REQUIRE(opened.store->put_meta(name, value).has_value());
                now[name] = value;
            } else if (act < 11) {
                REQUIRE(opened.store->remove_meta(name).has_value());
                now.erase(name);
            } else if (act < 18) {
                const auto found = opened.store->meta(name);
                REQUIRE(found.has_value());
                const auto expected = now.find(name);
                REQUIRE(found->has_value() == (expected != now.end()));
                if (expected != now.end()) REQUIRE(**found == expected->second);
            } else if (act == 18) {
                opened.store->rollback();
                REQUIRE(opened.store->begin().has_value());
                now = durable;
            } else {
                REQUIRE(opened.store->commit().has_value());
                durable = now;
                if (below(3) == 0)
                    reopen();
                else
                    REQUIRE(opened.store->begin().has_value());
            }
        }
    }
}

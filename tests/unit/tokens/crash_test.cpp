#include "tests/support/simulated_disk.hpp"
#include "tests/unit/tokens/fixture.hpp"

using namespace tokens_test;

namespace {

/// Rotates with each use, and forgets all refresh tokens before the one that was used last. RFC 9700 §4.14.2.
struct Rotating {
    TokenReply operator()(const std::string& refresh_token) {
        const auto number = std::stoul(refresh_token.substr(1));
        if (number < used || number > newest) return refuses(400, "invalid_grant");
        used = number;
        ++newest;
        return gives("a" + std::to_string(newest), "r" + std::to_string(newest));
    }
    std::size_t used = 0;
    std::size_t newest = 0;
};

}  // namespace

TEST_CASE("a power cut at any step of a rotation leaves a working grant", "[tokens][hostile-47]") {
    std::size_t steps = 0;
    for (bool cut = true; cut; ++steps) {
        CAPTURE(steps);
        SimulatedDisk disk;
        World world(disk);
        Rotating provider;
        world.endpoint.answers = [&provider](const std::string& used) { return provider(used); };
        {
            Run run(world);
            run.import("refresh_token", "r0");
            REQUIRE(run.access() == "a1");
            world.clock.passed += 3600s;
            disk.stop_at(steps + 1);
            std::vector<std::optional<TokenAnswer>> answers(1);
            run.begin(answers, 0);
            run.settle();
            cut = disk.stopped();
            const auto* token = answers[0] ? std::get_if<Token>(&*answers[0]) : nullptr;
            if (token != nullptr) {  // handed out: its refresh token is durable
                disk.be_well();
                CHECK(run.stored_grant()->access_token.reveal() == token->secret.reveal());
            }
        }
        disk.be_well();
        disk.power_cut(steps);
        Run again(world);
        for (int hour = 0; hour < 2; ++hour) {
            const auto access = again.access();
            CHECK(access == "a" + std::to_string(provider.newest));
            world.clock.passed += 3600s;
        }
    }
    CHECK(steps >= 3);
}

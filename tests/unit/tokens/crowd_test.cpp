#include "tests/unit/tokens/fixture.hpp"

using namespace tokens_test;

TEST_CASE("ten thousand sessions whose tokens end lead to one request for each credential", "[tokens][hostile-48]") {
    constexpr std::size_t sessions = 10'000;
    const std::size_t credentials = GENERATE(as<std::size_t>(), 1, 100, 10'000);
    CAPTURE(credentials);
    World world;
    Run run(world);
    std::vector<Account> accounts;
    for (std::size_t i = 0; i < credentials; ++i) {
        accounts.push_back(account_of("c" + std::to_string(i), config::Flow::client_credentials));
    }
    run.service->set_accounts(accounts);
    world.endpoint.endless = true;
    world.endpoint.replies = {gives("a")};
    std::vector<std::optional<TokenAnswer>> answers(sessions);
    const auto all_ask = [&] {
        std::fill(answers.begin(), answers.end(), std::nullopt);
        for (std::size_t i = 0; i < sessions; ++i) run.begin(answers, i, accounts[i % credentials].credential.id);
        run.settle();
        for (const auto& answer : answers) REQUIRE((answer && std::holds_alternative<Token>(*answer)));
    };
    all_ask();
    CHECK(world.endpoint.asked.size() == credentials);
    world.clock.passed += 3601s;  // all at once, and no alarm has rung: the machine slept
    for (std::size_t i = 0; i < sessions; ++i) run.service->expired(accounts[i % credentials].credential.id, 1);
    all_ask();
    CHECK(world.endpoint.asked.size() == 2 * credentials);
    CHECK(world.endpoint.busiest <= 8);
}

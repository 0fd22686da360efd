#include "engine/retriever/after_policy.hpp"

#include <catch2/catch.hpp>

using namespace retriever;
using namespace std::chrono_literals;

namespace {

const store::Millis noon{std::chrono::seconds(1'700'000'000)};

store::Message message(store::Seq seq, store::Millis received = noon) {
    store::Message made;
    made.seq = seq;
    made.received_at = received;
    return made;
}

AfterPolicy policy(config::After after, int days = 0, std::string target = "") {
    return {after, std::move(target), std::chrono::days(days)};
}

}  // namespace

TEST_CASE("after policy: what a mail waits for", "[retriever][after]") {
    struct Case {
        AfterPolicy policy;
        store::Seq acknowledged;
        store::Millis now;
        Wait wait;
    };
    const auto given = GENERATE(values<Case>({
        {policy(config::After::keep), 0, noon, Wait::nothing},
        {policy(config::After::seen), 0, noon, Wait::nothing},
        {policy(config::After::remove), 4, noon + 24h, Wait::acknowledgement},
        {policy(config::After::remove), 5, noon, Wait::nothing},
        {policy(config::After::remove, 1), 4, noon + 48h, Wait::acknowledgement},
        {policy(config::After::remove, 1), 5, noon + 24h - 1ms, Wait::time},
        {policy(config::After::remove, 1), 5, noon + 24h, Wait::nothing},
        {policy(config::After::move, 0, "Done"), 4, noon, Wait::acknowledgement},
        {policy(config::After::move, 0, "Done"), 5, noon, Wait::nothing},
    }));
    CAPTURE(given.policy.text(), given.acknowledged);
    const auto dueness = dueness_of(given.policy, message(5), given.acknowledged, given.now);
    CHECK(dueness.wait == given.wait);
    if (given.wait == Wait::time) CHECK(dueness.at == noon + 24h);
}

TEST_CASE("after policy: its text tells one from another", "[retriever][after]") {
    CHECK(policy(config::After::keep).text() == "keep");
    CHECK(policy(config::After::seen).text() == "seen");
    CHECK(policy(config::After::remove).text() == "delete");
    CHECK(policy(config::After::remove, 30).text() == "delete:30d");
    CHECK(policy(config::After::move, 0, "\\Trash").text() == "move:\\Trash");
}

TEST_CASE("after policy: deleting at Gmail means moving to the trash, with its delay", "[retriever][after]") {
    config::Mailbox mailbox;
    mailbox.after = config::After::remove;
    mailbox.delete_after = std::chrono::days(3);
    config::Provider provider;
    CHECK(after_policy_of(mailbox, provider).text() == "delete:3d");
    provider.preset = "gmail";
    const auto there = after_policy_of(mailbox, provider);
    CHECK(there.text() == "move:\\Trash");
    CHECK(dueness_of(there, message(1), 1, noon).wait == Wait::time);
}

TEST_CASE("after policy: refusals are tried again after ever longer pauses, an hour at most", "[retriever][after]") {
    CHECK(pause_after_refusal(1) == 1min);
    CHECK(pause_after_refusal(2) == 2min);
    CHECK(pause_after_refusal(4) == 8min);
    CHECK(pause_after_refusal(7) == 1h);
    CHECK(pause_after_refusal(4'000'000'000U) == 1h);
}

#include "engine/alarming/rules.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace alarming;

namespace {

constexpr WallTime noon(std::chrono::hours(1'000'000));

/// All is well: two mailboxes of one credential, proved a moment ago.
Facts sound() {
    Facts facts;
    facts.now = noon;
    facts.started_at = noon - 10h;
    facts.credential_of = {{"a", "svc"}, {"b", "svc"}, {"c", "other"}};
    for (const auto* id : {"a", "b", "c"}) {
        retriever::MailboxState state;
        state.id = id;
        state.phase = retriever::Phase::idle;
        state.last_proof = noon - 1min;
        facts.mailboxes.push_back(state);
    }
    facts.senders.push_back({.mailbox = "a", .phase = "idle", .reason = {}, .until = {}});
    facts.disk_size = 1ULL << 40U;
    facts.disk_free = 1ULL << 39U;
    return facts;
}

std::vector<std::string> places_of(const Facts& facts) {
    std::vector<std::string> places;
    for (const auto& condition : conditions_of(facts, {})) places.push_back(condition.place());
    return places;
}

using Places = std::vector<std::string>;

}  // namespace

TEST_CASE("where all is well no rule speaks", "[alarm]") {
    CHECK(places_of(sound()).empty());
    auto facts = sound();
    facts.mailboxes[0].phase = retriever::Phase::paused;
    facts.mailboxes[0].last_proof = noon - 9h;
    facts.senders[0].phase = "suspended";
    facts.queue.oldest = noon - 59min;
    facts.expiring.push_back({"svc", "client secret", noon + 24h * 45, 45, "renew it"});
    CHECK(places_of(facts).empty());
}

TEST_CASE("a dead grant is one condition, however many mailboxes it stops", "[alarm]") {
    auto facts = sound();
    facts.credentials.push_back({"svc", tokens::Meaning::consent_needed, "invalid_grant", {}, {}});
    facts.credentials.push_back({"other", tokens::Meaning::retry, "HTTP 503", {}, {}});
    for (std::size_t i : {0U, 1U}) facts.mailboxes[i].phase = retriever::Phase::needs_help;
    facts.senders[0].phase = "parked";
    const auto conditions = conditions_of(facts, {});
    REQUIRE(conditions.size() == 1);
    CHECK(conditions[0].place() == "grant-dead svc");
    CHECK(conditions[0].what == "nobody can log in with credential svc (2 mailboxes): invalid_grant");
    CHECK(conditions[0].remedy == "authorize it again: rohrpost authorize svc");
    facts.credentials[0].state = tokens::Meaning::operator_must_act;
    CHECK(conditions_of(facts, {})[0].remedy == "rohrpost check names the cause and the remedy");
}

TEST_CASE("what each fact is an alarm for", "[alarm]") {
    auto facts = sound();
    SECTION("a mailbox that only a person can help") {
        facts.mailboxes[2].phase = retriever::Phase::needs_help;
        facts.mailboxes[2].reason = "IMAP is disabled for this mailbox";
        CHECK(places_of(facts) == Places{"mailbox-stuck c"});
    }
    SECTION("a mailbox of which a folder is left out") {
        facts.mailboxes[2].phase = retriever::Phase::idle;
        facts.mailboxes[2].hindered = "folder Team is frozen: it has no UIDVALIDITY";
        CHECK(places_of(facts) == Places{"mailbox-stuck c"});
        CHECK(conditions_of(facts, {})[0].what ==
              "mailbox c is fetched in part: folder Team is frozen: it has no UIDVALIDITY");
    }
    SECTION("a mailbox without proof of life") {
        facts.mailboxes[1].last_proof = noon - 30min;
        CHECK(places_of(facts) == Places{"mailbox-silent b"});
        facts.mailboxes[1].last_proof = noon - 29min;
        CHECK(places_of(facts).empty());
    }
    SECTION("mail that an audit could not account for") {
        runtime::Audit audit;
        audit.folders.push_back({.folder = "INBOX", .on_server = 9, .delivered = 7, .unknown = 2, .not_compared = {}});
        facts.mailboxes[1].audit = std::make_shared<const runtime::Audit>(audit);
        CHECK(places_of(facts) == Places{"mail-unaccounted b"});
        CHECK(conditions_of(facts, {})[0].what.find("2 messages") != std::string::npos);
        audit.folders[0].unknown = 0;
        audit.found = 2;  // and fetched
        facts.mailboxes[1].audit = std::make_shared<const runtime::Audit>(audit);
        CHECK(places_of(facts).empty());
    }
    SECTION("one that never had any: counted from the start") {
        facts.mailboxes[1].last_proof.reset();
        CHECK(places_of(facts) == Places{"mailbox-silent b"});
        facts.started_at = noon - 29min;
        CHECK(places_of(facts).empty());
    }
    SECTION("proofs of another process do not count from before the start") {
        facts.mailboxes[1].last_proof = noon - 9h;
        facts.started_at = noon - 1min;
        CHECK(places_of(facts).empty());
    }
    SECTION("a restart does not end the silence, a proof does") {
        facts.started_at = noon - 1min;
        facts.mailboxes[1].last_proof = noon - 9h;
        facts.silent_before = {"b"};
        CHECK(places_of(facts) == Places{"mailbox-silent b"});
        facts.mailboxes[1].last_proof.reset();
        CHECK(places_of(facts) == Places{"mailbox-silent b"});
        facts.mailboxes[1].last_proof = noon;
        CHECK(places_of(facts).empty());
    }
    SECTION("sending") {
        facts.senders[0].phase = "cannot send";
        facts.senders[0].reason = "provider x has no smtp host";
        CHECK(places_of(facts) == Places{"sending-parked a"});
    }
    SECTION("the queue") {
        facts.queue.oldest = noon - 1h;
        facts.queue.doubts = 2;
        CHECK(places_of(facts) == Places{"queue-late ", "doubt-held "});
    }
    SECTION("applications") {
        facts.consumers.push_back({"crm", "maildir", "/mail", 0, 3, "no such directory"});
        facts.webhooks.push_back({"hook", "HTTP 500"});
        facts.webhooks.push_back({"well", ""});
        CHECK(places_of(facts) == Places{"consumer-failing crm", "webhook-failing hook"});
    }
    SECTION("the disk, and not both its rules") {
        facts.disk_free = 1023ULL << 20U;
        CHECK(places_of(facts) == Places{"disk-low "});
        facts.disk_full = true;
        CHECK(places_of(facts) == Places{"disk-full "});
    }
    SECTION("a small disk is judged by its size") {
        facts.disk_size = 2ULL << 30U;
        facts.disk_free = 900ULL << 20U;
        CHECK(places_of(facts).empty());
    }
    SECTION("the store") {
        facts.store_failure = "input/output error";
        CHECK(places_of(facts) == Places{"store-failed "});
    }
}

TEST_CASE("what ends is told at 30, 14, 7 and 1 days, and when it is over", "[alarm]") {
    auto facts = sound();
    facts.expiring.push_back({"svc", "client secret", noon, 0, "renew it"});
    const auto step = [&](int days) {
        facts.expiring[0].days_left = days;
        const auto conditions = conditions_of(facts, {});
        return conditions.empty() ? std::string("none") : conditions[0].step;
    };
    CHECK(step(31) == "none");
    CHECK(step(30) == "30");
    CHECK(step(15) == "30");
    CHECK(step(14) == "14");
    CHECK(step(7) == "7");
    CHECK(step(2) == "7");
    CHECK(step(1) == "1");
    CHECK(step(0) == "0");
    CHECK(step(-3) == "0");
    CHECK(conditions_of(facts, {})[0].what == "the client secret of credential svc has ended");
}

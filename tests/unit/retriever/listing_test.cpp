#include "engine/retriever/listing.hpp"

#include <catch2/catch.hpp>

#include "engine/retriever/mail_head.hpp"
#include "engine/retriever/visit_plan.hpp"

using namespace retriever;
using namespace std::chrono_literals;

namespace {

store::Listed row(std::string key, std::uint64_t bytes = 10,
                  store::Listed::State state = store::Listed::State::stored) {
    store::Listed listed;
    listed.key = std::move(key);
    listed.bytes = bytes;
    listed.state = state;
    return listed;
}

std::vector<std::string> keys_of(const std::vector<ListingEntry>& entries) {
    std::vector<std::string> keys;
    for (const auto& entry : entries) keys.push_back(entry.key);
    return keys;
}

}  // namespace

TEST_CASE("listing: UIDL and LIST have to name the same messages", "[retriever][pop3][hostile-39]") {
    const auto listing = listing_of({{1, "a"}, {3, "b"}}, {{1, 10}, {3, 20}});
    REQUIRE(listing);
    CHECK(*listing == std::vector<ListingEntry>{{1, "a", 10}, {3, "b", 20}});
    CHECK_FALSE(listing_of({{1, "a"}}, {}));
    CHECK_FALSE(listing_of({{1, "a"}}, {{2, 10}}));
    CHECK(listing_of({}, {})->empty());
    const auto copies = listing_of({{1, "a"}, {2, "a"}, {3, "a"}}, {{1, 1}, {2, 1}, {3, 1}});
    CHECK(keys_of(*copies) == std::vector<std::string>{"a",
                                                       "a\x01"
                                                       "2",
                                                       "a\x01"
                                                       "3"});
}

TEST_CASE("listing: what is to be done with it", "[retriever][pop3]") {
    const std::vector<ListingEntry> listing = {
        {1, "same", 10}, {2, "other size", 11}, {3, "new", 5}, {4, "pending", 7}};
    const auto plan = plan_of_listing(
        listing, {row("same"), row("other size"), row("pending", 10, store::Listed::State::pending), row("vanished")});
    CHECK(keys_of(plan.fetch) == std::vector<std::string>{"pending"});
    CHECK(keys_of(plan.changed) == std::vector<std::string>{"other size"});
    CHECK(keys_of(plan.unknown) == std::vector<std::string>{"new"});
    REQUIRE(plan.vanished.size() == 1);
    CHECK(plan.vanished[0].key == "vanished");
}

TEST_CASE("mail head: a head and a whole message say the same", "[retriever][pop3]") {
    const std::string head = "Message-ID: <1@x>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100 (CET)\r\nSubject: s\r\n\r\n";
    const auto alone = read_mail_head(head);
    CHECK(read_mail_head(head + "body\r\n").fingerprint == alone.fingerprint);
    CHECK(alone.proves);
    CHECK(alone.date == store::Millis(std::chrono::sys_days(2026y / std::chrono::November / 2) + 9h));
    CHECK(read_mail_head("Subject: other\r\n\r\nx").fingerprint != read_mail_head("Subject: s\r\n\r\nx").fingerprint);
    CHECK_FALSE(read_mail_head("Subject: s\r\nDate: soon\r\n\r\n").proves);
    CHECK_FALSE(read_mail_head("Subject: s\r\nDate: soon\r\n\r\n").date);
    CHECK(read_mail_head("Received: by x\r\n\r\n").proves);
    struct Row {
        const char* field;
        bool read;
    };
    for (const Row& each : {Row{"2 Nov 2026 10:00:00 GMT", true}, Row{"Mon, 02 Nov 2026 10:00 +0000", true},
                            Row{"Mon, 2 Nov", false}, Row{"Mon, 2 Foo 2026 10:00:00 +0000", false}, Row{"", false}}) {
        CAPTURE(each.field);
        CHECK(read_mail_head("Date: " + std::string(each.field) + "\r\n\r\n").date.has_value() == each.read);
    }
}

TEST_CASE("visits: soon after mail, later and later when it is quiet, never outside the limits", "[retriever][pop3]") {
    const auto limits = visit_limits(5min);
    CHECK(limits.longest == 5min);
    CHECK(limits.shortest == 30s);
    CHECK(visit_limits(1s).shortest == 1s);
    const store::Millis now{1000h};
    auto visit = next_visit(std::nullopt, Found::nothing, now, now, std::nullopt, limits, 0.99);
    CHECK(visit.interval == 5min);
    CHECK(visit.due <= now + 5min);
    CHECK(visit.due >= now + 4min);
    for (int i = 0; i < 5; ++i) visit = next_visit(visit, Found::mail, now, now, std::nullopt, limits, 0.0);
    CHECK(visit.interval == 30s);
    CHECK(visit.due == now + 27s);
    std::chrono::milliseconds before{};
    for (int i = 0; i < 10; ++i) {
        before = visit.interval;
        visit = next_visit(visit, Found::nothing, now, now, std::nullopt, limits, 0.0);
        CHECK((visit.interval > before || visit.interval == 5min));
    }
    CHECK(visit.interval == 5min);
}

TEST_CASE("visits: the server's least time between two log-ins is kept", "[retriever][pop3]") {
    const auto limits = visit_limits(1min);
    const store::Millis now{1000h};
    const auto visit = next_visit(std::nullopt, Found::mail, now - 10s, now, 300s, limits, 0.5);
    CHECK(visit.not_before == now + 290s);
    CHECK(visit.due == now + 290s);
    CHECK(wait_for_visit(visit, now + 90s, limits, Wish::at_once) == 200s);
    CHECK(wait_for_visit(visit, now + 90s, limits, Wish::as_planned) == 200s);
    CHECK(wait_for_visit(visit, now + 300s, limits, Wish::as_planned) == 0s);
}

TEST_CASE("visits: a restart goes on with the plan, but not beyond what can have been planned", "[retriever][pop3]") {
    const auto limits = visit_limits(5min);
    const store::Millis now{1000h};
    const store::Visit planned{.due = now + 2min, .not_before = now - 1min, .interval = 5min};
    CHECK(wait_for_visit(planned, now, limits, Wish::as_planned) == 2min);
    CHECK(wait_for_visit(planned, now, limits, Wish::at_once) == 0s);
    CHECK(wait_for_visit(planned, now + 3min, limits, Wish::as_planned) == 0s);
    CHECK(wait_for_visit(planned, now - 100h, limits, Wish::as_planned) <= 100h + 5min);
    CHECK(wait_for_visit({.due = now + 50h, .not_before = now, .interval = 5min}, now, limits, Wish::as_planned) ==
          5min);
}

#include "tools/rohrpost-sim/refusals.hpp"

#include <fmt/format.h>

#include <set>

#include "protocols/base/text.hpp"
#include "tests/unit/sim/identity_desk.hpp"

using support::IdentityDesk;

TEST_CASE("sim refusals: every AADSTS number of the provider notes has its row", "[sim]") {
    constexpr std::string_view numbers =
        "16000 16003 28002 28003 40010 50001 50002 50003 50005 50011 50012 50013 50014 50020 50027 50033 "
        "50034 50049 50053 50055 50056 50057 50058 50059 50064 50072 50074 50076 50078 50079 50085 50087 "
        "50088 50089 50097 50105 50125 50126 50128 50129 50131 50132 50133 50135 50140 50143 50144 50147 "
        "50155 50158 50161 50173 50187 50194 50196 50197 50199 51004 53000 53001 53002 53003 53004 53010 "
        "53011 54005 65001 65004 65005 70000 70001 70002 70003 70004 70005 70007 70008 70011 70012 70016 "
        "70018 70019 70043 80001 80002 80005 80014 81012 90002 90005 90006 90008 90012 90014 90015 90016 "
        "90019 90023 90024 90033 90038 90043 90051 90055 90056 90072 90090 90094 90095 90099 90100 90101 "
        "90102 90107 90117 90119 90120 90121 90124 90130 500011 500021 500022 500133 500208 500212 500213 "
        "501481 501491 530032 530034 530035 650052 650054 650056 650057 700005 700011 700016 700020 700022 "
        "700023 700025 700027 700030 700054 700082 700084 900144 900382 900384 900432 900561 900971 901002 "
        "1000031 1000104 7000112 7000215 7000218 7000222 9001023 9002313 9002332";
    for (const std::string_view number : text::split(numbers, ' ')) {
        const sim::Refusal* row = sim::refusal_named(number);
        CAPTURE(number);
        REQUIRE(row != nullptr);
        CHECK(std::to_string(row->code) == number);
        CHECK_FALSE(row->error.empty());
        CHECK(row->words.size() > 10);
    }
}

TEST_CASE("sim refusals: names are there once, statuses fit the errors", "[sim]") {
    std::set<std::string_view> names;
    for (const auto* list : {&sim::entra_refusals(), &sim::google_refusals()}) {
        for (const sim::Refusal& row : *list) {
            CAPTURE(row.name);
            CHECK(names.insert(row.name).second);
            const bool transient = row.error == "temporarily_unavailable" || row.error == "server_error" ||
                                   row.error == "internal_failure" || row.error == "rate_limit_exceeded" ||
                                   row.error.empty();
            CHECK((row.status == 408 || row.status == 429 || row.status >= 500) == transient);
        }
    }
    CHECK(sim::refusal_named("nonsense") == nullptr);
}

TEST_CASE("sim refusals: a fault makes the token endpoint say any of them, word for word", "[sim]") {
    IdentityDesk desk;
    for (const auto* list : {&sim::entra_refusals(), &sim::google_refusals()}) {
        for (const sim::Refusal& row : *list) {
            CAPTURE(row.name);
            desk.fault(fmt::format("token_error row={} times=1 mailbox={}", row.name, support::box));
            const auto reply = desk.token({{"grant_type", "refresh_token"},
                                           {"refresh_token", desk.world.tokens.first_refresh_token(support::box)}});
            CHECK(reply.status == row.status);
            CHECK(reply.retry_after.count() == row.retry_after);
            if (row.plain_text) {
                CHECK(reply.body == row.words);
                continue;
            }
            const auto body = IdentityDesk::json_of(reply);
            CHECK(IdentityDesk::text_in(body, "error") == row.error);
            CHECK(IdentityDesk::text_in(body, "suberror") == row.suberror);
            const std::string described = IdentityDesk::text_in(body, "error_description");
            CHECK(described.find(row.words) != std::string::npos);
            if (row.code == 0) continue;
            CHECK(body.at("error_codes").as_array().at(0).as_int64() == row.code);
            CHECK(described.starts_with(fmt::format("AADSTS{}: ", row.code)));
            for (const char* part : {"\r\nTrace ID: ", "\r\nCorrelation ID: ", "\r\nTimestamp: "})
                CHECK(described.find(part) != std::string::npos);
            for (const char* key : {"timestamp", "trace_id", "correlation_id", "error_uri"}) CHECK(body.contains(key));
        }
    }
    CHECK(desk.world.faults.all().empty());
}

TEST_CASE("sim refusals: a fault with an unknown row is refused, and row survives printing", "[sim]") {
    CHECK(sim::read_fault("token_error")->row == "invalid_grant");
    CHECK_FALSE(sim::read_fault("token_error row=1"));
    CHECK_FALSE(sim::read_fault("id_token row=nonsense"));
    CHECK_FALSE(sim::read_fault("keys row=nonsense"));
    const auto fault = sim::read_fault("token_error row=700082 times=2");
    REQUIRE(fault);
    const auto again = sim::read_fault(sim::text_of(*fault));
    REQUIRE(again);
    CHECK(again->row == "700082");
    CHECK(again->times == 2);
}

TEST_CASE("sim refusals: lifetimes, scopes and refresh tokens come out as a fault wants them", "[sim]") {
    IdentityDesk desk;
    const auto refresh = [&] {
        return desk.token(
            {{"grant_type", "refresh_token"}, {"refresh_token", desk.world.tokens.first_refresh_token(support::box)}});
    };
    for (const char* value : {"0", "-1", "\"3599\"", "1e99", "null", "99999999999999999999"}) {
        CAPTURE(value);
        desk.fault(fmt::format("token_expires_in row={} times=1", value));
        const auto body = IdentityDesk::json_of(refresh());
        CHECK(body.at("expires_in") == boost::json::parse(value));
    }
    desk.fault("token_scope row=openid,email times=1");
    CHECK(IdentityDesk::text_in(IdentityDesk::json_of(refresh()), "scope") == "openid email");
    desk.fault("token_no_refresh times=1");
    CHECK_FALSE(IdentityDesk::json_of(refresh()).contains("refresh_token"));
    desk.fault("token_error row=throttled value=17 times=1");
    CHECK(refresh().retry_after == std::chrono::seconds(17));
}

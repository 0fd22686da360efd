#include "engine/dispatcher/verdict.hpp"

#include <catch2/catch.hpp>

using namespace dispatcher;
using namespace std::chrono_literals;

namespace {

smtp::Reply reply(std::string_view text) {
    const auto read = smtp::read_reply(std::string(text) + "\r\n", {});
    REQUIRE(read.has_value());
    REQUIRE(read->has_value());
    return *(*read)->reply;
}

struct Row {
    Step step;
    const char* text;
    Cause cause;
};

}  // namespace

TEST_CASE("what providers say is judged by what it is about", "[dispatcher][hostile-26]") {
    const Row rows[] = {
        {Step::body, "250 2.0.0 OK <1@x> [Hostname=A.B]", Cause::accepted},
        {Step::log_in, "235 2.7.0 Authentication successful", Cause::accepted},
        // Exchange Online
        {Step::log_in, "535 5.7.3 Authentication unsuccessful [AM0PR01.eurprd01.prod.outlook.com]", Cause::account},
        {Step::log_in, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
         Cause::account},
        {Step::sender, "530 5.7.57 Client not authenticated to send mail.", Cause::account},
        {Step::sender, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", Cause::mailbox},
        {Step::body, "554 5.2.252 SendAsDenied; a@x not allowed to send as b@x; STOREDRV.Submission.Exception",
         Cause::mailbox},
        {Step::body, "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
         Cause::mailbox},
        {Step::sender, "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending",
         Cause::throttled},
        {Step::body, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", Cause::throttled},
        {Step::body, "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", Cause::exhausted},
        {Step::body,
         "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
         Cause::exhausted},
        {Step::body, "550 5.7.233 tenant has exceeded its limit", Cause::exhausted},
        {Step::body, "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiException",
         Cause::mailbox},
        {Step::body, "550 5.1.8 Access denied, bad outbound sender", Cause::mailbox},
        {Step::recipient, "550 5.7.501 Access denied, spam abuse detected", Cause::account},
        {Step::body, "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP",
         Cause::account},
        {Step::body, "550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant", Cause::refused},
        {Step::body, "550 5.6.11 Invalid characters in message", Cause::refused},
        {Step::greeting, "421 4.3.2 Service not available", Cause::connection},
        {Step::body, "421 4.4.2 Connection dropped due to TimedOut", Cause::connection},
        {Step::body, "451 4.7.0 Temporary server error. Please try again later. PRX4", Cause::deferred},
        {Step::body, "451 4.7.500 Server busy. Please try again later from [1.2.3.4]. (AS77712)", Cause::throttled},
        {Step::sender, "451 4.7.650 The mail server [1.2.3.4] has been temporarily rate limited", Cause::throttled},
        {Step::recipient, "452 4.5.3 Too many recipients (AS780090)", Cause::crowded},
        // Gmail
        {Step::log_in, "535 5.7.8 Username and Password not accepted.", Cause::account},
        {Step::sender, "550 5.4.5 Daily user sending limit exceeded.", Cause::exhausted},
        {Step::sender, "450 4.2.1 Peak SMTP relay limit exceeded for customer.", Cause::exhausted},
        {Step::body, "421 4.7.28 Our system has detected an unusual rate of unsolicited mail", Cause::throttled},
        {Step::greeting, "421 4.3.0 Temporary System Problem. Try again later (10)", Cause::connection},
        {Step::log_in, "454 4.7.0 Too many login attempts, please try again later.", Cause::connection},
        // anybody
        {Step::recipient, "550 5.1.1 no such user", Cause::refused},
        {Step::recipient, "452 4.2.2 mailbox full", Cause::deferred},
        {Step::recipient, "552 5.2.2 mailbox full", Cause::refused},
        {Step::recipient, "552 too many recipients", Cause::crowded},
        {Step::recipient, "450 4.2.0 greylisted", Cause::deferred},
        {Step::recipient, "451 4.4.3 temporary lookup failure", Cause::deferred},
        {Step::body, "452 4.3.1 insufficient system storage", Cause::connection},
        {Step::body, "554 5.6.0 content rejected", Cause::refused},
        {Step::greeting, "554 no service for you", Cause::account},
        {Step::sender, "552 5.3.4 message too big", Cause::refused},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        CHECK(static_cast<int>(judgement_of(row.step, reply(row.text)).cause) == static_cast<int>(row.cause));
    }
}

TEST_CASE("a limit of concurrency asks for fewer connections, a quota for a long pause", "[dispatcher][hostile-26]") {
    const auto fewer = judgement_of(Step::sender, reply("432 4.3.2 Concurrent connections limit exceeded."));
    CHECK(fewer.fewer_connections);
    CHECK(fewer.pause <= 1min);
    CHECK(judgement_of(Step::sender, reply("550 5.4.5 Daily user sending limit exceeded")).pause >= 1h);
}

TEST_CASE("attempts come after a minute, doubling to an hour, spread over half of it", "[dispatcher]") {
    CHECK(retry_after(1, 0) == 30s);
    CHECK(retry_after(1, 1) == 60s);
    CHECK(retry_after(2, 1) == 2min);
    CHECK(retry_after(6, 1) == 32min);
    CHECK(retry_after(7, 1) == 60min);
    CHECK(retry_after(1'000'000, 1) == 60min);
    CHECK(retry_after(1'000'000, 0) == 30min);
}

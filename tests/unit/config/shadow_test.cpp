// "shadow" of a mailbox in the import document.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "engine/config/documents.hpp"
#include "engine/config/import.hpp"

using namespace config;

namespace {

/// A document with one mailbox that has these further keys.
std::string document_with(std::string_view keys) {
    return fmt::format(
        R"({{"providers": [{{"id": "rig", "token_url": "https://rig.test/t", "imap": {{"host": "rig.test"}},
                            "pop3": {{"host": "rig.test"}}, "smtp": {{"host": "rig.test"}}}},
                           {{"id": "out", "token_url": "https://rig.test/t", "smtp": {{"host": "rig.test"}}}}],
             "credentials": [{{"id": "c", "provider": "rig", "user": "c@rig.test", "flow": "refresh_token",
                               "client_id": "a", "refresh_token": {{"value": "r"}}}},
                             {{"id": "o", "provider": "out", "user": "c@rig.test", "flow": "refresh_token",
                               "client_id": "a", "refresh_token": {{"value": "r"}}}}],
             "consumers": [{{"id": "api", "kind": "pull"}}],
             "mailboxes": [{{"id": "desk", "address": "desk@rig.test", {}}}]}})",
        keys);
}

std::string faults_of(std::string_view keys) {
    auto reading = read_document(document_with(keys), NoSources());
    check(reading.document, {}, reading.faults);
    std::string lines;
    for (const auto& fault : reading.faults.list()) lines += text_of(fault) + '\n';
    return lines;
}

Mailbox mailbox_of(std::string_view keys) {
    const auto reading = read_document(document_with(keys), NoSources());
    REQUIRE(reading.faults.empty());
    return reading.document.mailboxes.at(0);
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("config: a shadow needs nothing but to be one, and observes what arrives from then on", "[config][shadow]") {
    const auto mailbox = mailbox_of(R"("credential": "c", "shadow": {})");
    REQUIRE(mailbox.shadow.has_value());
    CHECK(mailbox.shadow->taken == Shadow::Taken::seen);
    CHECK(mailbox.shadow->grace == std::chrono::minutes(15));
    CHECK(mailbox.start.from == Start::From::fresh);
    CHECK(mailbox.consumer.empty());
    CHECK(faults_of(R"("credential": "c", "shadow": {}, "folders": ["INBOX", "Team/*"], "after": "keep")").empty());
}

TEST_CASE("config: a shadow reads back as what it was written from", "[config][shadow]") {
    const auto keys = GENERATE(values<std::string>({
        R"("credential": "c", "shadow": {})",
        R"("credential": "c", "shadow": {"taken": "removed", "grace": "90s"})",
        R"("credential": "c", "shadow": {"taken": "list", "grace": "2h"}, "start": "2026-11-01")",
        R"("credential": "c", "shadow": {"taken": "seen", "grace": "168h"}, "start": "new")",
        R"("credential": "c", "shadow": {"grace": "1s"})",
    }));
    CAPTURE(keys);
    const auto mailbox = mailbox_of(keys);
    const auto document = to_document(mailbox);
    const auto again = from_document<Mailbox>(document);
    REQUIRE(again.has_value());
    CHECK(to_document(*again) == document);
    REQUIRE(again->shadow.has_value());
    CHECK(again->shadow->taken == mailbox.shadow->taken);
    CHECK(again->shadow->grace == mailbox.shadow->grace);
    CHECK(again->start.from == mailbox.start.from);
    CHECK(again->start.date == mailbox.start.date);
}

TEST_CASE("config: what does not go together with a shadow is refused with its path and what to do",
          "[config][shadow]") {
    struct Case {
        std::string_view keys, fault;
    };
    const auto given = GENERATE(values<Case>({
        {R"("credential": "c", "shadow": {}, "consumer": "api")",
         "mailboxes[0].consumer: a shadow mailbox takes no mail that anybody could get; leave it out"},
        {R"("credential": "c", "shadow": {}, "after": "seen")",
         "mailboxes[0].after: the mail of a shadow mailbox is another product's, and never changed; leave it out"},
        {R"("credential": "c", "shadow": {}, "after": "delete")", "mailboxes[0].after: the mail of a shadow"},
        {R"("credential": "c", "shadow": {}, "after": "move:Done")", "mailboxes[0].after: the mail of a shadow"},
        {R"("credential": "c", "shadow": {}, "submit": {})", "mailboxes[0].submit: a shadow mailbox sends nothing"},
        {R"("credential": "c", "shadow": {}, "start": "all")",
         R"(mailboxes[0].start: what was there before cannot be told from what was missed; expected "new", or a date)"},
        {R"("credential": "c", "shadow": {}, "protocol": "pop3")",
         "mailboxes[0].protocol: found \"pop3\", expected \"imap\": over POP3 a look counts as taking at Gmail. A "
         "mailbox that the other product reads over POP3 can be shadowed over IMAP"},
        {R"("credential": "c", "shadow": true)", "mailboxes[0].shadow: found true, expected an object with"},
        {R"("credential": "c", "shadow": {"taken": "read"})", "mailboxes[0].shadow.taken: found \"read\", expected"},
        {R"("credential": "c", "shadow": {"taking": "seen"})",
         R"(mailboxes[0].shadow.taking: unknown key; did you mean "taken"?)"},
        {R"("credential": "c", "shadow": {"grace": "15"})", "mailboxes[0].shadow.grace: found \"15\", expected how"},
        {R"("credential": "c", "shadow": {"grace": "0m"})", "mailboxes[0].shadow.grace: found \"0m\""},
        {R"("credential": "c", "shadow": {"grace": "m"})", "mailboxes[0].shadow.grace: found \"m\""},
        {R"("credential": "c", "shadow": {"grace": "169h"})", "mailboxes[0].shadow.grace: found \"169h\""},
        {R"("credential": "c", "shadow": {"grace": "4294967295h"})", "mailboxes[0].shadow.grace: found"},
        {R"("credential": "c", "shadow": {"grace": 15})", "mailboxes[0].shadow.grace: found the number 15"},
        {R"("credential": "o", "shadow": {})", R"(mailboxes[0].protocol: "imap" needs "imap" at provider "out")"},
    }));
    CAPTURE(given.keys);
    const auto faults = faults_of(given.keys);
    INFO(faults);
    CHECK(holds(faults, given.fault));
    CHECK(std::count(faults.begin(), faults.end(), '\n') == 1);
}

#include "tools/rohrpost-sim/imap_command.hpp"

#include <catch2/catch.hpp>

#include "protocols/base/base64.hpp"
#include "tools/rohrpost-sim/faults.hpp"

using namespace sim;
using namespace std::string_literals;

TEST_CASE("sim command: words lose their dress, lists stay whole", "[sim]") {
    struct Row {
        std::string line;
        std::string verb;
        std::vector<std::string> words;
    };
    const std::vector<Row> rows{
        {"a noop", "NOOP", {}},
        {"a SELECT \"Sent Items\"", "SELECT", {"Sent Items"}},
        {"a LOGIN \"us\\\"er\" pass", "LOGIN", {"us\"er", "pass"}},
        {"a LOGIN {4}\r\nuser {4+}\r\npass", "LOGIN", {"user", "pass"}},
        {"a uid fetch 1:* (UID BODY.PEEK[HEADER.FIELDS (TO CC)]<0.5>)",
         "UID FETCH",
         {"1:*", "(UID BODY.PEEK[HEADER.FIELDS (TO CC)]<0.5>)"}},
        {"a LIST \"\" *", "LIST", {"", "*"}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.line);
        const auto command = read_command(row.line);
        REQUIRE(command);
        CHECK(command->tag == "a");
        CHECK(command->verb == row.verb);
        CHECK(command->words == row.words);
    }
    for (const char* broken : {"", "a", "a SELECT \"INBOX", "a FETCH 1 (UID", "a LOGIN {9}\r\nuser"}) {
        CAPTURE(broken);
        CHECK_FALSE(read_command(broken));
    }
}

TEST_CASE("sim command: sets know the star", "[sim]") {
    const auto text = [](std::string_view set) {
        std::string out;
        const auto ranges = read_set(set, 9);
        if (!ranges) return "none"s;
        for (const Range& range : *ranges) out += std::to_string(range.first) + "-" + std::to_string(range.last) + " ";
        return out;
    };
    CHECK(text("4") == "4-4 ");
    CHECK(text("1:3,7") == "1-3 7-7 ");
    CHECK(text("5:*") == "5-9 ");
    CHECK(text("12:*") == "9-12 ");  // RFC 9051 §6.4.8: n:* always names the last message
    CHECK(text("*") == "9-9 ");
    CHECK(text("1:x") == "none");
    CHECK(text("") == "none");
}

TEST_CASE("sim command: fetch items and sections", "[sim]") {
    const auto wanted =
        read_wanted("(uid FLAGS internaldate RFC822.SIZE body.peek[] BODY[HEADER.FIELDS (To Cc)]<2.10>)");
    REQUIRE(wanted);
    CHECK((wanted->uid && wanted->flags && wanted->internal_date && wanted->size));
    REQUIRE(wanted->sections.size() == 2);
    CHECK(wanted->sections[0].name.empty());
    CHECK_FALSE(wanted->sections[0].sets_seen);
    CHECK(wanted->sections[1].fields == std::vector<std::string>{"TO", "CC"});
    CHECK(wanted->sections[1].sets_seen);
    const std::string message = "To: a\r\n b\r\nFrom: c\r\nCC: d\r\n\r\nText";
    Wanted::Section section = wanted->sections[1];
    CHECK(section_of(message, section) == ": a\r\n b\r\nC");
    section.partial = false;
    CHECK(section_of(message, section) == "To: a\r\n b\r\nCC: d\r\n\r\n");
    section.name = "TEXT";
    CHECK(section_of(message, section) == "Text");
    CHECK_FALSE(read_wanted("(UID FOO)"));
}

TEST_CASE("sim command: credentials as clients send them", "[sim]") {
    const auto xoauth2 = base64_decoded("dXNlcj11c2VyQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIHlhMjkudG9rZW4BAQ==");
    REQUIRE(xoauth2);
    const auto first = read_xoauth2(*xoauth2);
    REQUIRE(first);
    CHECK(first->user == "user@example.com");
    CHECK(first->secret == "ya29.token");
    const auto bearer = base64_decoded(
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9aW1hcC5leGFtcGxlLmNvbQFwb3J0PTk5MwFhdXRoPUJlYXJlciB5YTI5LnRva2VuAQE=");
    REQUIRE(bearer);
    const auto second = read_oauthbearer(*bearer);
    REQUIRE(second);
    CHECK(second->user == "user@example.com");
    CHECK(second->secret == "ya29.token");
    CHECK_FALSE(read_xoauth2(*bearer));
    const auto third = read_plain("\0user\0pass"s);
    REQUIRE(third);
    CHECK(third->user == "user");
    CHECK(third->secret == "pass");
    CHECK_FALSE(read_plain("user"));
}

TEST_CASE("sim faults: are read from text, fit who they name, and wear off", "[sim]") {
    Faults faults;
    const auto fault = read_fault("no_data mailbox=box0001@sim.test uid=7 times=2");
    REQUIRE(fault);
    CHECK(text_of(*fault) == "no_data mailbox=box0001@sim.test uid=7 value=0 times=2");
    faults.add(*fault);
    CHECK_FALSE(faults.strike(FaultKind::no_data, "box0001@sim.test", 8));
    CHECK_FALSE(faults.strike(FaultKind::no_data, "box0002@sim.test", 7));
    CHECK_FALSE(faults.strike(FaultKind::refuse_uid, "box0001@sim.test", 7));
    CHECK(faults.strike(FaultKind::no_data, "BOX0001@sim.test", 7));
    CHECK(faults.strike(FaultKind::no_data, "box0001@sim.test", 7));
    CHECK_FALSE(faults.strike(FaultKind::no_data, "box0001@sim.test", 7));
    for (const FaultFact& fact : fault_kinds()) CHECK(read_fault(fact.name)->kind == fact.kind);
    for (const char* broken : {"", "nonsense", "stall uid=x", "stall 7", "stall foo=1"})
        CHECK_FALSE(read_fault(broken));
}

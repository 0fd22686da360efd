#include <catch2/catch.hpp>
#include <set>

#include "engine/consumers/path_segment.hpp"

using namespace consumers;

TEST_CASE("a mailbox id becomes one harmless segment of a path", "[consumers][hostile-33]") {
    struct Row {
        std::string name, segment;
    };
    const auto row = GENERATE(values<Row>({
        {"support", "support"},
        {"support@contoso.com", "support@contoso.com"},
        {"a.b-c_d+e=f", "a.b-c_d+e=f"},
        {"", "%"},
        {".", "%2E"},
        {"..", "%2E."},
        {".hidden", "%2Ehidden"},
        {"../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"},
        {"/absolute", "%2Fabsolute"},
        {"a/b", "a%2Fb"},
        {"a%2Fb", "a%252Fb"},
        {"%", "%25"},
        {std::string("nul\0byte", 8), "nul%00byte"},
        {"line\nend\r", "line%0Aend%0D"},
        {"tmp\\new", "tmp%5Cnew"},
        {"f\xc3\xbcr", "f%C3%BCr"},
        {"{mailbox}", "%7Bmailbox%7D"},
    }));
    CHECK(path_segment(row.name) == row.segment);
}

TEST_CASE("long names are cut and still differ", "[consumers][hostile-33]") {
    std::set<std::string> seen;
    for (const std::size_t length : {199U, 200U, 201U, 5000U}) {
        for (const char last : {'x', 'y', '/', '\0'}) {
            const auto segment = path_segment(std::string(length, 'a') + last);
            CAPTURE(segment);
            CHECK(segment.size() <= 200);
            CHECK(segment.find('/') == std::string::npos);
            CHECK(segment.find('\0') == std::string::npos);
            CHECK(seen.insert(segment).second);
        }
    }
}

TEST_CASE("the mark in a path is replaced by the mailbox, everywhere and once", "[consumers]") {
    CHECK(place_for("/mail/all", "support") == "/mail/all");
    CHECK(place_for("/mail/{mailbox}/Maildir", "support") == "/mail/support/Maildir");
    CHECK(place_for("{mailbox}/{mailbox}", "a/b") == "a%2Fb/a%2Fb");
    CHECK(place_for("/mail/{mailbox}", "{mailbox}") == "/mail/%7Bmailbox%7D");
    CHECK(place_for("/mail/{mail", "x") == "/mail/{mail");
}

#include <catch2/catch.hpp>
#include <string>

#include "protocols/mime/headers.hpp"

namespace {

const std::string sample =
    "Received: from b by c; Tue, 24 Nov 2026 03:00:02 +0000\r\n"
    "Received: from a by b;\r\n\tTue, 24 Nov 2026 03:00:01 +0000\r\n"
    "MESSAGE-ID: <1@example.com>\r\n"
    "subject:\r\n =?utf-8?q?Hello?=\r\n  world \r\n"
    "From: A <a@example.com>\r\n"
    "X-Subject: not this\r\n"
    "no field at all\r\n"
    "Date : Tue, 24 Nov 2026 03:00:00 +0000\r\n"
    "Subject: a second one\r\n"
    "\r\n"
    "Date: of the body\r\n";

bool adds_to(const mime::HeaderFacts& less, const mime::HeaderFacts& more) {
    const auto kept = [](std::string_view before, std::string_view after) { return before.empty() || before == after; };
    return kept(less.message_id, more.message_id) && kept(less.date, more.date) && kept(less.from, more.from) &&
           kept(less.subject, more.subject) && (!less.complete || more.complete);
}

}  // namespace

TEST_CASE("header scan: names in any case, folded values, the first of a kind, the oldest Received", "[mime]") {
    const auto facts = mime::scan_headers(sample);
    CHECK(facts.complete);
    CHECK(facts.message_id == "<1@example.com>");
    CHECK(facts.date == "Tue, 24 Nov 2026 03:00:00 +0000");
    CHECK(facts.from == "A <a@example.com>");
    CHECK(mime::unfolded(facts.subject) == "=?utf-8?q?Hello?= world");
    CHECK(mime::unfolded(facts.oldest_received) == "from a by b; Tue, 24 Nov 2026 03:00:01 +0000");
}

TEST_CASE("header scan: more bytes only ever add facts", "[mime]") {
    const auto whole = mime::scan_headers(sample);
    for (std::size_t bytes = 0; bytes <= sample.size(); ++bytes) {
        CAPTURE(bytes);
        const auto facts = mime::scan_headers(std::string_view(sample).substr(0, bytes));
        CHECK(adds_to(facts, whole));
        CHECK(facts.complete == (bytes >= sample.find("\r\n\r\n") + 4));
    }
}

TEST_CASE("header scan: bare LF ends lines, an empty message has no header", "[mime]") {
    const auto facts = mime::scan_headers("Subject: x\nFrom: y\n\nbody");
    CHECK(facts.complete);
    CHECK(facts.subject == "x");
    CHECK(facts.from == "y");
    CHECK_FALSE(mime::scan_headers("").complete);
    CHECK(mime::scan_headers("\r\nbody").complete);
}

TEST_CASE("header scan: a value of 50 MB and a million fields are not waded through",
          "[mime][hostile-41][hostile-61]") {
    const std::string long_line = "Subject: " + std::string(50'000'000, 'x') + "\r\nFrom: late\r\n\r\n";
    const auto cut = mime::scan_headers(long_line);
    CHECK_FALSE(cut.complete);
    CHECK(cut.subject.empty());
    CHECK(cut.from.empty());

    std::string many = "From: early\r\n";
    for (int field = 0; field < 1'000'000; ++field) many += "Received: r\r\n";
    const auto facts = mime::scan_headers(many);
    CHECK_FALSE(facts.complete);
    CHECK(facts.from == "early");
    CHECK(facts.oldest_received.data() < many.data() + mime::header_bytes_max);
    for (const std::string_view rubbish : {"\x01\x02", ":", "\r", ": \r\n:\r\n", " leading\r\n \r\nFrom: a\r\n\r\n"})
        CHECK_NOTHROW(mime::scan_headers(rubbish));
}

TEST_CASE("header scan: unfolding drops line ends and keeps the words", "[mime]") {
    CHECK(mime::unfolded("a\r\n b") == "a b");
    CHECK(mime::unfolded("a \r\n \t b\n c") == "a b c");
    CHECK(mime::unfolded("\r\n a\r\n") == "a");
    CHECK(mime::unfolded("") == "");
}

#include "protocols/smtp/data.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "tests/support/smtp_readers.hpp"

using smtp::BodyFacts;
using smtp::BodyInspection;
using smtp::Canonicalisation;
using smtp::DotStuffing;
using smtp::errc;

namespace {

std::vector<std::string_view> cut(std::string_view bytes, std::size_t piece_bytes) {
    std::vector<std::string_view> pieces;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece_bytes, bytes.size())))
        pieces.push_back(bytes.substr(0, piece_bytes));
    return pieces;
}

Result<std::string> stuffed(std::string_view bytes, std::size_t piece_bytes = 1U << 20U) {
    DotStuffing stuffing;
    std::string out;
    for (const auto piece : cut(bytes, piece_bytes)) {
        const auto put = stuffing.put(piece, out);
        if (!put) return put.error();
    }
    const auto finished = stuffing.finish(out);
    if (!finished) return finished.error();
    return out;
}

std::string canonical(std::string_view bytes, std::size_t piece_bytes = 1U << 20U) {
    Canonicalisation canonicalisation;
    std::string out;
    for (const auto piece : cut(bytes, piece_bytes)) canonicalisation.put(piece, out);
    canonicalisation.finish(out);
    return out;
}

BodyFacts facts_of(std::string_view bytes, std::size_t piece_bytes = 1U << 20U) {
    BodyInspection inspection;
    for (const auto piece : cut(bytes, piece_bytes)) inspection.take(piece);
    return inspection.facts();
}

/// Bytes that matter, in any order.
std::string random_bytes(std::minstd_rand& random) {
    static constexpr std::string_view letters = "\r\n.\r\n.\r\nab\0\xfc";
    std::string bytes;
    for (std::size_t left = random() % 24; left > 0; --left) bytes += letters[random() % letters.size()];
    return bytes;
}

// CVE-2023-51764, 51765, 51766 and their relatives.
const std::vector<std::string> smuggling = {
    "a\n.\nMAIL FROM:<x@y>\r\n",
    "a\n.\r\nMAIL FROM:<x@y>\r\n",
    "a\r\n.\nMAIL FROM:<x@y>\r\n",
    "a\r\n.\rMAIL FROM:<x@y>\r\n",
    "a\r.\rMAIL FROM:<x@y>\r\n",
    "a\r.\r\nMAIL FROM:<x@y>\r\n",
    "a\r\n.\r\nMAIL FROM:<x@y>\r\n",
    "a\r\n.\r\r\nMAIL FROM:<x@y>\r\n",
    "a\r\r\n.\r\nMAIL FROM:<x@y>\r\n",
    "a\n\r.\n\rMAIL FROM:<x@y>\r\n",
    "a\r\n\0.\r\nMAIL FROM:<x@y>\r\n",
    ".\r\nMAIL FROM:<x@y>\r\n",
    ".\nMAIL FROM:<x@y>\r\n",
    ".",
    ".\r",
    "..\r\n",
    "a\r\n..\r\n.\r\n...\r\n",
    "a\r\n.",
    "a\r\n.\r",
};

}  // namespace

TEST_CASE("smtp data: dots at the beginning of lines are doubled, and the end follows", "[smtp]") {
    CHECK(*stuffed("") == ".\r\n");
    CHECK(*stuffed("a\r\n") == "a\r\n.\r\n");
    CHECK(*stuffed("a") == "a\r\n.\r\n");  // the last line's end
    CHECK(*stuffed(".") == "..\r\n.\r\n");
    CHECK(*stuffed(".\r\n") == "..\r\n.\r\n");
    CHECK(*stuffed("a.b\r\n.c\r\n..\r\n\r\n.\r\n") == "a.b\r\n..c\r\n...\r\n\r\n..\r\n.\r\n");
    for (const std::string bytes : {"a\n", "a\rb", "a\r", "\n", "\r\r\n", "a\r\n\n", "a\r\n\rb\r\n", "a\n\r\n"}) {
        CAPTURE(bytes);
        CHECK(stuffed(bytes).error() == errc::body_not_canonical);
    }
}

TEST_CASE("smtp data: any split gives the same bytes, facts and refusals", "[smtp]") {
    std::minstd_rand random(20261127);
    for (int round = 0; round < 20'000; ++round) {
        const std::string bytes = round < static_cast<int>(smuggling.size())
                                      ? smuggling[static_cast<std::size_t>(round)]
                                      : random_bytes(random);
        const auto whole = stuffed(bytes);
        const std::string normal = canonical(bytes);
        const auto facts = facts_of(bytes);
        for (std::size_t piece = 1; piece <= 4; ++piece) {
            CAPTURE(bytes, piece);
            REQUIRE((stuffed(bytes, piece) == whole));
            REQUIRE(canonical(bytes, piece) == normal);
            REQUIRE(facts_of(bytes, piece) == facts);
        }
        // What is canonical can be sent, and nothing else; but a last line without its end is given one.
        REQUIRE(whole.has_value() == (!facts.bare_cr && !facts.bare_lf));
        REQUIRE((normal == bytes) == facts.canonical());
        REQUIRE(canonical(normal) == normal);
        REQUIRE(facts_of(normal).canonical());
    }
}

TEST_CASE("smtp data: every server sees exactly one mail, whatever bytes came in", "[smtp][hostile-14]") {
    std::minstd_rand random(20261128);
    for (int round = 0; round < 20'000; ++round) {
        const std::string bytes = round < static_cast<int>(smuggling.size())
                                      ? smuggling[static_cast<std::size_t>(round)]
                                      : random_bytes(random);
        const std::string normal = canonical(bytes);
        const auto sent = stuffed(normal);
        CAPTURE(bytes, normal);
        REQUIRE(sent.has_value());
        for (const auto& read : {support::read_data_strictly(*sent), support::read_data_carelessly(*sent)}) {
            REQUIRE(read.mails == std::vector<std::string>{normal});
            REQUIRE(read.rest.empty());
        }
        // Bytes that nobody made canonical are sent as they are or not at all.
        const auto raw = stuffed(bytes);
        if (!raw) continue;
        REQUIRE(support::read_data_carelessly(*raw).mails == support::read_data_strictly(*raw).mails);
        REQUIRE(support::read_data_carelessly(*raw).mails.size() == 1);
        REQUIRE(support::read_data_carelessly(*raw).rest.empty());
    }
}

TEST_CASE("smtp data: nothing that is not canonical is handed out before it is refused", "[smtp][hostile-14]") {
    for (const std::string& bytes : smuggling) {
        for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
            DotStuffing stuffing;
            std::string sent;  // what somebody would have sent who sends each chunk at once
            bool refused = false;
            for (const auto chunk : cut(bytes, piece)) {
                std::string out;
                refused = stuffing.put(chunk, out).has_error();
                if (refused) break;
                sent += out;
            }
            CAPTURE(bytes, piece, sent);
            if (refused) CHECK(support::read_data_carelessly(sent).mails.empty());
        }
    }
}

TEST_CASE("smtp data: what bytes are made of", "[smtp]") {
    CHECK(facts_of("") == BodyFacts{});
    CHECK(facts_of("abc\r\nd\r\n") == BodyFacts{.bytes = 8, .line_bytes_max = 3});
    CHECK(facts_of("a\r\nbcd") == BodyFacts{.bytes = 6, .line_bytes_max = 3, .ends_with_crlf = false});
    CHECK(facts_of("abc\nd") == BodyFacts{.bytes = 5, .line_bytes_max = 3, .bare_lf = true, .ends_with_crlf = false});
    CHECK(facts_of("a\rb\r\n") == BodyFacts{.bytes = 5, .line_bytes_max = 3, .bare_cr = true});
    CHECK(facts_of("a\r\r\n") == BodyFacts{.bytes = 4, .line_bytes_max = 2, .bare_cr = true});
    CHECK(facts_of(std::string("\0\xfc\r\n", 4)) ==
          BodyFacts{.bytes = 4, .line_bytes_max = 2, .nul = true, .eight_bit = true});
    CHECK(facts_of(std::string(998, 'x') + "\r\n").line_bytes_max == 998);
    CHECK(facts_of("a\r").bare_cr);
    for (std::size_t at = 0; at < 20; ++at) {
        std::string text(20, 'x');
        CHECK_FALSE(facts_of(text).eight_bit);
        text[at] = '\x80';
        CHECK(facts_of(text).eight_bit);
    }
}

TEST_CASE("smtp data: bytes become canonical, and no new header comes out of a CR", "[smtp][hostile-14]") {
    CHECK(canonical("") == "");
    CHECK(canonical("a\nb") == "a\r\nb\r\n");
    CHECK(canonical("a\r\nb\r\n") == "a\r\nb\r\n");
    CHECK(canonical("Subject: a\rBcc: x@y\n") == "Subject: a Bcc: x@y\r\n");
    CHECK(canonical("a\r\r\nb") == "a \r\nb\r\n");
    CHECK(canonical("a\n\rb") == "a\r\n b\r\n");
    CHECK(canonical("a\r") == "a \r\n");
    CHECK(canonical("\n\n") == "\r\n\r\n");
}

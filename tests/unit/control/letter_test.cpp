#include "engine/control/letter.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "protocols/base/base64.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/support/places.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace json = boost::json;

namespace {

using Read = std::variant<submission::Order, config::Faults>;

Read read(const json::value& document) {
    support::SeededRandom random;
    return control::order_of_letter(json::serialize(document), random);
}

submission::Order order_of(const json::value& document) {
    auto read_one = read(document);
    if (const auto* faults = std::get_if<config::Faults>(&read_one)) {
        for (const auto& fault : faults->list()) UNSCOPED_INFO(config::text_of(fault));
    }
    REQUIRE(std::holds_alternative<submission::Order>(read_one));
    return std::get<submission::Order>(std::move(read_one));
}

/// "path: what" of the first fault; empty: there is none.
std::string fault_of(std::string document) {
    support::SeededRandom random;
    const auto read_one = control::order_of_letter(std::move(document), random);
    const auto* faults = std::get_if<config::Faults>(&read_one);
    return faults == nullptr ? std::string() : config::text_of(faults->list().front());
}

/// The whole mail as it is kept.
std::string kept(submission::Order order) {
    support::SeededRandom random;
    auto drafted = submission::drafted(std::move(order), random, WallTime(std::chrono::seconds(1'795'000'000)));
    if (const auto* fault = std::get_if<submission::Fault>(&drafted)) FAIL(fault->what);
    return std::get<submission::Draft>(drafted).message;
}

/// Letters that try what a header or a part can be mistaken in.
class RandomLetter {
public:
    explicit RandomLetter(std::uint64_t seed) : engine_(seed) {}

    json::object make() {
        json::object letter{{"from", person(true)}, {"subject", line(200)}, {"key", "k"}};
        for (const char* key : {"to", "cc", "bcc", "reply_to"}) letter[key] = people();
        letter["to"].as_array().push_back(person(false));
        if (!one_in(4)) letter["text"] = text();
        if (!one_in(3)) letter["html"] = "<p>" + text() + "</p>";
        if (one_in(2))
            letter["headers"] =
                json::object{{"X-" + std::string(up_to(20) + 1, 'h'), line(300)},
                             {"List-Unsubscribe", "<https://a.test/" + std::string(up_to(600), 'u') + ">"}};
        if (one_in(3)) letter["in_reply_to"] = ids(1);
        if (one_in(3)) letter["references"] = ids(40);
        json::array enclosures;
        for (std::size_t left = up_to(3); left > 0; --left) enclosures.push_back(enclosure(letter.contains("html")));
        if (!enclosures.empty()) letter["attachments"] = std::move(enclosures);
        return letter;
    }

private:
    std::size_t up_to(std::size_t most) { return static_cast<std::size_t>(engine_() % (most + 1)); }
    bool one_in(std::size_t count) { return up_to(count - 1) == 0; }

    std::string character() {
        static constexpr std::array<std::pair<char32_t, char32_t>, 8> ranges{{{0x20, 0x7e},
                                                                              {0x20, 0x7e},
                                                                              {0xa1, 0x17f},
                                                                              {0x5d0, 0x5ea},
                                                                              {0x4e00, 0x4fff},
                                                                              {0x1f4e0, 0x1f5ff},
                                                                              {0x301, 0x310},
                                                                              {0x200e, 0x200f}}};
        const auto [first, last] = ranges[up_to(ranges.size() - 1)];
        const auto point = first + static_cast<char32_t>(up_to(last - first));
        std::string utf8;
        const auto put = [&](char32_t bits) { utf8 += static_cast<char>(bits); };
        if (point < 0x80) {
            put(point);
        } else if (point < 0x800) {
            put(0xc0 | point >> 6U), put(0x80 | (point & 0x3f));
        } else if (point < 0x10000) {
            put(0xe0 | point >> 12U), put(0x80 | (point >> 6U & 0x3f)), put(0x80 | (point & 0x3f));
        } else {
            put(0xf0 | point >> 18U), put(0x80 | (point >> 12U & 0x3f)), put(0x80 | (point >> 6U & 0x3f)),
                put(0x80 | (point & 0x3f));
        }
        return utf8;
    }

    /// Sometimes plain words, sometimes anything; begins and ends with what is no blank.
    std::string line(std::size_t characters_max) {
        static constexpr std::array<std::string_view, 10> words{
            "Re:", "=?utf-8?B?w6Q=?=", "\"a\"", "b,c", "(d)", "<e@f>", "g;h", "\\", "Rechnung", "100%"};
        std::string made;
        const bool plain = one_in(2);
        for (std::size_t left = 1 + up_to(plain ? 20 : characters_max); left > 0; --left)
            made += plain ? std::string(words[up_to(words.size() - 1)]) + " " : character();
        return "a" + made + "z";
    }

    std::string text() {
        static constexpr std::array<std::string_view, 6> ends{"\n", "\r\n", "\n\n", " \n", "\n.\n", "\n--=_\n"};
        std::string made;
        const bool ascii = one_in(2);
        for (std::size_t left = up_to(12); left > 0; --left) {
            for (std::size_t more = up_to(one_in(5) ? 1500 : 60); more > 0; --more)
                made += ascii ? std::string(1, static_cast<char>(' ' + up_to(94))) : character();
            made += ends[up_to(ends.size() - 1)];
        }
        return made;
    }

    json::object person(bool desk) {
        json::object one{{"address", desk ? "desk@sim.test" : fmt::format("p{}@there.test", engine_())}};
        if (!one_in(3)) one["name"] = line(60);
        return one;
    }
    json::array people() {
        json::array list;
        for (std::size_t left = up_to(3); left > 0; --left) list.push_back(person(false));
        return list;
    }
    json::array ids(std::size_t most) {
        json::array list;
        for (std::size_t left = 1 + up_to(most - 1); left > 0; --left)
            list.push_back(json::value(fmt::format("<{}.{}@there.test>", engine_(), std::string(up_to(120), 'i'))));
        return list;
    }
    json::object enclosure(bool has_html) {
        std::string bytes;
        for (std::size_t left = up_to(3000); left > 0; --left) bytes += static_cast<char>(engine_());
        json::object one{{"filename", line(one_in(4) ? 250 : 20)},
                         {"content_type", one_in(2) ? "image/png" : "text/csv; charset=utf-8"},
                         {"content", base64_encoded(bytes)}};
        if (one_in(2)) one["content_id"] = fmt::format("{}@sim", engine_());
        if (one.contains("content_id") && has_html && one_in(2)) one["inline"] = true;
        return one;
    }

    std::mt19937_64 engine_;
};

}  // namespace

TEST_CASE("letter: Python's email package reads back what a mail was composed of", "[letter]") {
    const TemporaryDirectory directory;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        const auto document = RandomLetter(seed).make();
        std::ofstream(directory.path() / fmt::format("{}.json", seed), std::ios::binary) << json::serialize(document);
        std::ofstream(directory.path() / fmt::format("{}.eml", seed), std::ios::binary) << kept(order_of(document));
    }
    const auto compared =
        support::run_to_end({.command = {"python3", support::source_directory() + "/tests/support/read_letters.py",
                                         directory.path().string()}});
    INFO(compared.output << compared.errors);
    CHECK(compared.exit_code == 0);
}

TEST_CASE("letter: a small mail is as it is expected, with its wishes and recipients", "[letter]") {
    const auto order = order_of(json::parse(R"({"from": "\"Desk, the\" <desk@sim.test>", "to": ["A B <a@there.test>"],
        "cc": {"name": "Jürgen", "address": "j@there.test"}, "bcc": "secret@there.test", "subject": "Grüße",
        "text": "Hallo Jürgen,\nwie geht's?\n", "key": "7", "lane": "bulk", "not_before_ms": 1795000000000,
        "life_s": 60, "headers": {"X-Ticket": "12", "List-Id": "<desk.sim.test>"}})"));
    CHECK(order.message ==
          "From: \"Desk, the\" <desk@sim.test>\r\nTo: A B <a@there.test>\r\nCc: =?utf-8?B?SsO8cmdlbg==?= "
          "<j@there.test>\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\nX-Ticket: 12\r\nList-Id: <desk.sim.test>\r\n"
          "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\nHallo J=C3=BCrgen,\r\nwie geht's?\r\n");
    CHECK(order.sender == "desk@sim.test");
    CHECK(order.recipients == std::vector<std::string>{"a@there.test", "j@there.test", "secret@there.test"});
    CHECK(order.key == "7");
    CHECK(order.lane == store::Lane::bulk);
    CHECK(order.life == std::chrono::seconds(60));
    CHECK(order.not_before == store::Millis(std::chrono::milliseconds(1795000000000)));
    CHECK_FALSE(order.recipients_of_headers);
}

TEST_CASE("letter: reports are asked for in the envelope, for each recipient", "[letter]") {
    const auto order = order_of(json::parse(R"({"from": "desk@sim.test", "to": ["a@there.test", "b@there.test"],
        "dsn": {"notify": ["failure", "success"], "return": "headers", "envelope_id": "case 7+"}})"));
    CHECK(order.notify == smtp::Notify{.never = false, .success = true, .failure = true, .delay = false});
    CHECK(order.returned == smtp::Returned::headers);
    CHECK(order.envelope_id == "case 7+");
    support::SeededRandom random;
    const auto drafted = submission::drafted(order, random, WallTime(std::chrono::seconds(1'795'000'000)));
    const auto& envelope = std::get<submission::Draft>(drafted).ticket.envelope;
    REQUIRE(envelope.recipients.size() == 2);
    for (const auto& recipient : envelope.recipients) CHECK(recipient.notify == order.notify);
    CHECK(envelope.id == "case 7+");
    CHECK(order_of(json::parse(R"({"from": "desk@sim.test", "to": "a@there.test", "dsn": {"notify": "never"}})"))
              .notify.never);
}

TEST_CASE("letter: what is wrong is told with its place, and no field can smuggle another one in",
          "[letter][hostile-13]") {
    struct Row {
        std::string more;
        std::string fault;
    };
    const std::string image = R"("content_type": "image/png", "content": "AAAA")";
    const Row rows[] = {
        {R"("subject": "a\r\nBcc: x@y.test")", "/subject: found \"a\\x0d\\x0aBcc: x@y.test\", expected"},
        {R"("subject": "a\nb")", "/subject: "},
        {R"("subject": "a\u0000b")", "/subject: "},
        {R"("text": "a\u0000b")", "/text: "},
        {R"("to": ["a@b.test", {"name": "a\r\nX: y", "address": "c@d.test"}])", "/to/1/name: "},
        {R"("to": ["a@b.test>\r\nRCPT TO:<x@y.test"])", "/to/0: "},
        {R"("cc": "a@b.test, c@d.test")", "/cc: "},
        {R"("cc": "Doe, Jane <c@d.test>")", "/cc: the name has one of"},
        {R"("bcc": [7])", "/bcc/0: found the number 7, expected an address"},
        {R"("reply_to": {"adress": "a@b.test"})", "/reply_to/adress: unknown key; did you mean \"address\"?"},
        {R"("headers": {"X-A": "b\r\nc"})", "/headers/X-A: "},
        {R"("headers": {"X-A\r\nBcc": "b"})", "/headers/X-A\\x0d\\x0aBcc: "},
        {R"("headers": {"X-A: b": "c"})", "/headers/X-A: b: is not a field that may be set here"},
        {R"("headers": {"Received": "x"})", "/headers/Received: is not a field that may be set here"},
        {R"("headers": {"DKIM-Signature": "x"})", "/headers/DKIM-Signature: is not"},
        {R"("headers": {"x-rohrpost-key": "x"})", "/headers/x-rohrpost-key: is not"},
        {R"("headers": {"List-Id": "ä"})", "/headers/List-Id: found"},
        {R"("in_reply_to": "<a@b> c")", "/in_reply_to: "},
        {R"("references": ["<a@b>", "<a\r\n@b>"])", "/references/1: "},
        {R"("attachments": [{"filename": "a\r\nb", )" + image + "}]", "/attachments/0/filename: "},
        {R"("attachments": [{"content": "AAA"}])", "/attachments/0/content: is not base64"},
        {R"("attachments": [{}])", "/attachments/0/content: missing"},
        {R"("attachments": [{"content": "AAAA", "content_type": "message/rfc822"}])", "/attachments/0/content_type: "},
        {R"("attachments": [{"content": "AAAA", "content_type": "a/b; name=x"}])", "/attachments/0/content_type: "},
        {R"("attachments": [{"content": "AAAA", "content_type": "a/b\r\nX: y"}])", "/attachments/0/content_type: "},
        {R"("attachments": [{"content_id": "a> b", )" + image + "}]", "/attachments/0/content_id: "},
        {R"("attachments": [{"inline": true, "content_id": "a", )" + image + "}]",
         "/attachments/0/inline: there is no \"html\""},
        {R"("html": "x", "attachments": [{"inline": true, )" + image + "}]", "/attachments/0/content_id: missing"},
        {R"("lane": "fast")", "/lane: found \"fast\", expected"},
        {R"("life_s": 0)", "/life_s: found the number 0, expected a whole number from 1 to 2592000"},
        {R"("not_before_ms": -1)", "/not_before_ms: "},
        {R"("dsn": "never")", "/dsn: found \"never\", expected {"},
        {R"("dsn": {"notify": "often"})", "/dsn/notify: found \"often\", expected \"never\", or a list of"},
        {R"("dsn": {"notify": []})", "/dsn/notify: "},
        {R"("dsn": {"notify": ["never"]})", "/dsn/notify: "},
        {R"("dsn": {"return": "FULL"})", "/dsn/return: found \"FULL\", expected \"full\" or \"headers\""},
        {R"("dsn": {"envelope_id": "a\r\nRCPT TO:<x@y.test>"})", "/dsn/envelope_id: "},
        {R"("dsn": {"envelope_id": "ä"})", "/dsn/envelope_id: "},
        {R"("dsn": {"envelope_id": ")" + std::string(101, 'a') + "\"}", "/dsn/envelope_id: "},
        {R"("dsn": {"envid": "a"})", "/dsn/envid: unknown key"},
        {R"("a/b~c": 1)", "/a~1b~0c: unknown key"},
        {R"("betreff": "x")", "/betreff: unknown key; expected \"from\""},
    };
    for (const auto& row : rows) {
        CAPTURE(row.more);
        const auto fault = fault_of(R"({"from": "desk@sim.test", "to": "a@there.test", )" + row.more + "}");
        CHECK(fault.substr(0, row.fault.size()) == row.fault);
    }
    CHECK(fault_of(R"({"to": "a@there.test"})").starts_with("/from: missing"));
    CHECK(fault_of(R"({"from": "desk@sim.test"})").starts_with("/to: missing"));
    CHECK(fault_of("[]") == "found an empty list, expected an object");
    CHECK(fault_of("{\"from\": \"\xff\"}") == "not JSON: syntax error at line 1, column 11");
    CHECK(fault_of("{\n  \"to\": }").ends_with(" at line 2, column 9"));
    CHECK(fault_of(std::string(100'000, '[')).starts_with("not JSON: too deep"));
}

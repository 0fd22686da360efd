#include <catch2/catch.hpp>
#include <ctime>
#include <string>
#include <vector>

#include "protocols/imap/errc.hpp"
#include "protocols/imap/response_reader.hpp"

using imap::Limits;
using imap::ResponseReader;
using Kind = ResponseReader::Event::Kind;

namespace {

std::string shown(const imap::FetchItem& item) {
    std::string text = "fetched " + std::to_string(item.sequence) + " uid=" + std::to_string(item.uid) +
                       " size=" + std::to_string(item.size) + " date=" + item.internal_date + " flags=";
    for (const std::string& flag : item.flags) text += flag + ' ';
    if (!item.email_id.empty()) text += "id=" + item.email_id + ' ';
    return text + (item.has_body ? "body" : "no body");
}

/// Everything that a reader says about `bytes`, which arrive in pieces; chunks of one body are put together.
/// Ends with the error, or with "more" when something is left unfinished.
std::vector<std::string> said_about(std::string_view bytes, std::size_t piece_bytes, Limits limits = {}) {
    ResponseReader reader(limits);
    std::vector<std::string> said;
    std::string unread;
    for (;;) {
        const auto event = reader.read(unread);
        if (!event) {
            said.push_back(event.error().message());
            return said;
        }
        switch (event->kind) {
            case Kind::more:
                break;
            case Kind::response:
                said.push_back("response " + std::string(event->text));
                break;
            case Kind::body_begins: {
                const auto origin = reader.body_origin();
                said.push_back((reader.body_is_head() ? "head " : "body ") + std::to_string(reader.item().body_bytes) +
                               (origin ? "<" + std::to_string(*origin) + ">: " : ": "));
                break;
            }
            case Kind::body_bytes:
                said.back() += event->text;
                break;
            case Kind::fetched:
                said.push_back(shown(reader.item()));
                break;
            case Kind::found:
                said.push_back("found " + reader.take_found().text());
                break;
        }
        unread.erase(0, event->used_bytes);
        if (event->kind != Kind::more) continue;
        if (bytes.empty()) break;
        unread += bytes.substr(0, piece_bytes);
        bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
    }
    if (!unread.empty()) said.emplace_back("more");
    return said;
}

struct Row {
    const char* bytes;
    std::vector<std::string> said;
};

const std::vector<Row> rows = {
    {"* OK hi {5}\r\n", {"response * OK hi {5}"}},
    {"R1 OK done\r\n* 3 EXISTS\n+ go\r\n", {"response R1 OK done", "response * 3 EXISTS", "response + go"}},
    {"Server Unavailable. 15\r\n\r\n", {"response Server Unavailable. 15", "response "}},
    {"[COPYUID 55 31 6]\r\n* OK [HIGHESTMODSEQ 9]\r\n",
     {"response [COPYUID 55 31 6]", "response * OK [HIGHESTMODSEQ 9]"}},
    {"* LIST () \"/\" {5}\r\na\r\nbc\r\n", {"response * LIST () \"/\" {5}\r\na\r\nbc"}},
    {"* LIST () {1}\r\n/ {0}\r\n (x {2}\r\nyz)\r\nR1 OK\r\n",
     {"response * LIST () {1}\r\n/ {0}\r\n (x {2}\r\nyz)", "response R1 OK"}},
    {"* SEARCH 2 3 4 9\r\n* SEARCH\r\n* search 5 \r\n* SEARCH 7 (MODSEQ 99)\r\n",
     {"found 2:4,9", "found ", "found 5", "found 7"}},
    {"* 12 FETCH (UID 7 BODY[] {5}\r\nhe\r\no)\r\n", {"body 5: he\r\no", "fetched 12 uid=7 size=0 date= flags=body"}},
    {"* 12 fetch (body[] {3+}\r\nabc uid 7 flags (\\Seen $x) rfc822.size 9 internaldate \"d\\\"d\")\r\n",
     {"body 3: abc", "fetched 12 uid=7 size=9 date=d\"d flags=\\Seen $x body"}},
    {"* 1 FETCH (UID 7 BODY[]<10> ~{2}\r\n\x01\xff)\r\n",
     {"body 2<10>: \x01\xff", "fetched 1 uid=7 size=0 date= flags=body"}},
    {"* 1 FETCH (UID 7 BODY[] \"a \\\"q\\\" \\\\\" FLAGS ())\r\n",
     {"body 7: a \"q\" \\", "fetched 1 uid=7 size=0 date= flags=body"}},
    {"* 1 FETCH (UID 7 BODY[] NIL)\r\n* 2 FETCH (BODY[] \"\")\r\n* 3 FETCH (BODY[] {0}\r\n UID 1)\r\n",
     {"fetched 1 uid=7 size=0 date= flags=no body", "fetched 2 uid=0 size=0 date= flags=no body",
      "fetched 3 uid=1 size=0 date= flags=no body"}},
    {"* 1 FETCH (ENVELOPE (NIL {3}\r\na)b ((\"x\" NIL \"(\" {1}\r\n)))) BODYSTRUCTURE (\"a\" -1 () (())) UID 7)\r\n",
     {"fetched 1 uid=7 size=0 date= flags=no body"}},
    {"* 1 FETCH (BODY[HEADER.FIELDS (A B)] {2}\r\nxy RFC822.SIZE -4 UID 7 MODSEQ (12) INTERNALDATE NIL)\r\n",
     {"head 2: xy", "fetched 1 uid=7 size=0 date= flags=body"}},
    {"* 1 FETCH (body[header.fields (\"A\")]<0> \"xy\" UID 7)\r\n",
     {"head 2<0>: xy", "fetched 1 uid=7 size=0 date= flags=body"}},
    {"* 1 FETCH (BODY[HEADER] {2}\r\nxy BODY[1.MIME] NIL UID 7 BODY[] {1}\r\nz)\r\n* 2 FETCH (BODY[HEADER.FIELDS (A)] "
     "NIL)\r\n",
     {"body 1: z", "fetched 1 uid=7 size=0 date= flags=body", "fetched 2 uid=0 size=0 date= flags=no body"}},
    {"* 1 FETCH (UID 7 BODY[] {2}\r\n)\n)\r\n* 2 EXISTS\r\n",
     {"body 2: )\n", "fetched 1 uid=7 size=0 date= flags=body", "response * 2 EXISTS"}},
    {"* 1 FETCH (UID 7 X-GM-MSGID 1278455344230334865 FLAGS ())\r\n"
     "* 2 FETCH (emailid ( M6d99-ac_32 ) UID 8)\r\n* 3 FETCH (EMAILID (M1) UID 9)\r\n* 4 FETCH (X-GM-MSGID NIL)\r\n",
     {"fetched 1 uid=7 size=0 date= flags=id=1278455344230334865 no body", "fetched 2 uid=8 size=0 date= flags=no body",
      "fetched 3 uid=9 size=0 date= flags=id=M1 no body", "fetched 4 uid=0 size=0 date= flags=no body"}},
    {"* 1 FETCH (EMAILID (a b) UID 1)\r\n* 2 FETCH (EMAILID \"(a)\" UID 2)\r\n* 3 FETCH (EMAILID {3}\r\n(a) UID 3)\r\n"
     "* 4 FETCH (EMAILID () UID 4)\r\n* 5 FETCH (EMAILID ((a)) UID 5)\r\n* 6 FETCH (EMAILID (a,b) UID 6)\r\n",
     {"fetched 1 uid=1 size=0 date= flags=no body", "fetched 2 uid=2 size=0 date= flags=no body",
      "fetched 3 uid=3 size=0 date= flags=no body", "fetched 4 uid=4 size=0 date= flags=no body",
      "fetched 5 uid=5 size=0 date= flags=no body", "fetched 6 uid=6 size=0 date= flags=no body"}},
    {"* 1 FETCH (INTERNALDATE (\"x\" (\"y\")) FLAGS \"a\" UID 1)\r\n", {"fetched 1 uid=1 size=0 date= flags=no body"}},
    {"* 5 FETCHED x\r\n* 5 FETCH 3\r\n* FETCH (UID 3)\r\n",
     {"response * 5 FETCHED x", "response * 5 FETCH 3", "response * FETCH (UID 3)"}},
};

/// Whether what was said about a front of the bytes is the front of what was said about all of them.
bool is_front(const std::vector<std::string>& front, const std::vector<std::string>& whole) {
    for (std::size_t at = 0; at < front.size(); ++at) {
        const bool last = at + 1 == front.size();
        if (last && front[at] == "more") return true;
        if (at >= whole.size()) return false;
        if (last ? !whole[at].starts_with(front[at]) : whole[at] != front[at]) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("response reader: what servers say, in any split", "[imap]") {
    for (const Row& row : rows) {
        CAPTURE(row.bytes);
        for (const std::size_t piece_bytes : {1000U, 1U, 2U, 3U, 5U, 11U}) {
            CAPTURE(piece_bytes);
            CHECK(said_about(row.bytes, piece_bytes) == row.said);
        }
    }
}

TEST_CASE("response reader: each proper prefix asks for more and foretells nothing wrong", "[imap]") {
    for (const Row& row : rows) {
        const std::string_view bytes = row.bytes;
        for (std::size_t kept = 0; kept < bytes.size(); ++kept) {
            CAPTURE(row.bytes, kept);
            const auto said = said_about(bytes.substr(0, kept), 1000);
            CHECK(said != row.said);
            CHECK(is_front(said, row.said));
        }
    }
}

TEST_CASE("response reader: two responses at once are read like two by two", "[imap]") {
    for (const Row& first : rows) {
        for (const Row& second : rows) {
            std::vector<std::string> both = first.said;
            both.insert(both.end(), second.said.begin(), second.said.end());
            const std::string bytes = std::string(first.bytes) + second.bytes;
            CAPTURE(bytes);
            CHECK(said_about(bytes, 1000) == both);
            CHECK(said_about(bytes, 4) == both);
        }
    }
}

TEST_CASE("response reader: broken FETCH answers are errors, in any split", "[imap]") {
    for (const char* bytes :
         {"* 1 FETCH (UID)\r\n", "* 1 FETCH (UID 0)\r\n", "* 1 FETCH (UID x)\r\n", "* 1 FETCH (UID 4294967296)\r\n",
          "* 1 FETCH (UID 7\r\n", "* 1 FETCH (FLAGS (\\Seen)\r\n", "* 1 FETCH (FLAGS (\\Seen\r\n",
          "* 1 FETCH (BODY[] 7)\r\n", "* 1 FETCH (BODY[] {2} x)\r\n", "* 1 FETCH (BODY[ {2}\r\n",
          "* 1 FETCH (BODY[]<x> {2}\r\n", "* 1 FETCH (BODY[] \"abc)\r\n", "* 1 FETCH (UID 7) x\r\n",
          "* 1 FETCH (BODY[] {1}\r\na BODY[] {1}\r\nb)\r\n", "* 1 FETCH (X ))\r\n", "* SEARCH 1 x\r\n",
          "* SEARCH 0\r\n", "* SEARCH 99999999999\r\n"}) {
        CAPTURE(bytes);
        const std::string malformed = make_error_code(imap::errc::malformed_response).message();
        CHECK(said_about(bytes, 1000).back() == malformed);
        CHECK(said_about(bytes, 1).back() == malformed);
    }
}

TEST_CASE("response reader: an announced size allocates nothing and is checked first", "[imap][hostile-29]") {
    const std::string too_long = make_error_code(imap::errc::literal_too_long).message();
    for (const char* bytes :
         {"* 1 FETCH (UID 7 BODY[] {4294967295}\r\n", "* 1 FETCH (UID 7 BODY[] {9999999999}\r\n",
          "* 1 FETCH (UID 7 BODY[] {99999999999999999999999}\r\n", "* LIST () \"/\" {4294967295}\r\n",
          "* LIST () \"/\" {99999999999999999999999}\r\n", "* 1 FETCH (ENVELOPE ({70000}\r\n", "* X ~{70000}\r\n"}) {
        CAPTURE(bytes);
        CHECK(said_about(bytes, 1000).back() == too_long);
    }
    Limits limits;
    limits.body_bytes_max = 1ULL << 40U;
    CHECK(said_about("* 1 FETCH (BODY[] {1099511627776}\r\nabc", 1000, limits) ==
          std::vector<std::string>{"body 1099511627776: abc"});
    limits.small_literal_bytes_max = 10;
    CHECK(said_about("* X {6}\r\n123456 {6}\r\n", 1000, limits) == std::vector<std::string>{too_long});
}

TEST_CASE("response reader: a line without end is cut off at its limit", "[imap][hostile-31]") {
    Limits limits;
    limits.line_bytes_max = 100;
    const std::string too_long = make_error_code(imap::errc::line_too_long).message();
    for (const std::string begin : {"* 1 FETCH (FLAGS (", "* OK ", "x", "* SEARCH (", "* 1 FETCH (A {1}\r\nx B ("}) {
        CAPTURE(begin);
        CHECK(said_about(begin + std::string(1000, 'a'), 1000, limits).back() == too_long);
        CHECK(said_about(begin + std::string(1000, 'a'), 1, limits).back() == too_long);
    }
    std::string pieces = "* X ";
    for (int piece = 0; piece < 50; ++piece) pieces += "{1}\r\na ";
    CHECK(said_about(pieces, 1000, limits).back() == too_long);
}

TEST_CASE("response reader: a SEARCH answer is not bound by the limit of lines but by its ranges", "[imap]") {
    std::string all = "* SEARCH";
    for (int uid = 1; uid <= 100'000; ++uid) all += ' ' + std::to_string(uid);
    CHECK(said_about(all + "\r\n", 4096) == std::vector<std::string>{"found 1:100000"});
    Limits limits;
    limits.ranges_max = 3;
    CHECK(said_about("* SEARCH 1 3 5 6\r\n", 1000, limits) == std::vector<std::string>{"found 1,3,5:6"});
    CHECK(said_about("* SEARCH 7 5 3 1\r\n", 1000, limits).back() ==
          make_error_code(imap::errc::too_many_responses).message());
}

TEST_CASE("response reader: nesting ends at its limit, and a hundred thousand levels cost nothing",
          "[imap][hostile-32]") {
    Limits limits;
    limits.line_bytes_max = 1'000'000;
    const std::string deep(100'000, '(');
    CHECK(said_about("* 1 FETCH (BODYSTRUCTURE " + deep + "\r\n", 1U << 20U, limits).back() ==
          make_error_code(imap::errc::nesting_too_deep).message());
    const std::string most(limits.nesting_max, '(');
    const std::string closed(limits.nesting_max, ')');
    CHECK(said_about("* 1 FETCH (A " + most + closed + " UID 3)\r\n", 1000) ==
          std::vector<std::string>{"fetched 1 uid=3 size=0 date= flags=no body"});
}

TEST_CASE("response reader: bodies are views into the bytes handed in", "[imap]") {
    ResponseReader reader(Limits{});
    const std::string bytes = "* 1 FETCH (UID 7 BODY[] {10}\r\n0123456789)\r\n";
    const auto begins = reader.read(bytes);
    REQUIRE(begins->kind == Kind::body_begins);
    const auto body = reader.read(std::string_view(bytes).substr(begins->used_bytes));
    REQUIRE(body->kind == Kind::body_bytes);
    CHECK(body->text.data() == bytes.data() + begins->used_bytes);
    CHECK(body->text.size() == 10);
}

TEST_CASE("response reader: time per FETCH answer", "[.measure]") {
    std::string bytes;
    for (int message = 1; message <= 256; ++message)
        bytes += "* " + std::to_string(message) + " FETCH (UID " + std::to_string(message) +
                 " FLAGS (\\Seen) INTERNALDATE \"17-Jul-2026 02:44:25 -0700\" RFC822.SIZE 4096 BODY[] {4096}\r\n" +
                 std::string(4096, 'x') + ")\r\n";
    ResponseReader reader(Limits{});
    std::size_t answers = 0;
    const std::clock_t begin = std::clock();
    for (int round = 0; round < 1000; ++round) {
        std::string_view left = bytes;
        while (!left.empty()) {
            const auto event = reader.read(left);
            left.remove_prefix(event->used_bytes);
            answers += event->kind == Kind::fetched ? 1 : 0;
        }
    }
    const double took_ns = 1e9 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    WARN(took_ns / static_cast<double>(answers) << " ns of CPU for each of " << answers);
    CHECK(answers == 256'000);
}

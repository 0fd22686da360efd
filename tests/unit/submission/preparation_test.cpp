#include "engine/submission/preparation.hpp"

#include <catch2/catch.hpp>

#include "engine/submission/acceptance.hpp"
#include "tests/support/hand_clock.hpp"

using submission::errc;
using submission::Preparation;

namespace {

Preparation::Options options() {
    Preparation::Options chosen;
    chosen.mark = "mark";
    chosen.from = "desk@sim.test";
    chosen.id_domain = "sim.test";
    chosen.now = WallTime(std::chrono::seconds(1'795'000'000));
    return chosen;
}

struct Prepared {
    std::string bytes;
    Preparation::Facts facts;
};

Result<Prepared> prepare(std::string_view message, std::size_t piece, Preparation::Options chosen = options()) {
    Preparation preparation(std::move(chosen));
    Prepared done;
    for (std::size_t at = 0; at < message.size(); at += piece) {
        const auto taken = preparation.put(message.substr(at, piece), done.bytes);
        if (!taken) return taken.error();
    }
    auto facts = preparation.finish(done.bytes);
    if (!facts) return facts.error();
    done.facts = std::move(*facts);
    return done;
}

const std::string whole =
    "From: Desk <desk@sim.test>\r\nTo: a@b.test\r\nDate: Fri, 27 Nov 2026 05:00:00 +0000\r\nMessage-ID: "
    "<1@sim.test>\r\n"
    "Subject: one\r\n two\r\n\r\nHello\r\n.\r\n..two\r\n";

}  // namespace

TEST_CASE("a whole message gets the private header and is otherwise untouched, however it comes", "[submission]") {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, whole.size()}) {
        CAPTURE(piece);
        const auto done = prepare(whole, piece);
        REQUIRE(done.has_value());
        CHECK(done->bytes == "X-Rohrpost-Submission: mark\r\n" + whole);
        CHECK(done->facts.bytes == done->bytes.size());
        CHECK(done->facts.message_id == "<1@sim.test>");
        CHECK(done->facts.subject == "one two");
        CHECK(done->facts.recipients == std::vector<std::string>{"a@b.test"});
        CHECK(done->facts.from == "desk@sim.test");
        CHECK_FALSE(done->facts.eight_bit);
    }
}

TEST_CASE("what is missing is added, what is nobody's business is taken out", "[submission]") {
    const auto done =
        prepare("Bcc: secret@b.test,\n other@b.test\nTo: a@b.test\nX-Rohrpost-Submission: forged\n\nHi", 5);
    REQUIRE(done.has_value());
    CHECK(done->bytes ==
          "X-Rohrpost-Submission: mark\r\nTo: a@b.test\r\nFrom: <desk@sim.test>\r\nDate: Wed, 18 Nov 2026 11:06:40 "
          "+0000\r\n"
          "Message-ID: <mark@sim.test>\r\n\r\nHi\r\n");
    CHECK(done->facts.recipients == std::vector<std::string>{"secret@b.test", "other@b.test", "a@b.test"});
}

TEST_CASE("a message may be headers alone, or a body alone", "[submission]") {
    CHECK(prepare("To: a@b.test\n", 3)->bytes.ends_with("Message-ID: <mark@sim.test>\r\n\r\n"));
    CHECK(prepare("\nHi\n", 1)->bytes.ends_with("Message-ID: <mark@sim.test>\r\n\r\nHi\r\n"));
    CHECK(prepare("", 1).error() == errc::empty);
}

TEST_CASE("what cannot be sent is refused with its reason", "[submission][hostile-14]") {
    struct Row {
        std::string message;
        errc reason;
    };
    const Row rows[] = {
        {"no header line\n\nbody", errc::header_malformed},
        {" folded: first\n\nbody", errc::header_malformed},
        {"a b: c\n\nbody", errc::header_malformed},
        {"To: a@b.test\n\nx" + std::string(1, '\0'), errc::nul_byte},
        {"Subject: \xe4\n\n", errc::header_not_utf8},
        {"From: a@b.test, c@d.test\n\n", errc::several_from},
        {"From: a@b.test\nFrom: c@d.test\n\n", errc::several_from},
        {"From: nobody at all\n\n", errc::header_malformed},
    };
    for (const auto& row : rows) {
        CAPTURE(row.message.substr(0, 40));
        for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}}) {
            const auto done = prepare(row.message, piece);
            REQUIRE(done.has_error());
            CHECK(done.error() == row.reason);
        }
    }
    std::string loop, headers;
    for (int hop = 0; hop < 51; ++hop) loop += "Received: from a by b\n";
    CHECK(prepare(loop + "\nx", 100).error() == errc::loop);
    while (headers.size() < 300 * 1024) headers += "X-Long: " + std::string(900, 'x') + "\n";
    CHECK(prepare(headers, 4096).error() == errc::headers_too_long);
    CHECK(prepare(headers + "\nbody", headers.size() + 10).error() == errc::headers_too_long);
}

TEST_CASE("where a peer has to send CRLF, nothing else is a line end", "[submission][hostile-14]") {
    auto strict = options();
    strict.line_ends = Preparation::Options::LineEnds::crlf_only;
    CHECK(prepare(whole, 3, strict).has_value());
    for (const char* smuggled :
         {"To: a@b.test\r\n\r\nx\n.\r\ny\r\n", "To: a@b.test\r\n\r\nx\r.\r\ny\r\n",
          "To: a@b.test\r\n\r\nx\r\n.\r\r\ny\r\n", "To: a@b.test\n\nx\n", "To: a@b.test\r\n\r\nx\r"}) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{100}})
            CHECK(prepare(smuggled, piece, strict).error() == errc::bare_line_end);
    }
}

TEST_CASE("what is not ASCII is told, so that no server gets it unasked", "[submission]") {
    CHECK(prepare("Subject: x\n\n\xc3\xa4", 1)->facts.eight_bit);
    CHECK_FALSE(prepare("Subject: x\n\n\xc3\xa4", 1)->facts.utf8_headers);
    CHECK(prepare("Subject: \xc3\xa4\n\nx", 1)->facts.utf8_headers);
}

TEST_CASE("an order is taken with its sender, recipients and times, or refused with the place", "[submission]") {
    support::SeededRandom random;
    const WallTime now(std::chrono::seconds(1'795'000'000));
    submission::Order order;
    order.message = "From: desk@sim.test\nTo: a@b.test, A <a@b.test>\n\nx";
    order.recipients_of_headers = true;
    const auto drafted = submission::drafted(order, random, now);
    REQUIRE(std::holds_alternative<submission::Draft>(drafted));
    const auto& draft = std::get<submission::Draft>(drafted);
    CHECK(draft.ticket.envelope.sender->text() == "desk@sim.test");
    CHECK(draft.ticket.envelope.recipients.size() == 1);
    CHECK(draft.ticket.message_id == "<" + draft.ticket.mark + "@sim.test>");
    CHECK(*draft.submission.due == std::chrono::time_point_cast<std::chrono::milliseconds>(now));

    const auto what = [&](submission::Order asked) {
        const auto got = submission::drafted(std::move(asked), random, now);
        const auto* fault = std::get_if<submission::Fault>(&got);
        return fault == nullptr ? std::string() : fault->what;
    };
    order.recipients_of_headers = false;
    CHECK(what(order) == "the message has no recipient");
    order.recipients = {"a@b.test", "a b@c"};
    CHECK(what(order).find("recipient \"a b@c\": ") == 0);
    order.recipients = {"a@b.test\r\nRCPT TO:<x@y.test>"};
    CHECK(what(order).find("recipient \"a@b.test\\x0d\\x0aRCPT") == 0);
    order.recipients = {"a@b.test"};
    order.sender = "nobody";
    CHECK(what(order).find("sender \"nobody\": ") == 0);
    order.sender.reset();
    order.message = "To: a@b.test\n\nx";
    CHECK(what(order).find("the message has no From field") == 0);
}

TEST_CASE("long lines are encoded or folded when a mail is taken, and refused where that is not possible",
          "[submission]") {
    const auto taken = [](std::string fields, const std::string& body) {
        support::SeededRandom random;
        submission::Order order;
        order.message = "From: desk@sim.test\n" + std::move(fields) + "\n" + body;
        order.recipients = {"a@b.test"};
        return submission::drafted(std::move(order), random, WallTime(std::chrono::seconds(1'795'000'000)));
    };
    const auto kind_of = [](const std::variant<submission::Draft, submission::Fault>& drafted) {
        REQUIRE(std::holds_alternative<submission::Draft>(drafted));
        return std::get<submission::Draft>(drafted).ticket.envelope.body_kind;
    };
    const std::string fits(998, 'x'), longer(999, 'x');
    const std::string utf8 = "Content-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\n";
    auto drafted = taken(utf8, "\xc3\xa4\n" + fits);
    CHECK(kind_of(drafted) == smtp::BodyKind::eight_bit);
    CHECK(std::get<submission::Draft>(drafted).message.ends_with("\r\n\r\n\xc3\xa4\r\n" + fits + "\r\n"));
    drafted = taken(utf8, "\xc3\xa4\n" + longer);
    CHECK(kind_of(drafted) == smtp::BodyKind::seven_bit);
    const auto& message = std::get<submission::Draft>(drafted).message;
    CHECK(message.starts_with("X-Rohrpost-Submission: "));
    CHECK(message.find("\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4\r\nxxx") != std::string::npos);
    drafted = taken("Subject: " + fits + " y\n", "\xc3\xa4\n");
    REQUIRE(std::holds_alternative<submission::Fault>(drafted));
    CHECK(std::get<submission::Fault>(drafted).code == errc::line_too_long);
    CHECK(
        std::get<submission::Fault>(drafted).what ==
        "the message has a line of more than 998 bytes and cannot be encoded anew: the header field Subject has a line "
        "of more than 998 bytes and no white space to fold it at");
    drafted = taken("Bcc: " + longer + "@b.test\n", "short\n");  // it is taken out
    CHECK(std::holds_alternative<submission::Draft>(drafted));
}

TEST_CASE("numbers of submissions read as they were written", "[submission]") {
    for (const store::SubmissionId id :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{1'882'986'531'623'272'448}, INT64_MAX}) {
        CHECK(submission::id_from(submission::id_text(id)) == id);
        CHECK(submission::id_text(id).size() == 13);
    }
    CHECK(submission::id_text(1) < submission::id_text(2));
    for (const char* wrong : {"", "1", "000000000000u", "00000000000001", "zzzzzzzzzzzzz", "00000000 0000"})
        CHECK_FALSE(submission::id_from(wrong).has_value());
}

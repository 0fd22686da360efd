#include "engine/submission/record.hpp"

#include <catch2/catch.hpp>

using namespace submission;

namespace {

Ticket full_ticket() {
    Ticket ticket;
    ticket.envelope.sender = *smtp::Address::of("desk@sim.test");
    ticket.envelope.recipients.push_back(
        {.address = *smtp::Address::of("one@elsewhere.test"), .notify = {}, .original = ""});
    ticket.envelope.recipients.push_back({.address = *smtp::Address::of("\"a:b\"@elsewhere.test"),
                                          .notify = {.never = false, .success = true, .failure = true, .delay = false},
                                          .original = "rfc822;two@elsewhere.test"});
    ticket.envelope.body_kind = smtp::BodyKind::eight_bit;
    ticket.envelope.headers = smtp::Envelope::Headers::utf8;
    ticket.envelope.returned = smtp::Returned::headers;
    ticket.envelope.id = "order:1";
    ticket.message_id = "<1@sim.test>";
    ticket.mark = "mark";
    ticket.subject = "5:five";
    return ticket;
}

}  // namespace

TEST_CASE("a ticket comes back as it was", "[submission]") {
    const Ticket wanted = full_ticket();
    const auto got = ticket_from(encoded(wanted));
    REQUIRE(got.has_value());
    CHECK(encoded(*got) == encoded(wanted));
    CHECK(got->envelope.sender->text() == "desk@sim.test");
    REQUIRE(got->envelope.recipients.size() == 2);
    CHECK(got->envelope.recipients[1].address.text() == "\"a:b\"@elsewhere.test");
    CHECK(got->envelope.recipients[1].notify == wanted.envelope.recipients[1].notify);
    CHECK(got->envelope.recipients[1].original == "rfc822;two@elsewhere.test");
    CHECK(got->envelope.body_kind == smtp::BodyKind::eight_bit);
    CHECK(got->subject == "5:five");
    Ticket bounce = wanted;
    bounce.envelope.sender.reset();
    CHECK_FALSE(ticket_from(encoded(bounce))->envelope.sender.has_value());
}

TEST_CASE("what is cut off or changed is no ticket, or another whole one", "[submission]") {
    const std::string whole = encoded(full_ticket());
    for (std::size_t kept = 0; kept < whole.size(); ++kept) CHECK_FALSE(ticket_from(whole.substr(0, kept)).has_value());
    CHECK_FALSE(ticket_from(whole + "x").has_value());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string bent = whole;
        bent[at] = static_cast<char>(bent[at] + 1);
        const auto got = ticket_from(bent);
        if (got) CHECK(encoded(*got) != whole);
    }
    CHECK_FALSE(ticket_from("1:2").has_value());
    CHECK_FALSE(ticket_from("99999999999999999999:").has_value());
}

TEST_CASE("progress comes back as it was, for as many recipients", "[submission]") {
    Progress wanted;
    wanted.looks = 3;
    wanted.doubts = 1;
    wanted.copies = 2;
    wanted.recipients = {
        {Fate::State::delivered, "250 ok"}, {Fate::State::failed, "550 5.1.1 no"}, {Fate::State::unclear, ""}};
    const auto got = progress_from(encoded(wanted), 3);
    REQUIRE(got.has_value());
    CHECK(*got == wanted);
    CHECK_FALSE(progress_from(encoded(wanted), 2).has_value());
    CHECK(progress_from("", 2)->recipients.size() == 2);
    const std::string whole = encoded(wanted);
    for (std::size_t kept = 1; kept < whole.size(); ++kept)
        CHECK_FALSE(progress_from(whole.substr(0, kept), 3).has_value());
}

TEST_CASE("progress of the format before is read", "[submission]") {
    const auto got = progress_from("1:11:31:11:21:16:250 ok1:00:", 2);
    REQUIRE(got.has_value());
    CHECK(got->looks == 3);
    CHECK(got->doubts == 1);
    CHECK(got->copies == 0);
    CHECK(got->recipients[0] == Fate{Fate::State::delivered, "250 ok"});
    CHECK(got->recipients[1] == Fate());
}

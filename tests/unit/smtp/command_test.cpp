#include "protocols/smtp/command.hpp"

#include <catch2/catch.hpp>

#include "protocols/smtp/xtext.hpp"

using smtp::Address;
using smtp::BodyKind;
using smtp::Capabilities;
using smtp::Envelope;
using smtp::errc;
using smtp::Recipient;

namespace {

const Capabilities everything{.pipelining = true,
                              .chunking = true,
                              .binarymime = true,
                              .eightbitmime = true,
                              .smtputf8 = true,
                              .dsn = true,
                              .size = true,
                              .size_bytes_max = 1000};

Envelope plain() {
    Envelope envelope;
    envelope.sender = *Address::of("desk@example.com");
    envelope.recipients.push_back(Recipient{*Address::of("to@example.org")});
    return envelope;
}

}  // namespace

TEST_CASE("smtp command: MAIL has the parameters that the mail needs and the server knows", "[smtp]") {
    Envelope envelope = plain();
    CHECK(smtp::mail_command(envelope, 12, {}) == "MAIL FROM:<desk@example.com>\r\n");
    CHECK(smtp::mail_command(envelope, 12, everything) == "MAIL FROM:<desk@example.com> SIZE=12\r\n");
    envelope.sender.reset();
    envelope.body_kind = BodyKind::eight_bit;
    envelope.headers = Envelope::Headers::utf8;
    envelope.returned = smtp::Returned::headers;
    envelope.id = "a+b=c d";
    CHECK(smtp::mail_command(envelope, 0, everything) ==
          "MAIL FROM:<> SIZE=0 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb+3Dc+20d\r\n");
    envelope.body_kind = BodyKind::binary;
    envelope.returned = smtp::Returned::full;
    CHECK(smtp::mail_command(envelope, 0, everything) ==
          "MAIL FROM:<> SIZE=0 BODY=BINARYMIME SMTPUTF8 RET=FULL ENVID=a+2Bb+3Dc+20d\r\n");
    Capabilities no_dsn = everything;
    no_dsn.dsn = false;
    CHECK(smtp::mail_command(envelope, 0, no_dsn) == "MAIL FROM:<> SIZE=0 BODY=BINARYMIME SMTPUTF8\r\n");
}

TEST_CASE("smtp command: an address beyond ASCII asks for SMTPUTF8, wherever it stands", "[smtp]") {
    Envelope envelope = plain();
    CHECK_FALSE(envelope.needs_smtputf8());
    envelope.recipients.push_back(Recipient{*Address::of("gr\xc3\xbc\xc3\x9f@example.org")});
    CHECK(envelope.needs_smtputf8());
    CHECK(smtp::mail_command(envelope, 1, everything) == "MAIL FROM:<desk@example.com> SIZE=1 SMTPUTF8\r\n");
    envelope = plain();
    envelope.sender = *Address::of("x@b\xc3\xbc.example");
    CHECK(envelope.needs_smtputf8());
}

TEST_CASE("smtp command: RCPT carries NOTIFY and ORCPT for servers with DSN", "[smtp]") {
    Recipient recipient{*Address::of("to@example.org")};
    CHECK(smtp::recipient_command(recipient, everything) == "RCPT TO:<to@example.org>\r\n");
    recipient.notify = {.success = true, .failure = true, .delay = true};
    recipient.original = "rfc822;Bob+tag@example.net";
    CHECK(smtp::recipient_command(recipient, everything) ==
          "RCPT TO:<to@example.org> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;Bob+2Btag@example.net\r\n");
    CHECK(smtp::recipient_command(recipient, {}) == "RCPT TO:<to@example.org>\r\n");
    recipient.notify = {.never = true, .success = true};
    recipient.original.clear();
    CHECK(smtp::recipient_command(recipient, everything) == "RCPT TO:<to@example.org> NOTIFY=NEVER\r\n");
}

TEST_CASE("smtp command: BDAT and EHLO", "[smtp]") {
    CHECK(smtp::chunk_command(0, smtp::Chunk::last) == "BDAT 0 LAST\r\n");
    CHECK(smtp::chunk_command(18446744073709551615U, smtp::Chunk::more_follow) == "BDAT 18446744073709551615\r\n");
    CHECK(smtp::hello_command("EHLO", "rohrpost.example").value() == "EHLO rohrpost.example\r\n");
    CHECK(smtp::hello_command("HELO", "[192.0.2.7]").value() == "HELO [192.0.2.7]\r\n");
    CHECK(smtp::hello_command("EHLO", "[IPv6:2001:db8::1]").value() == "EHLO [IPv6:2001:db8::1]\r\n");
}

TEST_CASE("smtp command: nothing of ours brings a line end or another command in", "[smtp][hostile-13]") {
    for (const std::string& evil :
         {std::string("x\r\nMAIL FROM:<a@b>"), std::string("x\ny"), std::string("x\ry"), std::string("x\0y", 3),
          std::string("x\x01"), std::string("x\x7f"), std::string("\xc3\xbc")}) {
        CAPTURE(evil);
        CHECK(smtp::hello_command("EHLO", evil).error() == errc::bad_name);
        CHECK(smtp::hello_command("EHLO", evil + ".example").error() == errc::bad_name);
        Envelope envelope = plain();
        envelope.id = evil;
        CHECK(smtp::check(envelope).error() == errc::bad_envelope_id);
        envelope = plain();
        envelope.recipients.front().original = "rfc822;" + evil;
        CHECK(smtp::check(envelope).error() == errc::bad_original_recipient);
        envelope.recipients.front().original = evil + ";a@b";
        CHECK(smtp::check(envelope).error() == errc::bad_original_recipient);
    }
    for (const std::string name : {"", "a b", "a..b", "[1.2.3]", "[127.0.0.1", "a_b"})
        CHECK(smtp::hello_command("EHLO", name).error() == errc::bad_name);
    for (const std::string original : {";", "rfc822;", ";a@b", "rfc822", "rfc 822;a@b"}) {
        Envelope envelope = plain();
        envelope.recipients.front().original = original;
        CAPTURE(original);
        CHECK(smtp::check(envelope).error() == errc::bad_original_recipient);
    }
    Envelope envelope = plain();
    CHECK(smtp::check(envelope).has_value());
    envelope.id = std::string(100, 'x');
    CHECK(smtp::check(envelope).has_value());
    envelope.id = std::string(98, 'x') + '+';
    CHECK(smtp::check(envelope).error() == errc::bad_envelope_id);
    envelope = plain();
    envelope.recipients.front().original = "rfc822;" + std::string(500, 'x');
    CHECK(smtp::check(envelope).error() == errc::bad_original_recipient);
    envelope.recipients.clear();
    CHECK(smtp::check(envelope).error() == errc::no_recipients);
}

TEST_CASE("smtp command: xtext is read back, and only xtext is", "[smtp]") {
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    CHECK(smtp::xtext_decoded(smtp::xtext_encoded(all)) == all);
    CHECK(smtp::xtext_decoded("a+2Bb") == "a+b");
    for (const std::string bad : {"+", "+2", "a+2", "+2b", "+GG", "a=b", "a b", "\x7f", "a\r\nb", "\xc3\xbc"}) {
        CAPTURE(bad);
        CHECK_FALSE(smtp::xtext_decoded(bad));
    }
}

TEST_CASE("smtp envelope: what the server lacks for a mail is told before anything is sent", "[smtp][hostile-21]") {
    using smtp::Obstacle;
    Envelope envelope = plain();
    CHECK_FALSE(smtp::obstacle_to(envelope, 1'000'000, {}));
    CHECK_FALSE(smtp::obstacle_to(envelope, 1000, everything));
    CHECK(smtp::obstacle_to(envelope, 1001, everything) == Obstacle::too_large);
    envelope.body_kind = BodyKind::eight_bit;
    CHECK_FALSE(smtp::obstacle_to(envelope, 1, everything));
    CHECK(smtp::obstacle_to(envelope, 1, {}) == Obstacle::eightbitmime_missing);
    envelope.body_kind = BodyKind::binary;
    CHECK_FALSE(smtp::obstacle_to(envelope, 1, everything));
    Capabilities no_chunking = everything;
    no_chunking.chunking = false;
    CHECK(smtp::obstacle_to(envelope, 1, no_chunking) == Obstacle::binarymime_missing);
    envelope = plain();
    envelope.recipients.push_back(Recipient{*Address::of("\xc3\xbc@example.org")});
    CHECK_FALSE(smtp::obstacle_to(envelope, 1, everything));
    CHECK(smtp::obstacle_to(envelope, 1, {}) == Obstacle::smtputf8_missing);
    for (const auto obstacle : {Obstacle::too_large, Obstacle::eightbitmime_missing, Obstacle::binarymime_missing,
                                Obstacle::smtputf8_missing})
        CHECK(smtp::words_of(obstacle).size() > 20);
}

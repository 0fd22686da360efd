#include "engine/dispatcher/bounce.hpp"

#include <catch2/catch.hpp>

#include "engine/dispatcher/sent_items.hpp"
#include "protocols/smtp/data.hpp"

using namespace dispatcher;
using submission::Fate;

namespace {

struct Failure {
    Failure() {
        ticket.envelope.sender = *smtp::Address::of("desk@sim.test");
        for (const auto* to : {"a@b.test", "c@d.test"})
            ticket.envelope.recipients.push_back({.address = *smtp::Address::of(to), .notify = {}, .original = ""});
        ticket.message_id = "<1@sim.test>";
        ticket.subject = "hello";
        progress.recipients = {{Fate::State::failed, "550 5.1.1 no such user"},
                               {Fate::State::failed, "given up after 3 attempts"}};
    }
    std::optional<std::string> message(std::vector<std::size_t> failed = {0, 1}) const {
        return bounce_message({.ticket = ticket,
                               .progress = progress,
                               .failed = std::move(failed),
                               .reporter = "services.example",
                               .original_headers = "From: desk@sim.test\r\nSubject: hello\r\n",
                               .boundary = "bound"});
    }
    submission::Ticket ticket;
    submission::Progress progress;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a report names each recipient, what was said, and the message", "[dispatcher]") {
    const auto message = *Failure().message();
    CHECK(has(message, "Content-Type: multipart/report; report-type=delivery-status;"));
    CHECK(has(
        message,
        "Final-Recipient: rfc822; a@b.test\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1"));
    CHECK(has(message,
              "Final-Recipient: rfc822; c@d.test\r\nAction: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: x-rohrpost;"));
    CHECK(has(message, "Reporting-MTA: dns; services.example\r\n"));
    CHECK(has(message, "In-Reply-To: <1@sim.test>\r\n"));
    CHECK(has(message, "Content-Type: text/rfc822-headers"));
    CHECK(has(message, "\r\nFrom: desk@sim.test\r\nSubject: hello\r\n\r\n--bound--\r\n"));
    CHECK(has(message, "Auto-Submitted: auto-replied\r\n"));
    smtp::BodyInspection inspection;
    inspection.take(message);
    CHECK(inspection.facts().canonical());
    CHECK(inspection.facts().line_bytes_max <= 998);
    CHECK_FALSE(has(*Failure().message({0}), "c@d.test"));
}

TEST_CASE("there is no report about a report, and none to whom asked for none", "[dispatcher][hostile-28]") {
    Failure failure;
    failure.ticket.envelope.recipients[0].notify.never = true;
    CHECK_FALSE(failure.message({0}).has_value());
    CHECK(failure.message({0, 1}).has_value());
    failure.ticket.envelope.sender.reset();
    CHECK_FALSE(failure.message({1}).has_value());
}

TEST_CASE("words of a server cannot begin a field of the report", "[dispatcher][hostile-12]") {
    Failure failure;
    failure.progress.recipients[0].said = "550 5.1.1 no\r\nBcc: evil@x.test\r\n\r\n--bound--";
    failure.ticket.subject = "hi\r\nBcc: evil@x.test";
    const auto message = *failure.message();
    CHECK_FALSE(has(message, "\nBcc:"));
    CHECK_FALSE(has(message, "\r\n--bound--\r\n\r\n"));
}

TEST_CASE("sent mail is found by its attribute, else by its usual names", "[dispatcher]") {
    const auto entry = [](std::string name, std::vector<std::string> attributes = {}) {
        return imap::ListEntry{.name = name, .wire_name = name, .delimiter = '/', .attributes = std::move(attributes)};
    };
    CHECK(sent_folder_of({entry("INBOX"), entry("Sent"), entry("Verschickt", {"\\HasNoChildren", "\\sent"})}) ==
          "Verschickt");
    CHECK(sent_folder_of({entry("INBOX"), entry("Sent"), entry("Sent Items")}) == "Sent Items");
    CHECK(sent_folder_of({entry("[Gmail]/Sent Mail")}) == "[Gmail]/Sent Mail");
    CHECK(sent_folder_of({entry("INBOX"), entry("Absent")}) == std::nullopt);
}

#include "engine/dispatcher/bounce.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/submission/preparation.hpp"
#include "protocols/base/text.hpp"

namespace dispatcher {
namespace {

/// A value on one line of a header or status field: controls are shown, so that nobody's words begin a new field.
std::string one_line(std::string_view value) {
    std::string line;
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f)
            line += c;
        else
            line += ' ';
    }
    return line.substr(0, 900);
}

bool is_code(std::string_view word) {
    return word.size() == 3 && std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "5.1.1" of "550 5.1.1 no such user"; a general one when the reply had none.
std::string status_of(const std::string& said) {
    const auto words = text::split(said, ' ');
    if (words.size() > 1 && is_code(words[0]) && words[1].size() >= 5 && words[1][1] == '.' &&
        (words[1][0] == '5' || words[1][0] == '4'))
        return "5" + std::string(words[1].substr(1));
    return "5.0.0";
}

bool is_ascii(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::optional<std::string> bounce_message(const Bounce& bounce) {
    const auto& envelope = bounce.ticket.envelope;
    if (!envelope.sender) return std::nullopt;
    std::vector<std::size_t> told;
    for (const auto place : bounce.failed) {
        if (!envelope.recipients[place].notify.never) told.push_back(place);
    }
    if (told.empty()) return std::nullopt;

    const std::string subject = one_line(bounce.ticket.subject);
    std::string people = fmt::format(
        "Your message of {} could not be delivered to the recipients below.\r\n\r\n    Subject: {}\r\n    Message-ID: "
        "{}\r\n",
        submission::date_of(bounce.accepted_at), subject.empty() ? "(none)" : subject,
        one_line(bounce.ticket.message_id));
    std::string status = fmt::format("Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n", one_line(bounce.reporter),
                                     submission::date_of(bounce.accepted_at));
    if (!envelope.id.empty()) status += fmt::format("Original-Envelope-Id: {}\r\n", one_line(envelope.id));
    std::string recipients;
    for (const auto place : told) {
        const auto& recipient = envelope.recipients[place];
        const std::string said = one_line(bounce.progress.recipients[place].said);
        people += fmt::format("\r\n<{}>\r\n    {}\r\n", recipient.address.text(), said);
        recipients += fmt::format("{}{}", recipients.empty() ? "" : ", ", recipient.address.text());
        status += "\r\n";
        if (!recipient.original.empty())
            status += fmt::format("Original-Recipient: {}\r\n", one_line(recipient.original));
        const std::string_view kind = recipient.address.needs_smtputf8() ? "utf-8" : "rfc822";
        status += fmt::format("Final-Recipient: {}; {}\r\nAction: failed\r\nStatus: {}\r\nDiagnostic-Code: {}; {}\r\n",
                              kind, recipient.address.text(), status_of(said),
                              is_code(std::string_view(said).substr(0, 3)) ? "smtp" : "x-rohrpost", said);
    }
    const bool wide = !is_ascii(people) || !is_ascii(status) || !is_ascii(bounce.original_headers);
    const std::string_view encoding = wide ? "8bit" : "7bit";
    std::string message;
    message += fmt::format("From: Mail delivery <postmaster@{}>\r\nTo: <{}>\r\n", one_line(bounce.reporter),
                           envelope.sender->text());
    message += "Subject: Undelivered mail returned to sender\r\nAuto-Submitted: auto-replied\r\n";
    message += fmt::format("Date: {}\r\nMessage-ID: <{}@{}>\r\n", submission::date_of(bounce.now), bounce.boundary,
                           one_line(bounce.reporter));
    if (!bounce.ticket.message_id.empty()) {
        const auto id = one_line(bounce.ticket.message_id);
        message += fmt::format("In-Reply-To: {}\r\nReferences: {}\r\n", id, id);
    }
    message += fmt::format("X-Failed-Recipients: {}\r\n", recipients.substr(0, 900));
    message += fmt::format(
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; "
        "report-type=delivery-status;\r\n\tboundary=\"{}\"\r\n\r\n",
        bounce.boundary);
    message +=
        fmt::format("--{}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {}\r\n\r\n{}\r\n",
                    bounce.boundary, encoding, people);
    message +=
        fmt::format("--{}\r\nContent-Type: message/delivery-status\r\nContent-Transfer-Encoding: {}\r\n\r\n{}\r\n",
                    bounce.boundary, encoding, status);
    message += fmt::format(
        "--{}\r\nContent-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: {}\r\n\r\n{}\r\n--{}--\r\n",
        bounce.boundary, encoding, bounce.original_headers, bounce.boundary);
    return message;
}

}  // namespace dispatcher

/// What clients say to our SMTP server: lines are the same in any split, and a command that reads, prints and reads to
/// the same.

#include "protocols/smtp/command.hpp"
#include "protocols/smtp/command_reader.hpp"
#include "protocols/smtp/server_command.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

constexpr std::size_t line_bytes_max = 512;

std::vector<std::string> lines_of(std::string_view input, fuzz::Arrival arrival) {
    std::vector<std::string> lines;
    smtp::LineReader reader;
    for (std::string_view piece : fuzz::split(input, arrival)) {
        while (!piece.empty()) {
            const auto line = reader.read(piece, line_bytes_max);
            if (!line) break;
            if (line->fault == smtp::LineReader::Fault::bare_line_end) return lines;
            const bool fits = line->fault == smtp::LineReader::Fault::none;
            fuzz::expect(!fits || line->text.size() + 2 <= line_bytes_max, "a line has a limit");
            fuzz::expect(!fits || line->text.find_first_of("\r\n") == std::string::npos,
                         "a line has no line end in it");
            lines.push_back(fits ? line->text : "too long");
        }
    }
    return lines;
}

smtp::Capabilities everything() {
    smtp::Capabilities all;
    all.size = all.dsn = all.smtputf8 = all.eightbitmime = true;
    return all;
}

void print_and_read(const smtp::MailFrom& mail) {
    smtp::Envelope envelope;
    envelope.sender = mail.sender;
    envelope.body_kind = mail.body_kind;
    envelope.headers = mail.smtputf8 ? smtp::Envelope::Headers::utf8 : smtp::Envelope::Headers::ascii;
    envelope.returned = mail.returned;
    envelope.id = mail.envelope_id;
    std::string line = smtp::mail_command(envelope, mail.size_bytes.value_or(1), everything());
    line.resize(line.size() - 2);
    const auto again = smtp::read_command(line);
    const auto* command = std::get_if<smtp::ClientCommand>(&again);
    const auto* same = command != nullptr ? std::get_if<smtp::MailFrom>(command) : nullptr;
    fuzz::expect(same != nullptr && same->sender == mail.sender && same->body_kind == mail.body_kind &&
                     same->smtputf8 == mail.smtputf8 && same->returned == mail.returned &&
                     same->envelope_id == mail.envelope_id && same->size_bytes == mail.size_bytes.value_or(1),
                 "MAIL prints and reads to the same");
}

void print_and_read(const smtp::RcptTo& to) {
    std::string line = smtp::recipient_command(to.recipient, everything());
    line.resize(line.size() - 2);
    const auto again = smtp::read_command(line);
    const auto* command = std::get_if<smtp::ClientCommand>(&again);
    const auto* same = command != nullptr ? std::get_if<smtp::RcptTo>(command) : nullptr;
    fuzz::expect(same != nullptr && same->recipient.address == to.recipient.address &&
                     same->recipient.notify == to.recipient.notify && same->recipient.original == to.recipient.original,
                 "RCPT prints and reads to the same");
}

void command(std::string_view line) {
    const auto read = smtp::read_command(line);
    if (const auto* answer = std::get_if<smtp::Answer>(&read)) {
        const auto reply = smtp::reply_line(*answer);
        fuzz::expect(reply.find_first_of("\r\n") == reply.size() - 2, "an answer is one line");
        fuzz::expect(answer->code >= 500 && answer->code < 600, "what is no command is refused");
        return;
    }
    const auto& known = std::get<smtp::ClientCommand>(read);
    if (const auto* mail = std::get_if<smtp::MailFrom>(&known)) print_and_read(*mail);
    if (const auto* to = std::get_if<smtp::RcptTo>(&known)) print_and_read(*to);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    const auto whole = lines_of(input, fuzz::Arrival::whole);
    fuzz::expect(lines_of(input, fuzz::Arrival::bytes) == whole, "byte by byte the lines are the same");
    fuzz::expect(lines_of(input, fuzz::Arrival::pieces) == whole, "in any pieces the lines are the same");
    for (const auto& line : whole) command(line);
    command(input);
    return 0;
}

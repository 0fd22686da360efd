#include "protocols/smtp/command.hpp"

#include <algorithm>

#include "protocols/smtp/xtext.hpp"

namespace smtp {
namespace {

constexpr std::size_t envelope_id_bytes_max = 100;         // RFC 3461 §4.4, in xtext
constexpr std::size_t original_recipient_bytes_max = 500;  // RFC 3461 §4.2, in xtext

bool is_printable_ascii(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// "rfc822;someone@example.org"
bool is_original_recipient(std::string_view text) {
    const std::size_t semicolon = text.find(';');
    if (semicolon == 0 || semicolon == std::string_view::npos || semicolon + 1 == text.size()) return false;
    const std::string_view type = text.substr(0, semicolon);
    const bool is_atom = std::all_of(type.begin(), type.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    return is_atom && is_printable_ascii(text) && xtext_encoded(text).size() <= original_recipient_bytes_max;
}

std::string notify_words(const Notify& notify) {
    if (notify.never) return "NEVER";
    std::string words;
    const auto put = [&words](bool wanted, std::string_view word) {
        if (!wanted) return;
        if (!words.empty()) words += ',';
        words += word;
    };
    put(notify.success, "SUCCESS");
    put(notify.failure, "FAILURE");
    put(notify.delay, "DELAY");
    return words;
}

}  // namespace

Result<std::string> hello_command(std::string_view verb, std::string_view name) {
    const bool fits = is_printable_ascii(name) && (is_domain(name) || is_address_literal(name));
    if (!fits) return errc::bad_name;
    return std::string(verb).append(" ").append(name).append("\r\n");
}

bool is_envelope_id(std::string_view id) {
    return is_printable_ascii(id) && xtext_encoded(id).size() <= envelope_id_bytes_max;
}

Result<void> check(const Envelope& envelope) {
    if (envelope.recipients.empty()) return errc::no_recipients;
    if (!is_envelope_id(envelope.id)) return errc::bad_envelope_id;
    for (const Recipient& recipient : envelope.recipients)
        if (!recipient.original.empty() && !is_original_recipient(recipient.original))
            return errc::bad_original_recipient;
    return {};
}

std::string mail_command(const Envelope& envelope, std::uint64_t size_bytes, const Capabilities& offered) {
    std::string line = "MAIL FROM:<";
    if (envelope.sender) line += envelope.sender->text();
    line += '>';
    if (offered.size) line += " SIZE=" + std::to_string(size_bytes);
    if (envelope.body_kind == BodyKind::eight_bit) line += " BODY=8BITMIME";
    if (envelope.body_kind == BodyKind::binary) line += " BODY=BINARYMIME";
    if (envelope.needs_smtputf8()) line += " SMTPUTF8";
    if (offered.dsn) {
        if (envelope.returned == Returned::full) line += " RET=FULL";
        if (envelope.returned == Returned::headers) line += " RET=HDRS";
        if (!envelope.id.empty()) line += " ENVID=" + xtext_encoded(envelope.id);
    }
    return line + "\r\n";
}

std::string recipient_command(const Recipient& recipient, const Capabilities& offered) {
    std::string line = "RCPT TO:<" + recipient.address.text() + '>';
    if (offered.dsn) {
        const std::string notify = notify_words(recipient.notify);
        if (!notify.empty()) line += " NOTIFY=" + notify;
        if (!recipient.original.empty()) {
            const std::size_t semicolon = recipient.original.find(';');
            line += " ORCPT=" + recipient.original.substr(0, semicolon + 1) +
                    xtext_encoded(std::string_view(recipient.original).substr(semicolon + 1));
        }
    }
    return line + "\r\n";
}

std::string chunk_command(std::uint64_t bytes, Chunk chunk) {
    return "BDAT " + std::to_string(bytes) + (chunk == Chunk::last ? " LAST\r\n" : "\r\n");
}

}  // namespace smtp

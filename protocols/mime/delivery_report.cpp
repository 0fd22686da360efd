#include "protocols/mime/delivery_report.hpp"

#include <algorithm>
#include <array>

#include "protocols/base/text.hpp"
#include "protocols/mime/bounce_dialects.hpp"
#include "protocols/mime/charsets.hpp"
#include "protocols/mime/encoded_words.hpp"
#include "protocols/mime/headers.hpp"
#include "protocols/mime/parties.hpp"

namespace mime {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::size_t report_bytes_max = 256 * 1024;
constexpr std::size_t prose_bytes_max = 64 * 1024;
constexpr std::size_t groups_max = recipients_max + 1;

/// "5.1.1 (user unknown)" is "5.1.1".
std::string status_in(std::string_view value) {
    const std::string line = unfolded(value);
    const auto end = std::min(line.find_first_not_of("0123456789."), line.size());
    return line.substr(0, end);
}

std::string action_in(std::string_view value) {
    auto word = text::lowered(text::trimmed(unfolded(value)));
    word.resize(std::min(word.find_first_of(" ;("), word.size()));
    return word;
}

/// Without the brackets that some put around it.
std::string bare_address(std::string_view value) {
    std::string address = typed_value(value);
    if (address.starts_with('<') && address.ends_with('>')) address = address.substr(1, address.size() - 2);
    return address;
}

std::optional<ReportedRecipient> recipient_in(const HeaderSection& group) {
    ReportedRecipient recipient;
    recipient.address = bare_address(group.value("Final-Recipient"));
    recipient.original = bare_address(group.value("Original-Recipient"));
    if (recipient.address.empty()) recipient.address = recipient.original;
    if (recipient.address.empty()) return std::nullopt;
    if (recipient.original == recipient.address) recipient.original.clear();
    recipient.action = action_in(group.value("Action"));
    recipient.status = status_in(group.value("Status"));
    recipient.diagnostic = typed_value(group.value("Diagnostic-Code"));
    recipient.remote = typed_value(group.value("Remote-MTA"));
    if (recipient.action.empty() && recipient.status.starts_with('5')) recipient.action = "failed";
    if (recipient.action.empty() && recipient.status.starts_with('4')) recipient.action = "delayed";
    return recipient;
}

std::optional<DeliveryReport> read_status(const Parts& parts) {
    const auto* status = own_part(parts, "message/delivery-status");
    if (status == nullptr) status = own_part(parts, "message/global-delivery-status");
    if (status == nullptr) return std::nullopt;
    const auto text = decoded_body(*status, report_bytes_max);
    const auto groups = field_groups(text);
    DeliveryReport report;
    report.dialect = "rfc3464";
    for (const auto& group : groups) {
        if (report.reporter.empty()) report.reporter = typed_value(group.value("Reporting-MTA"));
        if (report.envelope_id.empty()) report.envelope_id = decoded_words(group.value("Original-Envelope-Id"));
        auto recipient = recipient_in(group);
        if (recipient && report.recipients.size() < recipients_max) report.recipients.push_back(std::move(*recipient));
    }
    return report;
}

/// Whether reports for people come from there: the null sender, or a name that programs use.
bool comes_from_a_server(const HeaderSection& head) {
    if (text::trimmed(head.value("Return-Path")) == "<>") return true;
    if (head.field("X-Failed-Recipients") != nullptr) return true;
    constexpr std::array<std::string_view, 5> names{"mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon",
                                                    "mailer_daemon"};
    for (const auto& party : parties_in(head.value("From"))) {
        const auto local = std::string_view(party.address).substr(0, party.address.find('@'));
        if (std::any_of(names.begin(), names.end(), [&](auto name) { return text::same(local, name); })) return true;
    }
    return false;
}

/// The first text for people.
const Part* prose_of(const Parts& parts) noexcept {
    const Part* html = nullptr;
    for (const auto& part : parts.all) {
        if (part.kind != Part::Kind::leaf || !is_own(parts, part)) continue;
        if (part.type.value == "text/plain") return &part;
        if (part.type.value == "text/html" && html == nullptr) html = &part;
    }
    return html;
}

ReportedMail mail_in(const HeaderSection& head, std::string_view mark_field) {
    ReportedMail mail;
    const auto ids = message_ids_in(head.value("Message-ID"));
    if (!ids.empty()) mail.message_id = ids.front();
    mail.subject = decoded_words(head.value("Subject"));
    mail.date = read_date(head.value("Date"));
    if (!mark_field.empty()) mail.mark = decoded_words(head.value(mark_field));
    return mail;
}

/// A header section that begins somewhere in a text: at a field that stands in hardly any prose.
HeaderSection returned_in(std::string_view text) {
    constexpr std::array<std::string_view, 4> firsts{"Return-Path:", "Received:", "Message-ID:", "From:"};
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        const auto line = text.substr(at, end == npos ? npos : end - at);
        const bool begins =
            std::any_of(firsts.begin(), firsts.end(), [&](auto first) { return text::starts_with_same(line, first); });
        if (begins) {
            auto section = read_header_section(text.substr(at), Limits{});
            if (section.field("Message-ID") != nullptr || section.fields.size() > 2) return section;
            at += std::max<std::size_t>(section.bytes, 1);
            const auto next = text.find('\n', at - 1);
            if (next == npos) break;
            at = next + 1;
            continue;
        }
        if (end == npos) break;
        at = end + 1;
    }
    return {};
}

}  // namespace

bool DeliveryReport::is_bounce() const noexcept {
    return std::any_of(recipients.begin(), recipients.end(),
                       [](const auto& recipient) { return recipient.action == "failed"; });
}

bool is_own(const Parts& parts, const Part& part) noexcept {
    for (const Part* at = &part; at != &parts.all.front();) {
        at = &parts.all[at->parent];
        if (at->kind == Part::Kind::message) return false;
    }
    return true;
}

const Part* own_part(const Parts& parts, std::string_view type) noexcept {
    for (const auto& part : parts.all) {
        if (part.type.value == type && is_own(parts, part)) return &part;
    }
    return nullptr;
}

std::string text_of(const Part& part, std::size_t bytes_max) {
    return decoded_text(decoded_body(part, bytes_max), part.type.at("charset")).utf8;
}

std::vector<HeaderSection> field_groups(std::string_view text) {
    std::vector<HeaderSection> groups;
    while (!text.empty() && groups.size() < groups_max) {
        auto group = read_header_section(text, Limits{});
        // A line that is no field ends a section; here it is passed over.
        const auto line_end = text.find('\n', std::max<std::size_t>(group.bytes, 1) - 1);
        const auto taken = group.complete ? group.bytes : line_end == npos ? text.size() : line_end + 1;
        text.remove_prefix(std::min(std::max<std::size_t>(taken, 1), text.size()));
        if (!group.fields.empty()) groups.push_back(std::move(group));
    }
    return groups;
}

std::string typed_value(std::string_view value) {
    const std::string line = decoded_words(value);
    const auto semicolon = line.find(';');
    const auto type = std::string_view(line).substr(0, semicolon == npos ? 0 : semicolon);
    const bool typed = semicolon != npos && type.find(' ') == npos;
    return std::string(text::trimmed(std::string_view(line).substr(typed ? semicolon + 1 : 0)));
}

ReportedMail reported_mail(const Parts& parts, std::string_view text, std::string_view mark_field) {
    ReportedMail mail;
    for (const auto& part : parts.all) {
        if (!is_own(parts, part) || &part == &parts.all.front()) continue;
        const auto& type = part.type.value;
        if (type == "message/rfc822" || type == "message/global" || type == "text/rfc822-headers" ||
            type == "message/rfc822-headers" || type == "message/global-headers") {
            const auto returned = decoded_body(part, report_bytes_max);
            mail = mail_in(read_header_section(returned, Limits{}), mark_field);
            break;
        }
    }
    if (mail.message_id.empty() && mail.mark.empty()) {
        auto found = mail_in(returned_in(text), mark_field);
        if (!found.message_id.empty() || !found.mark.empty()) mail = std::move(found);
    }
    if (mail.message_id.empty()) {
        const auto& head = parts.all.front().head;
        for (const std::string_view name : {"In-Reply-To", "References"}) {
            const auto ids = message_ids_in(head.value(name));
            if (ids.empty()) continue;
            mail.message_id = ids.back();
            break;
        }
    }
    return mail;
}

std::optional<DeliveryReport> read_delivery_report(const Parts& parts, std::string_view mark_field) {
    const auto& mail = parts.all.front();
    const auto* prose = prose_of(parts);
    auto report = read_status(parts);
    std::string text;
    const bool worth = report || comes_from_a_server(mail.head);
    if (!worth) return std::nullopt;
    if (prose != nullptr) text = text_of(*prose, prose_bytes_max);
    if (!report || report->recipients.empty()) {
        auto told = read_bounce_text(text, decoded_words(mail.head.value("X-Failed-Recipients")));
        if (!told && !report) return std::nullopt;
        if (told && report) {
            report->recipients = std::move(told->recipients);
        } else if (told) {
            report = DeliveryReport{.dialect = std::move(told->dialect),
                                    .reporter = {},
                                    .envelope_id = {},
                                    .recipients = std::move(told->recipients),
                                    .about = {}};
        }
    }
    report->about = reported_mail(parts, text, mark_field);
    return report;
}

}  // namespace mime

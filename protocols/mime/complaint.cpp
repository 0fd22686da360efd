#include "protocols/mime/complaint.hpp"

#include "protocols/base/text.hpp"
#include "protocols/mime/encoded_words.hpp"

namespace mime {
namespace {

constexpr std::size_t report_bytes_max = 64 * 1024;

}  // namespace

std::optional<FeedbackReport> read_feedback_report(const Parts& parts, std::string_view mark_field) {
    const auto* part = own_part(parts, "message/feedback-report");
    if (part == nullptr) return std::nullopt;
    FeedbackReport report;
    const auto text = decoded_body(*part, report_bytes_max);
    for (const auto& group : field_groups(text)) {
        const auto take = [&group](std::string& to, std::string_view name) {
            if (to.empty()) to = decoded_words(group.value(name));
        };
        take(report.type, "Feedback-Type");
        take(report.user_agent, "User-Agent");
        take(report.source_ip, "Source-IP");
        take(report.arrived, "Arrival-Date");
        if (report.arrived.empty()) take(report.arrived, "Received-Date");
        for (const auto& field : group.fields) {
            if (!text::same(field.name, "Original-Rcpt-To") || report.recipients.size() == recipients_max) continue;
            auto address = typed_value(field.value);
            if (address.starts_with('<') && address.ends_with('>')) address = address.substr(1, address.size() - 2);
            report.recipients.push_back(std::move(address));
        }
    }
    report.type = text::lowered(report.type);
    if (report.type.empty()) report.type = "other";
    report.about = reported_mail(parts, {}, mark_field);
    return report;
}

}  // namespace mime

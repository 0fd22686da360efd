#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mime/dates.hpp"
#include "protocols/mime/parts.hpp"

namespace mime {

/// The mail that a report is about, as far as the report says.
struct ReportedMail {
    std::string message_id{};  // with brackets; empty: not said
    std::string subject{};     // decoded
    std::string mark{};        // the value of its field `mark_field`; empty: none
    std::optional<Date> date{};
};

/// Takes it from the mail or header section that a report returns, as a part or behind its text; else from the report's
/// own In-Reply-To or References. `text` is the report's for people, from where a returned mail may begin.
ReportedMail reported_mail(const Parts& parts, std::string_view text, std::string_view mark_field);

/// What has become of a mail for one recipient.
struct ReportedRecipient {
    std::string address{};     // Final-Recipient, bare
    std::string original{};    // Original-Recipient; empty: the same, or not said
    std::string action{};      // "failed", "delayed", "delivered", "relayed", "expanded"
    std::string status{};      // "5.1.1" (RFC 3463); empty: not said
    std::string diagnostic{};  // in the reporting or the remote server's words, on one line
    std::string remote{};      // the server that said so; empty: not said
};

/// A report about a mail's delivery.
struct DeliveryReport {
    std::string dialect{};  // "rfc3464", "qmail", …
    std::string reporter{};
    std::string envelope_id{};
    std::vector<ReportedRecipient> recipients{};
    ReportedMail about{};

    /// Somebody does not get the mail.
    [[nodiscard]] bool is_bounce() const noexcept;
};

/// Reads RFC 3464, else what is written for people alone, if the mail comes from where reports come from: the null
/// sender, or a name like MAILER-DAEMON. A report that is forwarded within a mail is none of that mail's.
/// nullopt: no report. At most recipients_max recipients.
std::optional<DeliveryReport> read_delivery_report(const Parts& parts, std::string_view mark_field);
inline constexpr std::size_t recipients_max = 1000;

/// The first own part of that type; nullptr: none. Own: not in a mail that is within.
const Part* own_part(const Parts& parts, std::string_view type) noexcept;
/// Whether a part is the mail's own.
bool is_own(const Parts& parts, const Part& part) noexcept;

/// The part's text in UTF-8, at most `bytes_max` bytes of it before that.
std::string text_of(const Part& part, std::size_t bytes_max);

/// The groups of fields that a machine-readable report consists of. Their values point into `text`.
std::vector<HeaderSection> field_groups(std::string_view text);
/// A value behind its type: "rfc822; a@b" is "a@b".
std::string typed_value(std::string_view value);

}  // namespace mime

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mime/delivery_report.hpp"

namespace mime {

/// A feedback report in the Abuse Reporting Format. RFC 5965, RFC 6650.
struct FeedbackReport {
    std::string type{};  // "abuse", "fraud", "virus", "not-spam", "other", …
    std::string user_agent{};
    std::string source_ip{};
    std::string arrived{};                  // as written
    std::vector<std::string> recipients{};  // Original-Rcpt-To, bare
    ReportedMail about{};

    /// Somebody does not want the mail; "not-spam" is the opposite.
    [[nodiscard]] bool is_complaint() const noexcept { return type != "not-spam"; }
};

/// nullopt: no such report.
std::optional<FeedbackReport> read_feedback_report(const Parts& parts, std::string_view mark_field);

}  // namespace mime

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/mime/delivery_report.hpp"

namespace mime {

/// What a report that is written for people says.
struct BounceText {
    std::string dialect{};  // whose words they are: "qmail", "exim", …
    std::vector<ReportedRecipient> recipients{};
};

/// Reads the words of common servers: each has a sentence that nobody else writes, and names its recipients behind it,
/// each on a line of its own, with the reason on the lines below. `failed` is the value of X-Failed-Recipients, for
/// whoever names none. nullopt: nobody's words. Linear.
std::optional<BounceText> read_bounce_text(std::string_view text, std::string_view failed = {});

}  // namespace mime

#pragma once

#include <string>
#include <variant>

#include "engine/config/faults.hpp"
#include "engine/submission/acceptance.hpp"

namespace control {

/// A mail as JSON: {"from", "to", "cc", "bcc", "reply_to", "subject", "text", "html", "attachments", "headers",
/// "in_reply_to", "references"} and the wishes {"key", "lane", "not_before_ms", "life_s", "dsn"}; docs/sending.md. What
/// becomes of it goes the way of all mail. Faults have JSON pointers (RFC 6901) as paths. `random` makes its
/// boundaries.
std::variant<submission::Order, config::Faults> order_of_letter(std::string document, Random& random);

}  // namespace control

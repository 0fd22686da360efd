#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/submission/record.hpp"
#include "protocols/base/clock.hpp"

namespace dispatcher {

/// What a report tells a sender about.
struct Bounce {
    const submission::Ticket& ticket;
    const submission::Progress& progress;
    std::vector<std::size_t> failed;  // places in the ticket
    std::string reporter;             // our own name, for Reporting-MTA
    std::string original_headers;     // canonical, without the empty line; may be cut
    std::string boundary;             // that does not occur in any part
    WallTime accepted_at{};
    WallTime now{};
};

/// A report to the sender, as a message in canonical form: multipart/report with words for people, message/
/// delivery-status, and the original's headers. RFC 3462, 3464. nullopt: nobody is to be told (the null sender, or
/// every recipient asked for none: RFC 3461 §4.1). It has the null sender itself, so that no report is about a report.
std::optional<std::string> bounce_message(const Bounce& bounce);

}  // namespace dispatcher

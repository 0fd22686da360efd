#pragma once

#include <string>
#include <vector>

#include "engine/alarming/board.hpp"

namespace alarming {

/// One mail to operators. Many changes become one mail, grouped by rule.
struct Notice {
    std::string from;             // an address
    std::vector<std::string> to;  // addresses
    std::string host;             // which daemon speaks
    std::vector<Board::Change> changes;
    std::size_t standing = 0;  // alarms that stand now, these included
    WallTime at{};
};

/// The message, RFC 5322 with CRLF: plain text, Auto-Submitted (RFC 3834), so that nobody answers it by machine.
std::string message_of(const Notice& notice);

}  // namespace alarming

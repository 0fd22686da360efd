#pragma once
/// Servers' ways to find the end of a mail behind DATA, from strict to careless.

#include <string>
#include <string_view>
#include <vector>

namespace support {

/// What a server makes of the bytes behind 354.
struct ReadData {
    std::vector<std::string> mails;  // each without its end and with its dots taken off; line ends as they came
    std::string rest;                // what it takes for commands, or for a mail that has not ended
};

/// RFC 5321: only CRLF.CRLF ends a mail, only CRLF ends a line.
ReadData read_data_strictly(std::string_view bytes);
/// Whatever any server was seen to take for a line end is one: CRLF, LF, CR.
ReadData read_data_carelessly(std::string_view bytes);

}  // namespace support

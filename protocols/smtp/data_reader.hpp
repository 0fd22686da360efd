#pragma once

#include <string>
#include <string_view>

namespace smtp {

/// Reads what follows 354, from bytes as they come: ends at CRLF.CRLF and at nothing else, and takes the dots off that
/// were put in front of lines. RFC 5321 §4.5.2. What comes out has the line ends that came in; whether these are in
/// order is for whoever looks at the mail to judge, after its end was found: one mail in, never two out.
class DataReader {
public:
    enum class Read { more, end };
    /// Takes bytes off the front of `input`, appends the mail's to `mail`. end: `input` begins behind the mail.
    Read read(std::string_view& input, std::string& mail);

private:
    /// What the bytes before are: of a line's begin only a CRLF, or the begin of all, is one.
    enum class At { line_begin, line, cr, dot, dot_cr } at_ = At::line_begin;
};

}  // namespace smtp

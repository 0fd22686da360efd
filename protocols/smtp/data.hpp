#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/smtp/errc.hpp"

/// Bodies on their way, chunk by chunk: any split of the same bytes gives the same.
namespace smtp {

/// Canonical bytes as they follow DATA: dots at the beginning of lines doubled, the final dot behind them. RFC 5321
/// §4.5.2. Bytes that are not canonical are refused before they can be sent: a CR or LF by itself makes an end of data
/// for some server (CVE-2023-51764).
class DotStuffing {
public:
    /// Appends to `out`. Errors: body_not_canonical; what was appended then is not to be sent.
    Result<void> put(std::string_view chunk, std::string& out);
    /// The last line's CRLF if it is missing, and ".". Errors: body_not_canonical.
    Result<void> finish(std::string& out);

private:
    enum class At { line_begin, line, after_cr } at_ = At::line_begin;  // a CR is held back until its LF comes
};

/// What bytes are made of that somebody wants to send.
struct BodyFacts {
    std::uint64_t bytes = 0;
    std::uint64_t line_bytes_max = 0;  // of its longest line, without the line end
    bool bare_cr = false;
    bool bare_lf = false;
    bool nul = false;
    bool eight_bit = false;
    bool ends_with_crlf = true;  // or is empty

    [[nodiscard]] bool canonical() const noexcept { return !bare_cr && !bare_lf && ends_with_crlf; }
    [[nodiscard]] bool operator==(const BodyFacts&) const = default;
};

class BodyInspection {
public:
    void take(std::string_view chunk);
    /// Of all that was taken, as if it ended here.
    [[nodiscard]] BodyFacts facts() const noexcept;
    /// Of the lines that have ended, and what is certain of the one that has not; cheap after each chunk.
    [[nodiscard]] const BodyFacts& so_far() const noexcept { return facts_; }

private:
    BodyFacts facts_;
    std::uint64_t line_bytes_ = 0;  // of the line that has not ended
    bool after_cr_ = false;
};

/// Makes bytes canonical: LF becomes CRLF; a CR by itself becomes a blank, because a new line there could be a new
/// header; the last line gets its end. Idempotent.
class Canonicalisation {
public:
    void put(std::string_view chunk, std::string& out);
    void finish(std::string& out);

private:
    bool after_cr_ = false;
    bool line_begin_ = true;
};

}  // namespace smtp

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/submission/errc.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/smtp/data.hpp"

namespace submission {

/// Makes what an application hands over a message that any server takes: canonical line ends, Date and Message-ID when
/// they are missing, the private header on top, Bcc removed, everything else byte for byte. RFC 5321 §2.3.8, 6.3 and
/// 6409 §8, RFC 5322 §3.6. The message streams through; only its header section is held.
class Preparation {
public:
    static constexpr std::size_t header_bytes_max = 256 * 1024;
    static constexpr std::size_t received_max = 50;

    struct Options {
        enum class LineEnds { any, crlf_only } line_ends = LineEnds::any;  // LF alone is a line end, or an error
        std::string mark;                                                  // value of the private header; one word
        std::string from;           // for the From field when there is none; empty: none is added
        std::string id_domain;      // of a Message-ID that is made here
        std::string received;       // the value of a Received field on top; empty: none
        bool takes_wishes = false;  // X-Rohrpost-Key, -Lane and -Not-Before are taken out and become Facts::wishes
        WallTime now{};
    };
    explicit Preparation(Options options) : options_(std::move(options)) {}

    /// Takes bytes in, appends what they became to `out`. Errors: those of errc about messages; final.
    Result<void> put(std::string_view chunk, std::string& out);
    struct Wishes {
        std::string key;         // empty: none
        std::string lane;        // empty: none
        std::string not_before;  // empty: none
    };
    struct Facts {
        Wishes wishes;           // as they stand there
        std::string message_id;  // with its brackets
        std::string subject;     // unfolded, at most 200 bytes
        bool eight_bit = false;
        bool long_lines = false;  // over mime::line_bytes_max
        bool utf8_headers = false;
        std::vector<std::string> recipients;  // of To, Cc and Bcc, unchecked; empty as well when they cannot be read
        bool recipients_readable = true;
        std::optional<std::string> from;  // the first address of Sender, else of From
        std::uint64_t bytes = 0;          // of what came out
    };
    /// The message ends here.
    Result<Facts> finish(std::string& out);

private:
    Result<void> end_headers(std::string& out);
    Result<void> take_field(std::string_view field, std::string& out);
    Result<bool> take_wish(std::string_view name, std::string_view value);
    [[nodiscard]] Result<void> judged(const smtp::BodyFacts& facts) const;
    Result<void> put_header(std::string_view piece, std::string& out);

    Options options_;
    smtp::BodyInspection inspection_;
    smtp::Canonicalisation canonical_;
    std::string headers_;  // canonical, until they are complete
    bool in_body_ = false;
    Facts facts_;
    std::size_t received_ = 0;
    bool has_date_ = false;
    bool has_from_ = false;
    bool has_sender_ = false;
    std::size_t from_addresses_ = 0;
};

/// A date as a message has it: "Fri, 27 Nov 2026 04:30:00 +0000". RFC 5322 §3.3.
std::string date_of(WallTime time);

}  // namespace submission

#include "engine/submission/errc.hpp"

#include <string>

namespace submission {
namespace {

const char* words_of(errc code) noexcept {
    switch (code) {
        case errc::headers_too_long:
            return "the header section of the message is longer than 256 KiB";
        case errc::header_malformed:
            return "the message begins with a line that is no header field (\"Name: value\")";
        case errc::header_not_utf8:
            return "a header field has bytes that are not UTF-8; encode it as RFC 2047 says";
        case errc::bare_line_end:
            return "the message has a CR or LF that is not part of a CRLF";
        case errc::nul_byte:
            return "the message has a NUL byte";
        case errc::line_too_long:
            return "the message has a line of more than 998 bytes and cannot be encoded anew";
        case errc::loop:
            return "the message has been passed on too often (more than 50 Received fields): it is in a loop";
        case errc::several_from:
            return "From has several addresses and there is no Sender";
        case errc::no_recipients:
            return "the message has no recipient";
        case errc::too_many_recipients:
            return "the message has too many recipients";
        case errc::bad_recipient:
            return "an address in To, Cc or Bcc cannot be read";
        case errc::empty:
            return "the message is empty";
        case errc::unknown_sender:
            return "no mailbox may send from this address; add it to submit.from of a mailbox";
        case errc::too_large:
            return "the message is larger than the configured limit";
        case errc::in_the_past:
            return "the message would expire before it may be sent";
        case errc::closed:
            return "no mail is taken in for now: an operator lets the queue run empty; hand it in again later";
        case errc::bad_wish:
            return "X-Rohrpost-Key has 1 to 200 characters, X-Rohrpost-Lane is alarm, interactive or bulk, "
                   "X-Rohrpost-Not-Before is a Unix time in seconds; each stands once";
    }
    return "unknown fault of a submission";
}

class Category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "submission"; }
    std::string message(int code) const override { return words_of(static_cast<errc>(code)); }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category instance;
    return instance;
}

}  // namespace submission

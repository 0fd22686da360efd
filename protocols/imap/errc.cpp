#include "protocols/imap/errc.hpp"

#include <string>

namespace imap {
namespace {

class Category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "imap"; }
    std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::malformed_greeting:
                return "the server's first line is no IMAP greeting";
            case errc::preauth_refused:
                return "the server says that we are logged in already (PREAUTH); refused";
            case errc::bye:
                return "the server ended the session (BYE)";
            case errc::malformed_response:
                return "the server's response is not IMAP";
            case errc::line_too_long:
                return "a line of the server is longer than allowed";
            case errc::literal_too_long:
                return "the server announced a literal larger than allowed";
            case errc::nesting_too_deep:
                return "the server's response is nested deeper than allowed";
            case errc::too_many_responses:
                return "the server sends more than was asked for, without end";
            case errc::foreign_tag:
                return "the server completed a command that we did not send";
            case errc::unexpected_continuation:
                return "the server asks for more where nothing is left to send";
            case errc::mechanism_not_offered:
                return "the server does not offer the login mechanism";
            case errc::bad_argument:
                return "a name, user or secret cannot be sent: it contains CR, LF or NUL";
            case errc::idle_refused:
                return "the server refused IDLE";
            case errc::uids_out_of_order:
                return "the server's UIDs do not rise with its messages, or one stands for two of them";
        }
        return "unknown imap error";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category instance;
    return instance;
}

}  // namespace imap

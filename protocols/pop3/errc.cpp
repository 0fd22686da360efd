#include "protocols/pop3/errc.hpp"

#include <string>

namespace pop3 {
namespace {

class Category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "pop3"; }
    std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::malformed_greeting:
                return "the server's first line is no POP3 greeting";
            case errc::malformed_response:
                return "the server's response is not POP3";
            case errc::malformed_listing:
                return "the server's list of messages does not hold together";
            case errc::line_too_long:
                return "a line of the server is longer than allowed";
            case errc::body_too_long:
                return "the server sends a message larger than allowed";
            case errc::too_many_lines:
                return "the server lists more than is allowed, or lists without end";
            case errc::unexpected_continuation:
                return "the server asks for more where nothing is left to send";
            case errc::mechanism_not_offered:
                return "the server does not offer the login mechanism";
            case errc::tls_required:
                return "the connection is not encrypted: no secret is sent over it";
            case errc::tls_not_offered:
                return "the server does not offer STLS";
            case errc::bad_argument:
                return "a user or secret cannot be sent: it is empty or contains CR, LF or NUL";
        }
        return "unknown pop3 error";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category instance;
    return instance;
}

}  // namespace pop3

#include "protocols/smtp/errc.hpp"

#include <string>

namespace smtp {
namespace {

class Category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "smtp"; }
    std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::malformed_reply:
                return "what the server says is no SMTP reply";
            case errc::reply_line_too_long:
                return "a line of the server's reply is longer than allowed";
            case errc::reply_too_long:
                return "the server's reply has more lines or bytes than allowed";
            case errc::unexpected_reply:
                return "the server's replies do not fit to what was sent";
            case errc::goodbye:
                return "the server ended the session (421)";
            case errc::tls_not_offered:
                return "the server does not offer STARTTLS; nothing is said in the clear";
            case errc::tls_required:
                return "no login over a connection without TLS";
            case errc::mechanism_not_offered:
                return "the server does not offer the login mechanism";
            case errc::unusable:
                return "the connection is not usable any more";
            case errc::bad_name:
                return "our own name cannot be sent with EHLO: it is no domain and no address literal";
            case errc::bad_login:
                return "the user, secret or host of the login cannot be sent: it is empty, or contains CR, LF or NUL";
            case errc::login_too_long:
                return "the secret of the login is longer than SMTP can carry";
            case errc::bad_address:
                return "the address is malformed";
            case errc::address_too_long:
                return "the address is too long: 64 octets before the @, 254 in all";
            case errc::bad_envelope_id:
                return "the envelope id (ENVID) is longer than 100 octets, or has other characters than printable "
                       "ASCII";
            case errc::bad_original_recipient:
                return "the original recipient (ORCPT) is not of the form type;address, or too long";
            case errc::no_recipients:
                return "the mail has no recipients";
            case errc::body_not_canonical:
                return "the mail has a CR or LF that is no line end";
            case errc::body_size_wrong:
                return "the mail's body is not as long as was announced";
        }
        return "unknown smtp error";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category instance;
    return instance;
}

}  // namespace smtp

#include "protocols/jose/errc.hpp"

#include <string>

namespace jose {
namespace {

class Category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "jose"; }
    [[nodiscard]] std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::too_long:
                return "longer than a token, key set or key file may be";
            case errc::not_json:
                return "not a JSON object";
            case errc::duplicate_member:
                return "a JSON object names one member twice, so that its meaning depends on who reads it";
            case errc::not_compact:
                return "not a signed token (three parts of base64url with dots between)";
            case errc::algorithm_refused:
                return "the token is signed with an algorithm that is not accepted; expected RS256, PS256 or ES256";
            case errc::algorithm_mismatch:
                return "the token is signed with another algorithm than its key is for";
            case errc::critical_header:
                return "the token demands an extension that is not supported (crit)";
            case errc::unknown_key:
                return "the token is signed with a key that is not in the provider's key set";
            case errc::weak_key:
                return "the RSA key is too weak; at least 2048 bits are needed";
            case errc::bad_key:
                return "the key is malformed or larger than allowed";
            case errc::bad_signature:
                return "the signature is wrong: somebody else signed the token, or it was altered";
            case errc::encrypted_key:
                return "the private key is encrypted with a pass phrase; store it without one (openssl pkey -in KEY "
                       "-out "
                       "NEW), it is sealed here anyway";
            case errc::no_private_key:
                return "no private key found; expected PEM that begins with -----BEGIN PRIVATE KEY----- or "
                       "-----BEGIN RSA PRIVATE KEY-----";
            case errc::not_rsa:
                return "the private key is not an RSA key";
            case errc::no_certificate:
                return "no certificate found; expected PEM that begins with -----BEGIN CERTIFICATE-----";
            case errc::certificate_mismatch:
                return "the certificate does not belong to the private key";
        }
        return "unknown error of jose";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category category;
    return category;
}

}  // namespace jose

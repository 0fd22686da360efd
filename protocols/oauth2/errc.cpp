#include "protocols/oauth2/errc.hpp"

#include <string>

namespace oauth2 {
namespace {

class Category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "oauth2"; }
    [[nodiscard]] std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::query_too_long:
                return "the answer of the sign-in page is longer than any provider sends";
            case errc::query_malformed:
                return "the answer of the sign-in page is not a query";
            case errc::parameter_twice:
                return "the answer of the sign-in page names one parameter twice";
            case errc::parameter_too_long:
                return "a parameter of the sign-in page's answer is longer than any provider sends";
            case errc::state_missing:
                return "the answer of the sign-in page lacks the state; it does not come from a sign-in begun here";
            case errc::code_missing:
                return "the answer of the sign-in page holds neither a code nor an error";
            case errc::code_and_error:
                return "the answer of the sign-in page holds both a code and an error";
            case errc::other_redirect:
                return "this is not an answer to our redirect URL; paste the whole address that the browser shows "
                       "after "
                       "signing in";
            case errc::wrong_issuer:
                return "the answer comes from another identity provider or tenant than asked";
            case errc::wrong_key_issuer:
                return "the id_token is signed with a key for another issuer";
            case errc::wrong_token_type:
                return "the token is not an id_token";
            case errc::claims_malformed:
                return "a claim of the id_token is missing or malformed";
            case errc::wrong_audience:
                return "the id_token was issued for another application";
            case errc::expired:
                return "the id_token has expired; check this machine's clock";
            case errc::not_yet_valid:
                return "the id_token was issued in the future; this machine's clock is behind";
            case errc::wrong_nonce:
                return "the id_token does not belong to this sign-in (nonce)";
            case errc::key_file_malformed:
                return "not the key file of a service account; expected the JSON file that Google's console made, with "
                       "client_email, private_key and private_key_id";
            case errc::key_file_other_kind:
                return "a key file of another kind; expected one with \"type\": \"service_account\"";
            case errc::key_file_token_uri:
                return "the key file's token_uri is not an https URL";
        }
        return "unknown error of oauth2";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category category;
    return category;
}

}  // namespace oauth2

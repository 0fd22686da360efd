/// A service account's key file. KEY in it stands for a real private key.

#include <openssl/pem.h>

#include <algorithm>
#include <boost/json.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/jose/openssl.hpp"
#include "protocols/oauth2/assertion.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

/// As it stands in a JSON text.
std::string made_key() {
    const jose::Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_RSA_gen(2048));
    const jose::Bio bio(BIO_new(BIO_s_mem()));
    fuzz::expect(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "a key");
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    const auto quoted = boost::json::serialize(boost::json::string(text, static_cast<std::size_t>(size)));
    return quoted.substr(1, quoted.size() - 2);
}

bool visible(std::string_view text) {
    return text.size() <= 1024 && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const std::string key = made_key();
    std::string text(fuzz::text_of(bytes, size));
    if (const auto at = text.find("KEY"); at != std::string::npos) text.replace(at, 3, key);
    (void)jose::read_private_key(Secret(text));
    (void)jose::read_certificate(text);
    const auto account = oauth2::read_service_account(Secret(text));
    if (!account) return 0;
    fuzz::expect(visible(account->client_email) && account->client_email.find('@') != std::string::npos,
                 "the account has an address");
    fuzz::expect(visible(account->token_uri) && (account->token_uri.front() | 0x20) == 'h', "tokens come from a URL");
    const WallTime now{std::chrono::seconds(1'790'000'000)};
    const auto assertion = service_account_assertion(*account, "desk@contoso.com", "scope", now);
    fuzz::expect(assertion.has_value(), "a sound key signs");
    const auto token = assertion->reveal();
    const auto first = token.find('.'), last = token.rfind('.');
    const auto claims = boost::json::parse(*base64url_decoded(token.substr(first + 1, last - first - 1))).as_object();
    fuzz::expect(
        claims.at("iss").as_string() == account->client_email && claims.at("aud").as_string() == account->token_uri,
        "an assertion says who asks whom");
    return 0;
}

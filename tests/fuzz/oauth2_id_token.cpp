/// A token and its keys. Input: the header on a line of its own, then the payload; they are signed here. The whole
/// input is also read as a key set and as a token.

#include <openssl/core_names.h>

#include <boost/json.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/jose/openssl.hpp"
#include "protocols/jose/verify.hpp"
#include "protocols/oauth2/id_token.hpp"
#include "protocols/oauth2/identity.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using Key = jose::Owned<EVP_PKEY, EVP_PKEY_free>;

const Key& signing_key() {
    static const Key key(EVP_EC_gen("P-256"));
    return key;
}

std::string digits(const BIGNUM* number) {
    std::string text(32, '\0');
    fuzz::expect(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(text.data()), 32) == 32, "a number of P-256");
    return text;
}

std::string coordinate(const char* name) {
    BIGNUM* number = nullptr;
    fuzz::expect(EVP_PKEY_get_bn_param(signing_key().get(), name, &number) == 1, "a key has coordinates");
    const jose::Number owned(number);
    return base64url_encoded(digits(number));
}

const jose::KeySet& keys() {
    static const jose::KeySet set = *jose::read_key_set(
        R"({"keys":[{"kty":"EC","crv":"P-256","kid":"k","issuer":"https://idp.test/{tenantid}/v2.0","x":")" +
        coordinate(OSSL_PKEY_PARAM_EC_PUB_X) + R"(","y":")" + coordinate(OSSL_PKEY_PARAM_EC_PUB_Y) + R"("}]})");
    return set;
}

std::string token_of(std::string_view header, std::string_view payload) {
    std::string text = base64url_encoded(header) + '.' + base64url_encoded(payload);
    const jose::Digesting digesting(EVP_MD_CTX_new());
    std::string der(128, '\0');
    std::size_t size = der.size();
    auto* into = reinterpret_cast<unsigned char*>(der.data());
    const bool done = EVP_DigestSignInit(digesting.get(), nullptr, EVP_sha256(), nullptr, signing_key().get()) == 1 &&
                      EVP_DigestSign(digesting.get(), into, &size, jose::bytes_of(text), text.size()) == 1;
    fuzz::expect(done, "a key signs");
    const auto* bytes = jose::bytes_of(der);
    const jose::EcSignature pair(d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(size)));
    return text + '.' + base64url_encoded(digits(ECDSA_SIG_get0_r(pair.get())) + digits(ECDSA_SIG_get0_s(pair.get())));
}

const WallTime now{std::chrono::seconds(1'790'000'000)};

void check(const oauth2::IdToken& token, std::string_view payload) {
    const auto claims = boost::json::parse(payload).as_object();
    fuzz::expect(claims.at("nonce").as_string() == "n", "an accepted token has the nonce");
    fuzz::expect(claims.at("iss").as_string() == token.issuer, "the issuer is the token's");
    fuzz::expect(token.issuer == "https://idp.test/" + token.tenant + "/v2.0", "the issuer is of the tenant");
    fuzz::expect(token.expires_at + oauth2::clock_skew_max > now, "an accepted token has not expired");
    fuzz::expect(token.issued_at <= now + oauth2::clock_skew_max, "an accepted token is not of the future");
    for (const auto* text : {&token.preferred_username, &token.upn, &token.unique_name, &token.email, &token.subject})
        fuzz::expect(text->size() <= 1024 && text->find('\n') == std::string::npos, "claims are bounded lines");

    oauth2::ExpectedIdentity expected;
    expected.provider = oauth2::ExpectedIdentity::Provider::entra;
    expected.user = "desk@contoso.com";
    expected.tenant = "11111111-2222-3333-4444-555555555555";
    const auto verdict = compare(token, expected);
    if (verdict.is != oauth2::IdentityVerdict::Is::same) {
        fuzz::expect(!verdict.why.empty(), "a refusal says why");
        return;
    }
    fuzz::expect(token.tenant == expected.tenant, "only an account of the tenant passes");
    fuzz::expect(!token.object_id.empty(), "only a named account passes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    auto rest = input;
    const auto header = fuzz::take_line(rest);
    const oauth2::IdTokenDemand demand{
        .client_id = "app", .issuers = {"https://idp.test/{tenantid}/v2.0"}, .nonce = "n"};

    const auto set = jose::read_key_set(input);
    fuzz::expect(!set || set->size() <= jose::keys_max, "a key set is bounded");
    fuzz::expect(!read_id_token(input, keys(), demand, now), "nobody can sign but us");
    auto token = token_of(header, rest);
    const auto read = read_id_token(token, keys(), demand, now);
    if (read) check(*read, rest);
    const auto verified = jose::verify(token, keys());
    fuzz::expect(!verified || verified->payload == rest, "the payload is what was signed");
    if (set) (void)jose::verify(token, *set);
    auto& altered = token[token.size() / 3];
    altered = altered == 'A' ? 'B' : 'A';
    fuzz::expect(!jose::verify(token, keys()), "an altered token is refused");
    return 0;
}

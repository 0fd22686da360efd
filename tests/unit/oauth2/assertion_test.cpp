#include "protocols/oauth2/assertion.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/jose/errc.hpp"
#include "protocols/jose/verify.hpp"
#include "protocols/oauth2/errc.hpp"
#include "tests/unit/jose/signer.hpp"

using namespace oauth2;
using jose_test::certificate_of;
using jose_test::other_rsa_signer;
using jose_test::rsa_signer;

namespace {

namespace json = boost::json;

const WallTime now{std::chrono::seconds(1'790'000'000)};

json::object part_of(const Secret& token, std::size_t index) {
    const auto parts = text::split(token.reveal(), '.');
    return json::parse(*base64url_decoded(parts.at(index))).as_object();
}

json::object key_file_object() {
    return {{"type", "service_account"},
            {"project_id", "p"},
            {"private_key_id", "kid-1"},
            {"private_key", rsa_signer().pem()},
            {"client_email", "mail@p.iam.gserviceaccount.com"},
            {"client_id", "1184"},
            {"auth_uri", "https://accounts.google.com/o/oauth2/auth"},
            {"token_uri", "https://oauth2.googleapis.com/token"},
            {"universe_domain", "googleapis.com"}};
}

std::string key_file() { return json::serialize(key_file_object()); }

std::string key_file_without(std::string_view name) {
    auto file = key_file_object();
    file.erase(name);
    return json::serialize(file);
}

template <class Value>
std::string key_file(std::string_view name, const Value& value) {
    auto file = key_file_object();
    file[name] = value;
    return json::serialize(file);
}

error_code flaw_of(std::string text) {
    const auto account = read_service_account(Secret(std::move(text)));
    return account ? error_code() : account.error();
}

}  // namespace

TEST_CASE("oauth2: a client proves itself to Entra with PS256, x5t#S256 and the claims it demands", "[oauth2]") {
    const auto certificate = *jose::read_certificate(certificate_of(rsa_signer()));
    const auto key = *jose::read_private_key(Secret(rsa_signer().pem()));
    const auto claims = client_claims("app", "https://login.microsoftonline.com/t/oauth2/v2.0/token", "jti-1", now);
    const auto assertion = client_assertion(claims, certificate, key);
    REQUIRE(assertion.has_value());
    const json::object header{{"alg", "PS256"}, {"typ", "JWT"}, {"x5t#S256", certificate.thumbprint}};
    CHECK(part_of(*assertion, 0) == header);
    const json::object expected{
        {"iss", "app"},        {"sub", "app"},         {"aud", "https://login.microsoftonline.com/t/oauth2/v2.0/token"},
        {"jti", "jti-1"},      {"iat", 1'789'999'940}, {"nbf", 1'789'999'940},
        {"exp", 1'790'000'540}};
    CHECK(part_of(*assertion, 1) == expected);
    CHECK(jose::verify(assertion->reveal(), *jose::read_key_set(rsa_signer().key_set("x"))).has_value());
}

TEST_CASE("oauth2: a certificate of another key proves nothing, and is refused before it is sent", "[oauth2]") {
    const auto certificate = *jose::read_certificate(certificate_of(other_rsa_signer()));
    const auto key = *jose::read_private_key(Secret(rsa_signer().pem()));
    CHECK(client_assertion(client_claims("app", "https://t.test/", "j", now), certificate, key).error() ==
          make_error_code(jose::errc::certificate_mismatch));
}

TEST_CASE("oauth2: a service account is read from Google's key file and asks on behalf of a user", "[oauth2]") {
    const auto account = read_service_account(Secret(key_file()));
    REQUIRE(account.has_value());
    CHECK(account->client_email == "mail@p.iam.gserviceaccount.com");
    CHECK(account->private_key_id == "kid-1");
    CHECK(account->token_uri == "https://oauth2.googleapis.com/token");
    CHECK(account->client_id == "1184");
    const auto assertion = service_account_assertion(*account, "desk@contoso.com", "https://mail.google.com/", now);
    REQUIRE(assertion.has_value());
    CHECK(part_of(*assertion, 0) == json::object{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "kid-1"}});
    const json::object expected{{"iss", "mail@p.iam.gserviceaccount.com"},
                                {"sub", "desk@contoso.com"},
                                {"aud", "https://oauth2.googleapis.com/token"},
                                {"scope", "https://mail.google.com/"},
                                {"iat", 1'790'000'000},
                                {"exp", 1'790'003'600}};
    CHECK(part_of(*assertion, 1) == expected);
    CHECK(jose::verify(assertion->reveal(), *jose::read_key_set(rsa_signer().key_set("kid-1"))).has_value());
    CHECK_FALSE(part_of(*service_account_assertion(*account, "", "s", now), 1).contains("sub"));
    CHECK(read_service_account(Secret(key_file_without("token_uri")))->token_uri ==
          "https://oauth2.googleapis.com/token");
}

TEST_CASE("oauth2: a key file that is none is refused by name", "[oauth2]") {
    const auto malformed = make_error_code(errc::key_file_malformed);
    CHECK_FALSE(flaw_of(key_file()));
    CHECK(flaw_of(key_file_without("type")) == malformed);
    CHECK(flaw_of(key_file("type", "authorized_user")) == make_error_code(errc::key_file_other_kind));
    CHECK(flaw_of(key_file_without("client_email")) == malformed);
    CHECK(flaw_of(key_file("client_email", "nobody")) == malformed);
    CHECK(flaw_of(key_file("client_email", "a@b\r\nx")) == malformed);
    CHECK(flaw_of(key_file("client_email", 7)) == malformed);
    CHECK(flaw_of(key_file_without("private_key_id")) == malformed);
    CHECK(flaw_of(key_file_without("private_key")) == make_error_code(jose::errc::no_private_key));
    CHECK(flaw_of(key_file("private_key", "x")) == make_error_code(jose::errc::no_private_key));
    CHECK(flaw_of(key_file("private_key", jose_test::ec_signer().pem())) == make_error_code(jose::errc::not_rsa));
    CHECK(flaw_of(key_file("token_uri", "http://oauth2.googleapis.com/token")) ==
          make_error_code(errc::key_file_token_uri));
    CHECK(flaw_of(key_file("token_uri", "")) == make_error_code(errc::key_file_token_uri));
    CHECK(flaw_of(key_file("token_uri", 7)) == make_error_code(errc::key_file_token_uri));
    CHECK(flaw_of(key_file("x", std::string(70'000, 'x'))) == make_error_code(jose::errc::too_long));
    CHECK(flaw_of("{\"type\":\"service_account\"," + key_file().substr(1)) ==
          make_error_code(jose::errc::duplicate_member));
    const auto text = key_file();
    for (std::size_t kept = 0; kept < text.size(); kept += 7) CHECK(flaw_of(text.substr(0, kept)));
}

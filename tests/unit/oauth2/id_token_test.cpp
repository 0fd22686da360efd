#include "protocols/oauth2/id_token.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <functional>

#include "protocols/jose/errc.hpp"
#include "protocols/oauth2/errc.hpp"
#include "protocols/oauth2/issuer.hpp"
#include "tests/unit/jose/signer.hpp"

using namespace oauth2;
using jose_test::other_rsa_signer;
using jose_test::rsa_signer;

namespace {

namespace json = boost::json;

constexpr std::int64_t now_seconds = 1'790'000'000;
const WallTime now{std::chrono::seconds(now_seconds)};
constexpr std::string_view tenant = "11111111-2222-3333-4444-555555555555";
constexpr std::string_view other_tenant = "aaaaaaaa-2222-3333-4444-555555555555";

std::string issuer_of(std::string_view id) { return "https://login.microsoftonline.com/" + std::string(id) + "/v2.0"; }

json::object entra_claims() {
    return {{"iss", issuer_of(tenant)},
            {"aud", "app"},
            {"sub", "pairwise"},
            {"tid", tenant},
            {"oid", "bbbbbbbb-2222-3333-4444-555555555555"},
            {"preferred_username", "Desk@Contoso.com"},
            {"email", "desk@contoso.com"},
            {"nonce", "n-1"},
            {"iat", now_seconds - 10},
            {"nbf", now_seconds - 10},
            {"exp", now_seconds + 3600}};
}

IdTokenDemand demand() {
    IdTokenDemand demand;
    demand.client_id = "app";
    demand.issuers = {issuer_of(tenant_place)};
    demand.nonce = "n-1";
    return demand;
}

Result<IdToken> read(const json::object& claims, const IdTokenDemand& wanted = demand(), WallTime at = now) {
    const auto token =
        rsa_signer().signed_as("RS256", R"({"alg":"RS256","typ":"JWT","kid":"k"})", json::serialize(claims));
    return read_id_token(token, *jose::read_key_set(rsa_signer().key_set("k")), wanted, at);
}

/// What is done to claims: one put in place, or taken away.
using Change = std::function<void(json::object&)>;
template <class Value>
Change with(std::string_view name, Value value) {
    return [name, value](json::object& claims) { claims[name] = value; };
}
Change without(std::string_view name) {
    return [name](json::object& claims) { claims.erase(name); };
}

error_code flaw_of(const Change& change, const IdTokenDemand& wanted = demand(), WallTime at = now) {
    auto claims = entra_claims();
    change(claims);
    const auto read_token = read(claims, wanted, at);
    return read_token ? error_code() : read_token.error();
}

}  // namespace

TEST_CASE("oauth2: an id_token of Entra is read with the identity it names", "[oauth2]") {
    const auto token = read(entra_claims());
    REQUIRE(token.has_value());
    CHECK(token->issuer == issuer_of(tenant));
    CHECK(token->tenant == tenant);
    CHECK(token->object_id == "bbbbbbbb-2222-3333-4444-555555555555");
    CHECK(token->subject == "pairwise");
    CHECK(token->preferred_username == "Desk@Contoso.com");
    CHECK(token->email == "desk@contoso.com");
    CHECK_FALSE(token->email_verified.has_value());
    CHECK(token->expires_at == now + std::chrono::hours(1));
    CHECK(token->account == IdToken::Account::unstated);
}

TEST_CASE("oauth2: an id_token of Google is read, whichever way it writes its issuer", "[oauth2]") {
    IdTokenDemand google;
    google.client_id = "app.apps.googleusercontent.com";
    google.issuers = {"https://accounts.google.com", "accounts.google.com"};
    google.nonce = "n";
    const auto issuer = GENERATE(as<std::string>(), "https://accounts.google.com", "accounts.google.com");
    const auto token = read({{"iss", issuer},
                             {"azp", google.client_id},
                             {"aud", google.client_id},
                             {"sub", "1184"},
                             {"hd", "contoso.com"},
                             {"email", "desk@contoso.com"},
                             {"email_verified", true},
                             {"nonce", "n"},
                             {"iat", now_seconds},
                             {"exp", now_seconds + 3600}},
                            google);
    REQUIRE(token.has_value());
    CHECK(token->hosted_domain == "contoso.com");
    CHECK(token->email_verified == true);
    CHECK(token->subject == "1184");
}

TEST_CASE("oauth2: an id_token of another issuer, tenant, client or sign-in is refused by name",
          "[oauth2][hostile-43][hostile-45]") {
    const json::array several{"app", "other"};
    const auto [change, code] = GENERATE_COPY(table<Change, errc>({
        {without("iss"), errc::claims_malformed},
        {with("iss", 7), errc::claims_malformed},
        {with("iss", ""), errc::claims_malformed},
        {with("iss", "https://login.microsoftonline.com/{tenantid}/v2.0"), errc::wrong_issuer},
        {with("iss", issuer_of(other_tenant)), errc::wrong_issuer},
        {with("tid", other_tenant), errc::wrong_issuer},
        {without("tid"), errc::wrong_issuer},
        {with("tid", "{tenantid}"), errc::wrong_issuer},
        {with("iss", issuer_of(tenant) + "/"), errc::wrong_issuer},
        {with("iss", "https://login.microsoftonline.us/" + std::string(tenant) + "/v2.0"), errc::wrong_issuer},
        {with("iss", "https://sts.windows.net/" + std::string(tenant) + "/"), errc::wrong_issuer},
        {without("aud"), errc::claims_malformed},
        {with("aud", 7), errc::claims_malformed},
        {with("aud", "other"), errc::wrong_audience},
        {with("aud", "app "), errc::wrong_audience},
        {with("aud", json::array()), errc::wrong_audience},
        {with("aud", json::array{"other"}), errc::wrong_audience},
        {with("aud", json::array{"app", 7}), errc::claims_malformed},
        {with("aud", json::array(17, "app")), errc::claims_malformed},
        {with("aud", several), errc::wrong_audience},
        {with("azp", "other"), errc::wrong_audience},
        {with("azp", 7), errc::wrong_audience},
        {without("nonce"), errc::wrong_nonce},
        {with("nonce", ""), errc::wrong_nonce},
        {with("nonce", "n-2"), errc::wrong_nonce},
        {with("nonce", "N-1"), errc::wrong_nonce},
        {with("nonce", "n-1x"), errc::wrong_nonce},
        {with("nonce", json::array{"n-1"}), errc::wrong_nonce},
        {without("sub"), errc::claims_malformed},
        {with("preferred_username", 7), errc::claims_malformed},
        {with("preferred_username", "desk\ncontoso"), errc::claims_malformed},
        {with("preferred_username", std::string("desk@contoso.com\0x", 18)), errc::claims_malformed},
        {with("email", std::string(2000, 'x')), errc::claims_malformed},
        {with("oid", json::object()), errc::claims_malformed},
    }));
    CAPTURE(code);
    CHECK(flaw_of(change) == make_error_code(code));
}

TEST_CASE("oauth2: an id_token for several clients is taken when it was issued to us", "[oauth2]") {
    const json::array several{"other", "app"};
    CHECK_FALSE(flaw_of(with("aud", json::array{"app"})));
    CHECK_FALSE(flaw_of(with("azp", "app")));
    CHECK_FALSE(flaw_of([&](json::object& claims) {
        claims["aud"] = several;
        claims["azp"] = "app";
    }));
    CHECK(flaw_of([&](json::object& claims) {
              claims["aud"] = several;
              claims["azp"] = "other";
          }) == make_error_code(errc::wrong_audience));
}

TEST_CASE("oauth2: an id_token is taken in its time, with five minutes for clocks that differ", "[oauth2]") {
    constexpr std::int64_t skew = 300;
    const auto [name, value, code] = GENERATE(table<std::string, json::value, int>({
        {"exp", now_seconds + 1, 0},
        {"exp", now_seconds - skew + 1, 0},
        {"exp", now_seconds - skew, static_cast<int>(errc::expired)},
        {"exp", 0, static_cast<int>(errc::expired)},
        {"exp", -1, static_cast<int>(errc::claims_malformed)},
        {"exp", "1790003600", static_cast<int>(errc::claims_malformed)},
        {"exp", nullptr, static_cast<int>(errc::claims_malformed)},
        {"exp", 1e300, static_cast<int>(errc::claims_malformed)},
        {"exp", 1790003600.5, 0},
        {"iat", now_seconds + skew, 0},
        {"iat", now_seconds + skew + 1, static_cast<int>(errc::not_yet_valid)},
        {"iat", true, static_cast<int>(errc::claims_malformed)},
        {"nbf", now_seconds + skew, 0},
        {"nbf", now_seconds + skew + 1, static_cast<int>(errc::not_yet_valid)},
        {"nbf", "x", static_cast<int>(errc::claims_malformed)},
    }));
    CAPTURE(name, json::serialize(value));
    CHECK(flaw_of(with(name, value)).value() == code);
    CHECK(flaw_of(without("exp")) == make_error_code(errc::claims_malformed));
    CHECK(flaw_of(without("iat")) == make_error_code(errc::claims_malformed));
    CHECK_FALSE(flaw_of(without("nbf")));
}

TEST_CASE("oauth2: without a nonce sent, one that comes is of another sign-in, a refresh does not look", "[oauth2]") {
    auto none = demand();
    none.nonce.clear();
    CHECK(flaw_of([](json::object&) {}, none) == make_error_code(errc::wrong_nonce));
    CHECK_FALSE(flaw_of(without("nonce"), none));
    none.occasion = IdTokenDemand::Occasion::refresh;
    CHECK_FALSE(flaw_of([](json::object&) {}, none));
    CHECK_FALSE(flaw_of(without("nonce"), none));
}

TEST_CASE("oauth2: a tenant that is configured is the only one", "[oauth2][hostile-45]") {
    auto one = demand();
    one.issuers = {issuer_of(tenant)};
    CHECK_FALSE(flaw_of([](json::object&) {}, one));
    const auto foreign = [](json::object& claims) {
        claims["iss"] = issuer_of(other_tenant);
        claims["tid"] = other_tenant;
    };
    CHECK(flaw_of(foreign, one) == make_error_code(errc::wrong_issuer));
    CHECK_FALSE(flaw_of(foreign));  // any tenant may be asked for: then the identity decides
    one.issuers.clear();
    CHECK(flaw_of([](json::object&) {}, one) == make_error_code(errc::wrong_issuer));
}

TEST_CASE("oauth2: a key of Entra signs for its issuer only", "[oauth2][hostile-43]") {
    const auto token = rsa_signer().signed_as("RS256", R"({"alg":"RS256","kid":"k"})", json::serialize(entra_claims()));
    const auto said = [&](const std::string& issuer) {
        const auto keys =
            jose::read_key_set(R"({"keys":[{"kid":"k","issuer":")" + issuer + "\"," + rsa_signer().members() + "}]}");
        const auto read_token = read_id_token(token, *keys, demand(), now);
        return read_token ? error_code() : read_token.error();
    };
    CHECK_FALSE(said(issuer_of(tenant_place)));
    CHECK_FALSE(said(issuer_of(tenant)));
    CHECK(said(issuer_of("9188040d-6c67-4c5b-b112-36a304b66dad")) == make_error_code(errc::wrong_key_issuer));
}

TEST_CASE("oauth2: an id_token that somebody else signed, or nobody, is refused", "[oauth2][hostile-45]") {
    const auto claims = json::serialize(entra_claims());
    const auto keys = *jose::read_key_set(rsa_signer().key_set("k"));
    const auto foreign = other_rsa_signer().signed_as("RS256", R"({"alg":"RS256","kid":"k"})", claims);
    CHECK(read_id_token(foreign, keys, demand(), now).error() == make_error_code(jose::errc::bad_signature));
    auto altered = entra_claims();
    altered["preferred_username"] = "boss@contoso.com";
    const auto good = rsa_signer().signed_as("RS256", R"({"alg":"RS256","kid":"k"})", claims);
    const auto other = rsa_signer().signed_as("RS256", R"({"alg":"RS256","kid":"k"})", json::serialize(altered));
    const auto mixed = other.substr(0, other.rfind('.')) + good.substr(good.rfind('.'));
    CHECK(read_id_token(good, keys, demand(), now).has_value());
    CHECK(read_id_token(mixed, keys, demand(), now).error() == make_error_code(jose::errc::bad_signature));
    CHECK(read_id_token(good, {}, demand(), now).error() == make_error_code(jose::errc::unknown_key));
    for (std::size_t kept = 0; kept < good.size(); ++kept)
        CHECK(read_id_token(std::string_view(good).substr(0, kept), keys, demand(), now).has_error());
}

TEST_CASE("oauth2: another kind of token with the same key is no id_token", "[oauth2]") {
    const auto keys = *jose::read_key_set(rsa_signer().key_set("k"));
    const auto type = GENERATE(as<std::string>(), "at+jwt", "logout+jwt", "JWT2", "application/at+jwt");
    const auto token = rsa_signer().signed_as("RS256", R"({"alg":"RS256","kid":"k","typ":")" + type + "\"}",
                                              json::serialize(entra_claims()));
    CHECK(read_id_token(token, keys, demand(), now).error() == make_error_code(errc::wrong_token_type));
}

TEST_CASE("oauth2: claims that readers could understand differently are refused", "[oauth2]") {
    const auto keys = *jose::read_key_set(rsa_signer().key_set("k"));
    auto text = json::serialize(entra_claims());
    text.insert(1, R"("nonce":"n-1",)");
    const auto said = [&](std::string_view payload) {
        return read_id_token(rsa_signer().signed_as("RS256", R"({"alg":"RS256"})", payload), keys, demand(), now)
            .error();
    };
    CHECK(said(text) == make_error_code(jose::errc::duplicate_member));
    CHECK(said("[]") == make_error_code(jose::errc::not_json));
    CHECK(said("") == make_error_code(jose::errc::not_json));
    CHECK(said("{}") == make_error_code(errc::claims_malformed));
}

TEST_CASE("oauth2: issuers with a tenant in them are compared byte for byte", "[oauth2]") {
    CHECK(is_tenant_id(tenant));
    CHECK_FALSE(is_tenant_id("11111111-2222-3333-4444-55555555555"));
    CHECK_FALSE(is_tenant_id("11111111-2222-3333-4444-55555555555G"));
    CHECK_FALSE(is_tenant_id("AAAAAAAA-2222-3333-4444-555555555555"));
    CHECK_FALSE(is_tenant_id("11111111222223333344444555555555555555"));
    CHECK(is_issuer("a/" + std::string(tenant) + "/b", "a/{tenantid}/b", tenant));
    CHECK_FALSE(is_issuer("a/" + std::string(tenant) + "/b", "a/{tenantid}/b", other_tenant));
    CHECK_FALSE(is_issuer("a/" + std::string(tenant) + "/bb", "a/{tenantid}/b", tenant));
    CHECK_FALSE(is_issuer("", "", tenant));
}

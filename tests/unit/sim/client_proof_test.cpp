#include "tools/rohrpost-sim/client_proof.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "protocols/base/base64.hpp"
#include "tests/unit/sim/identity_desk.hpp"

using namespace std::chrono_literals;
namespace json = boost::json;
using sim::Algorithm;
using sim::Manner;
using support::box;
using support::Form;
using support::IdentityDesk;

namespace {

/// A certificate for the key, signed by itself.
std::string certificate_for(const sim::RsaKey& key) {
    const std::string pem = key.private_pem();
    BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    EVP_PKEY* own = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
    X509* certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, own);
    REQUIRE(X509_sign(certificate, own, EVP_sha256()) > 0);
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, certificate);
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(out, &bytes);
    std::string text(bytes, static_cast<std::size_t>(length));
    BIO_free(in);
    BIO_free(out);
    X509_free(certificate);
    EVP_PKEY_free(own);
    return text;
}

struct AppDesk : IdentityDesk {
    explicit AppDesk(Manner manner = Manner::entra)
        : IdentityDesk(manner), key(sim::RsaKey::drawn_from(random)), certificate(certificate_for(key)) {
        client().certificates = {certificate};
    }
    sim::Client& client() { return world.identity.clients["rohrpost-sim"]; }
    [[nodiscard]] std::string endpoint() const { return "https://localhost" + (google() ? "" : place()) + "/token"; }
    [[nodiscard]] json::object header() const { return {{"x5t#S256", sim::thumbprint_sha256(certificate)}}; }
    json::object claims() {
        const std::int64_t now = world.identity.seconds_now();
        return {
            {"aud", endpoint()}, {"iss", "rohrpost-sim"}, {"sub", "rohrpost-sim"}, {"jti", fmt::format("id-{}", ++ids)},
            {"nbf", now},        {"exp", now + 600}};
    }
    sim::HttpReply app_token(Form more) {
        Form form{{"grant_type", "client_credentials"}, {"scope", "https://outlook.office365.com/.default"}};
        for (auto& [name, value] : more) form[name] = value;
        return token(std::move(form));
    }
    sim::HttpReply with_assertion(const std::string& assertion) {
        return app_token(
            {{"client_assertion_type", std::string(sim::client_assertion_type)}, {"client_assertion", assertion}});
    }

    sim::RsaKey key;
    std::string certificate;
    int ids = 0;
};

}  // namespace

TEST_CASE("sim client: a signed assertion proves the application, by PS256 or RS256, by thumbprint or kid", "[sim]") {
    AppDesk desk;
    for (const Algorithm algorithm : {Algorithm::ps256, Algorithm::rs256}) {
        for (const json::object& header :
             {desk.header(), json::object{{"x5t", sim::thumbprint_sha1(desk.certificate)}},
              json::object{{"kid", sim::thumbprint_sha256(desk.certificate)}}, json::object{}}) {
            const auto reply = desk.with_assertion(sim::signed_jwt(header, desk.claims(), desk.key, algorithm));
            INFO(reply.body);
            CHECK(reply.status == 200);
            const auto body = IdentityDesk::json_of(reply);
            CHECK_FALSE(body.contains("refresh_token"));
            CHECK_FALSE(body.contains("id_token"));
            CHECK(desk.world.tokens.holder_of(IdentityDesk::text_in(body, "access_token")));
        }
    }
}

TEST_CASE("sim client: an assertion that is wrong in any one way is refused with its number", "[sim]") {
    AppDesk desk;
    support::SeededRandom other(3);
    const sim::RsaKey stranger = sim::RsaKey::drawn_from(other);
    const auto code_with = [&](const json::object& change) {
        json::object claims = desk.claims();
        for (const auto& [name, value] : change) claims[name] = value;
        return IdentityDesk::code_of(desk.with_assertion(sim::signed_jwt(desk.header(), claims, desk.key)));
    };
    const std::int64_t now = desk.world.identity.seconds_now();
    CHECK(code_with({{"aud", "https://elsewhere.example/token"}}) == 700023);
    CHECK(code_with({{"aud", json::array{"https://elsewhere.example/token"}}}) == 700023);
    CHECK(code_with({{"aud", nullptr}}) == 700023);
    CHECK(code_with({{"iss", "another"}}) == 50012);
    CHECK(code_with({{"sub", "another"}}) == 50012);
    CHECK(code_with({{"exp", now - 301}}) == 700024);
    CHECK(code_with({{"exp", "never"}}) == 700024);
    CHECK(code_with({{"exp", now + 86401}}) == 700024);
    CHECK(code_with({{"exp", std::numeric_limits<std::int64_t>::max()}}) == 700024);
    CHECK(code_with({{"nbf", now + 301}}) == 700024);
    CHECK(code_with({{"jti", ""}}) == 50013);
    const auto code_of_assertion = [&](const std::string& assertion) {
        const auto reply = desk.with_assertion(assertion);
        CHECK(reply.status >= 400);
        return IdentityDesk::code_of(reply);
    };
    CHECK(code_of_assertion("not a token") == 50027);
    CHECK(code_of_assertion(sim::unsigned_jwt(desk.claims())) == 700027);
    CHECK(code_of_assertion(sim::signed_jwt(desk.header(), desk.claims(), stranger)) == 700027);
    CHECK(code_of_assertion(sim::signed_jwt({{"x5t#S256", "wrong"}}, desk.claims(), desk.key)) == 700027);
    CHECK(code_of_assertion(sim::signed_jwt({{"alg", "HS256"}}, desk.claims(), desk.key)) == 700027);
    const std::string once = sim::signed_jwt(desk.header(), desk.claims(), desk.key);
    CHECK(desk.with_assertion(once).status == 200);
    CHECK(code_of_assertion(once) == 50013);
    CHECK(IdentityDesk::code_of(desk.app_token({{"client_assertion", once}})) == 900144);
}

TEST_CASE("sim client: secrets, public and confidential applications", "[sim]") {
    AppDesk desk;
    desk.client().certificates.clear();
    CHECK(IdentityDesk::code_of(desk.app_token({{"client_secret", "s"}})) == 700025);
    CHECK(IdentityDesk::code_of(desk.app_token({})) == 7000218);
    desk.client().secret = "a secret: with % and +";
    CHECK(IdentityDesk::code_of(desk.app_token({})) == 7000218);
    const auto wrong = desk.app_token({{"client_secret", "wrong"}});
    CHECK(wrong.status == 401);
    CHECK(IdentityDesk::code_of(wrong) == 7000215);
    CHECK(desk.app_token({{"client_secret", "a secret: with % and +"}}).status == 200);
    sim::HttpRequest request;
    request.method = "POST";
    request.path = desk.place() + "/token";
    request.fields = {{"grant_type", "client_credentials"}, {"scope", "https://outlook.office365.com/.default"}};
    request.basic = base64_encoded("rohrpost-sim:a+secret%3A+with+%25+and+%2B");
    CHECK(sim::answer(desk.world, request).status == 200);
    desk.client().secret_expired = true;
    CHECK(IdentityDesk::code_of(desk.app_token({{"client_secret", "a secret: with % and +"}})) == 7000222);
    desk.client().secret_expired = false;
    const Form secret{{"client_secret", "a secret: with % and +"}};
    const auto with_scope = [&](const std::string& scope) {
        Form form = secret;
        form["scope"] = scope;
        return desk.app_token(form);
    };
    CHECK(IdentityDesk::code_of(with_scope("https://outlook.office.com/IMAP.AccessAsUser.All")) == 1002012);
    CHECK(IdentityDesk::code_of(with_scope("")) == 1002012);
    Form common = secret;
    common["client_id"] = "rohrpost-sim";
    common["grant_type"] = "client_credentials";
    CHECK(IdentityDesk::code_of(desk.send("POST", "/common/oauth2/v2.0/token", common)) == 9001023);
    // Refreshing needs the proof, too.
    const Form refresh{{"grant_type", "refresh_token"}, {"refresh_token", desk.world.tokens.first_refresh_token(box)}};
    CHECK(IdentityDesk::code_of(desk.token(refresh)) == 7000218);
}

TEST_CASE("sim client: google's service account stands for any user, when it is delegated and signs well", "[sim]") {
    AppDesk desk(Manner::google);
    desk.client().certificates.clear();
    const std::string email = "robot@sim.iam.gserviceaccount.com";
    desk.world.identity.service_accounts[email] = {email, desk.key.public_pem(), true};
    const std::int64_t now = desk.world.identity.seconds_now();
    const auto ask = [&](const json::object& change, const sim::RsaKey& key) {
        json::object claims{{"iss", email},
                            {"sub", box},
                            {"scope", "https://mail.google.com/"},
                            {"aud", "https://localhost/token"},
                            {"iat", now},
                            {"exp", now + 3600}};
        for (const auto& [name, value] : change) claims[name] = value;
        return desk.send("POST", "/token",
                         {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                          {"assertion", sim::signed_jwt({}, claims, key)}});
    };
    const auto words_of = [](const sim::HttpReply& reply) {
        return IdentityDesk::text_in(IdentityDesk::json_of(reply), "error_description");
    };
    const auto good = IdentityDesk::json_of(ask({}, desk.key));
    CHECK(desk.world.tokens.holder_of(IdentityDesk::text_in(good, "access_token"))->user == box);
    CHECK_FALSE(good.contains("refresh_token"));
    support::SeededRandom other(3);
    CHECK(words_of(ask({}, sim::RsaKey::drawn_from(other))) == "Invalid JWT Signature.");
    CHECK(words_of(ask({{"iss", "nobody@sim.test"}}, desk.key)) == "Invalid grant: account not found");
    CHECK(words_of(ask({{"sub", "nobody@sim.test"}}, desk.key)) == "Invalid email or User ID");
    CHECK(words_of(ask({{"aud", "https://localhost/"}}, desk.key)).starts_with("Invalid JWT: Failed audience check."));
    for (const json::object& times :
         {json::object{{"exp", now + 3601}}, json::object{{"iat", now + 301}, {"exp", now + 600}},
          json::object{{"iat", now - 3000}, {"exp", now - 301}}, json::object{{"exp", nullptr}}})
        CHECK(words_of(ask(times, desk.key)).starts_with("Invalid JWT: Token must be a short-lived token"));
    CHECK(IdentityDesk::error_of(ask({{"scope", "nonsense"}}, desk.key)) == "invalid_scope");
    desk.world.identity.service_accounts[email].delegated = false;
    const auto refused = ask({}, desk.key);
    CHECK(refused.status == 401);
    CHECK(IdentityDesk::error_of(refused) == "unauthorized_client");
}

TEST_CASE("sim control: the identity provider is changed and shown while it runs", "[sim]") {
    IdentityDesk desk;
    const auto control = [&](const std::string& what, const json::object& body) {
        sim::HttpRequest request;
        request.method = body.empty() ? "GET" : "POST";
        request.path = "/control/" + what;
        if (!body.empty()) request.body = json::serialize(body);
        const auto reply = sim::answer(desk.world, request);
        INFO(what << ": " << reply.body);
        REQUIRE(reply.status == 200);
        return json::parse(reply.body).as_object();
    };
    control("signed-in", {{"users", json::array{box}}});
    sim::HttpRequest nobody;
    nobody.method = "POST";
    nobody.path = "/control/signed-in";
    nobody.body = R"({"users":["nobody@sim.test"]})";
    CHECK(sim::answer(desk.world, nobody).status == 400);
    const auto shown = control("identity", {});
    CHECK(shown.at("signed_in") == json::array{box});
    CHECK(shown.at("keys").as_array().size() == 1);
    const auto rotated = control("rotate-keys", {{"keep_seconds", 0}});
    CHECK(control("identity", {}).at("keys") == json::array{rotated.at("kid")});
    control("client", {{"client_id", "new"}, {"redirect_uris", json::array{"https://new.example/x"}}, {"secret", "s"}});
    control("client", {{"client_id", "new"}, {"pkce_required", false}});
    const sim::Client& client = desk.world.identity.clients.at("new");
    CHECK(client.redirect_uris == std::vector<std::string>{"https://new.example/x"});
    CHECK((client.secret == "s" && !client.pkce_required));
    control("person", {{"name", "Boss@sim.test"}, {"password", "x"}, {"oid", "its-oid"}});
    CHECK(desk.world.account("boss@SIM.test")->oid == "its-oid");
    control("share", {{"user", "boss@sim.test"}, {"mailbox", box}});
    CHECK(desk.world.may_open("boss@sim.test", box));
    control("consent", {{"user", box}, {"client_id", "new"}, {"scopes", json::array{"openid"}}});
    CHECK(desk.world.identity.consented("new", box, {"openid"}));
    control("consent", {{"user", box}, {"client_id", "new"}});
    CHECK_FALSE(desk.world.identity.consented("new", box, {"openid"}));
    CHECK(control("refusals", {}).at("refusals").as_array().size() > 190);
    // Its path ends like the token endpoint's.
    CHECK(control("token", {{"user", box}}).contains("access_token"));
}

TEST_CASE("sim tokens: a consent after a revocation works, what was revoked does not", "[sim]") {
    IdentityDesk desk;
    auto& book = desk.world.tokens;
    const auto before = book.begin(box);
    book.revoke(box);
    CHECK_FALSE(book.refresh(before.refresh_token));
    CHECK_FALSE(book.refresh(book.first_refresh_token(box)));
    const auto after = book.begin(box);
    CHECK(book.refresh(after.refresh_token));
    CHECK_FALSE(book.refresh(before.refresh_token));
    book.end(after.refresh_token);
    CHECK_FALSE(book.refresh(after.refresh_token));
    book.end(after.access_token);
    CHECK_FALSE(book.holder_of(after.access_token));
}

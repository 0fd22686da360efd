#include "engine/tokens/sign_ins.hpp"

#include <boost/json.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "engine/config/presets.hpp"
#include "protocols/oauth2/pkce.hpp"
#include "tests/unit/jose/signer.hpp"
#include "tests/unit/tokens/fixture.hpp"

using namespace tokens_test;
using Is = SignInResult::Is;

namespace {

namespace json = boost::json;

const std::string tenant = "11111111-2222-3333-4444-555555555555";
const std::string oid = "bbbbbbbb-2222-3333-4444-555555555555";

Account entra_account(config::Flow flow = config::Flow::authorization_code) {
    auto account = account_of("svc", flow);
    auto provider = std::make_shared<config::Provider>(config::preset("microsoft365", tenant));
    provider->id = "m365";
    account.token_url = provider->token_url;
    account.scopes = {"openid", "offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All"};
    account.provider = std::move(provider);
    return account;
}

/// A desk of sign-ins at a scripted Entra.
struct Desk {
    World world;
    Run run{world};
    int stored = 0;
    SignIns sign_ins{
        {run.context.get_executor(), *run.service, run.timers, world.random, [this](const std::string& credential) {
             ++stored;
             CHECK(credential == "svc");
         }}};

    Desk() {
        sign_ins.redirect_to("https://desk.example/oauth/callback");
        run.accounts = {entra_account()};
        run.service->set_accounts(run.accounts);
        world.endpoint.key_set = jose::read_key_set(jose_test::rsa_signer().key_set("k"));
    }
    ~Desk() {
        asio::co_spawn(run.context, sign_ins.close(), asio::detached);
        run.settle();
    }

    std::map<std::string, std::string> begin(const std::string& browser = {}) {
        auto begun = sign_ins.begin("svc", browser);
        REQUIRE(std::holds_alternative<SignIns::Begun>(begun));
        id = std::get<SignIns::Begun>(begun).id;
        url = std::get<SignIns::Begun>(begun).url;
        std::map<std::string, std::string> parameters;
        const auto parsed = boost::urls::parse_uri(url);
        REQUIRE(parsed.has_value());
        for (const auto& parameter : parsed->params()) parameters[parameter.key] = parameter.value;
        return parameters;
    }
    std::string id_token(const std::string& nonce, const std::string& user = "SVC@contoso.com",
                         const std::string& object = oid, const std::string& directory = tenant) const {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(world.clock.wall().time_since_epoch());
        json::object claims{{"iss", "https://login.microsoftonline.com/" + directory + "/v2.0"},
                            {"aud", "app"},
                            {"sub", "pairwise"},
                            {"tid", directory},
                            {"oid", object},
                            {"preferred_username", user},
                            {"iat", seconds.count()},
                            {"nbf", seconds.count()},
                            {"exp", seconds.count() + 3600}};
        if (!nonce.empty()) claims["nonce"] = nonce;
        return jose_test::rsa_signer().signed_as("RS256", R"({"alg":"RS256","typ":"JWT","kid":"k"})",
                                                 json::serialize(claims));
    }
    TokenReply grant(std::string id_token, const std::string& refresh = "r1") const {
        auto reply = gives("a1", refresh);
        reply.id_token = Secret(std::move(id_token));
        return reply;
    }
    SignIns::End finish(const std::string& query, std::string browser = {}) {
        auto callback = oauth2::read_callback(query);
        REQUIRE(callback.has_value());
        std::optional<SignIns::End> end;
        asio::co_spawn(run.context, sign_ins.finish(std::move(*callback), std::move(browser)),
                       [&end](std::exception_ptr failure, SignIns::End value) {
                           REQUIRE_FALSE(failure);
                           end = std::move(value);
                       });
        run.settle();
        REQUIRE(end.has_value());
        return *end;
    }
    Is state() { return sign_ins.end_of(id).value().result.is; }

    std::string id, url;
};

}  // namespace

TEST_CASE("sign-in: from the address to a token, with PKCE, nonce, login hint and account choice", "[tokens]") {
    Desk desk;
    auto sent = desk.begin();
    CHECK(desk.url.starts_with("https://login.microsoftonline.com/" + tenant + "/oauth2/v2.0/authorize?"));
    CHECK(sent["redirect_uri"] == "https://desk.example/oauth/callback");
    CHECK(sent["login_hint"] == "svc@contoso.com");
    CHECK(sent["prompt"] == "select_account");
    CHECK(sent["code_challenge_method"] == "S256");
    CHECK(sent["response_type"] == "code");
    CHECK(sent["state"].size() >= 43);
    CHECK(desk.state() == Is::pending);
    CHECK(desk.run.none().person_needed);

    desk.world.endpoint.replies = {desk.grant(desk.id_token(sent["nonce"]))};
    const auto end = desk.finish("code=c0de&state=" + sent["state"]);
    CHECK(end.result.is == Is::stored);
    CHECK(desk.stored == 1);
    CHECK(end.credential == "svc");
    CHECK(desk.state() == Is::stored);
    const auto& redeemed = std::get<oauth2::Redemption>(desk.world.endpoint.requests.back());
    CHECK(redeemed.code.reveal() == "c0de");
    CHECK(redeemed.client_id == "app");
    CHECK(redeemed.redirect_uri == "https://desk.example/oauth/callback");
    CHECK(oauth2::code_challenge_of(redeemed.code_verifier) == sent["code_challenge"]);
    CHECK(desk.run.access() == "a1");
    const auto kept = desk.run.stored_grant();
    CHECK(kept->refresh_token.reveal() == "r1");
    CHECK(kept->owner.object_id == oid);
    CHECK(kept->owner.tenant == tenant);
}

TEST_CASE("sign-in: a spelled-out provider is asked for consent where a refresh token hangs on it", "[tokens]") {
    Desk desk;
    auto provider = std::make_shared<config::Provider>(*desk.run.accounts.front().provider);
    provider->preset.clear();
    desk.run.accounts.front().provider = provider;
    const auto prompt_with = [&](std::vector<std::string> scopes) {
        desk.run.accounts.front().scopes = std::move(scopes);
        desk.run.service->set_accounts(desk.run.accounts);
        return desk.begin()["prompt"];
    };
    CHECK(prompt_with({"mail"}) == "select_account");
    CHECK(prompt_with({"mail", "offline_access"}) == "select_account consent");
}

TEST_CASE("sign-in: a state counts once, for ten minutes, and only when it was made here", "[tokens][hostile-42]") {
    Desk desk;
    auto sent = desk.begin();
    CHECK_FALSE(desk.sign_ins.stray().has_value());
    CHECK(desk.finish("code=c&state=made-up").result.is == Is::unknown);
    REQUIRE(desk.sign_ins.stray().has_value());
    CHECK(desk.sign_ins.stray()->address == "https://desk.example/oauth/callback");
    desk.world.endpoint.replies = {desk.grant(desk.id_token(sent["nonce"]))};
    CHECK(desk.finish("code=c&state=" + sent["state"]).result.is == Is::stored);
    CHECK_FALSE(desk.sign_ins.stray().has_value());
    CHECK(desk.finish("code=c&state=" + sent["state"]).result.is == Is::unknown);
    CHECK(desk.sign_ins.stray().has_value());
    desk.run.pass(25h);
    CHECK_FALSE(desk.sign_ins.stray().has_value());
    CHECK(desk.world.endpoint.requests.size() == 1);

    auto late = desk.begin();
    desk.run.pass(10min);
    CHECK(desk.finish("code=c&state=" + late["state"]).result.is == Is::unknown);
    CHECK(desk.state() == Is::unknown);
    CHECK(desk.world.endpoint.requests.size() == 1);
}

TEST_CASE("sign-in: one that was begun in a browser is finished by that browser alone", "[tokens][hostile-42]") {
    Desk desk;
    auto sent = desk.begin("this browser");
    CHECK(desk.finish("code=c&state=" + sent["state"]).result.is == Is::other_browser);
    CHECK(desk.finish("code=c&state=" + sent["state"], "another").result.is == Is::other_browser);
    CHECK(desk.finish("error=access_denied&state=" + sent["state"], "another").result.is == Is::other_browser);
    CHECK(desk.world.endpoint.requests.empty());
    CHECK(desk.state() == Is::pending);  // nothing was lost by it
    CHECK(desk.sign_ins.end_of(desk.id)->way->url == desk.url);
    desk.world.endpoint.replies = {desk.grant(desk.id_token(sent["nonce"]))};
    CHECK(desk.finish("code=c&state=" + sent["state"], "this browser").result.is == Is::stored);
    CHECK_FALSE(desk.sign_ins.end_of(desk.id)->way);
    CHECK(desk.finish("code=c&state=" + sent["state"], "this browser").result.is == Is::unknown);

    auto unbound = desk.begin();
    desk.world.endpoint.replies = {desk.grant(desk.id_token(unbound["nonce"]), "r2")};
    CHECK(desk.finish("code=c&state=" + unbound["state"], "any").result.is == Is::stored);
}

TEST_CASE("sign-in: two tabs are two sign-ins, and the last one that ends counts", "[tokens]") {
    Desk desk;
    auto one = desk.begin(), two = desk.begin();
    CHECK(one["state"] != two["state"]);
    desk.world.endpoint.replies = {desk.grant(desk.id_token(two["nonce"]), "r2"),
                                   desk.grant(desk.id_token(one["nonce"]), "r1")};
    CHECK(desk.finish("code=c&state=" + two["state"]).result.is == Is::stored);
    CHECK(desk.finish("code=c&state=" + one["state"]).result.is == Is::stored);
    CHECK(desk.run.stored_grant()->refresh_token.reveal() == "r1");
}

TEST_CASE("sign-in: somebody else's token is not stored, and the words say who and whom", "[tokens][hostile-43]") {
    Desk desk;
    auto sent = desk.begin();
    desk.world.endpoint.replies = {desk.grant(desk.id_token(sent["nonce"], "clerk@contoso.com"))};
    const auto end = desk.finish("code=c&state=" + sent["state"]);
    CHECK(end.result.is == Is::wrong_person);
    const auto words = words_of(end);
    CHECK(words.headline.find("clerk@contoso.com") != std::string::npos);
    CHECK(words.headline.find("svc@contoso.com") != std::string::npos);
    CHECK(words.remedy.starts_with("The browser offers"));
    CHECK(words.remedy.find("@contoso.com") == std::string::npos);  // the headline has both
    CHECK(words.remedy.find("private window") != std::string::npos);
    CHECK_FALSE(desk.run.stored_grant().has_value());
    CHECK(desk.run.none().person_needed);
}

TEST_CASE("sign-in: whatever is wrong with an id_token, nothing is stored", "[tokens][hostile-43]") {
    Desk desk;
    auto sent = desk.begin();
    const auto nonce = sent["nonce"];
    const int flaw = GENERATE(0, 1, 2, 3, 4);
    auto reply = desk.grant(desk.id_token(nonce));
    if (flaw == 0) reply = desk.grant(desk.id_token("another nonce"));
    if (flaw == 1) reply.id_token = Secret();
    if (flaw == 2) reply.id_token = Secret(std::string(reply.id_token.reveal()) + "x");
    if (flaw == 3)
        reply = desk.grant(desk.id_token(nonce, "svc@contoso.com", oid, "aaaaaaaa-2222-3333-4444-555555555555"));
    if (flaw == 4) desk.world.endpoint.key_set = error_code(store::errc::io_failed);
    CAPTURE(flaw);
    desk.world.endpoint.replies = {reply};
    const auto end = desk.finish("code=c&state=" + sent["state"]);
    CHECK(end.result.is != Is::stored);
    CHECK_FALSE(words_of(end).headline.empty());
    CHECK_FALSE(desk.run.stored_grant().has_value());
}

TEST_CASE("sign-in: refused consent, a refused code and a grant without refresh token change nothing", "[tokens]") {
    Desk desk;
    auto sent = desk.begin();
    const auto denied =
        desk.finish("error=access_denied&error_description=AADSTS65004%3A+declined&state=" + sent["state"]);
    CHECK(denied.result.is == Is::refused);
    CHECK_FALSE(words_of(denied).remedy.empty());
    sent = desk.begin();
    desk.world.endpoint.replies = {refuses(400, "invalid_grant")};
    CHECK(desk.finish("code=c&state=" + sent["state"]).result.is == Is::refused);
    sent = desk.begin();
    desk.world.endpoint.replies = {refuses(0)};
    sent = desk.begin();
    desk.world.endpoint.replies = {desk.grant(desk.id_token(sent["nonce"]), "")};
    CHECK(desk.finish("code=c&state=" + sent["state"]).result.is == Is::no_refresh);
    CHECK_FALSE(desk.run.stored_grant().has_value());
}

TEST_CASE("sign-in: a bound credential takes no other object id, at the sign-in or at a refresh",
          "[tokens][hostile-43]") {
    Desk desk;
    auto sent = desk.begin();
    desk.world.endpoint.replies = {desk.grant(desk.id_token(sent["nonce"]))};
    REQUIRE(desk.finish("code=c&state=" + sent["state"]).result.is == Is::stored);
    const std::string other = "cccccccc-2222-3333-4444-555555555555";
    sent = desk.begin();
    desk.world.endpoint.replies = {desk.grant(desk.id_token(sent["nonce"], "svc@contoso.com", other))};
    CHECK(desk.finish("code=c&state=" + sent["state"]).result.is != Is::stored);
    CHECK(desk.run.access() == "a1");

    auto refreshed = gives("stranger's", "r9");
    desk.run.world.clock.passed += 3600s;
    refreshed.id_token = Secret(desk.id_token("", "svc@contoso.com", other));
    desk.world.endpoint.replies = {refreshed};
    const auto none = desk.run.none();
    CHECK(none.person_needed);
    CHECK(none.reason.find("somebody else") != std::string::npos);
    CHECK(desk.run.stored_grant()->refresh_token.reveal() == "r1");
}

TEST_CASE("sign-in: keys that cannot be fetched harm no refresh", "[tokens][hostile-46]") {
    Desk desk;
    auto sent = desk.begin();
    desk.world.endpoint.replies = {desk.grant(desk.id_token(sent["nonce"]))};
    REQUIRE(desk.finish("code=c&state=" + sent["state"]).result.is == Is::stored);
    desk.run.world.clock.passed += 25h;  // they are too old now
    desk.world.endpoint.key_set = error_code(store::errc::io_failed);
    auto refreshed = gives("a2", "r2");
    refreshed.id_token = Secret("not even a token");
    desk.world.endpoint.replies = {refreshed};
    CHECK(desk.run.access() == "a2");
}

TEST_CASE("sign-in: by device code, asked for until the person has signed in", "[tokens]") {
    Desk desk;
    oauth2::DeviceCode code;
    code.device_code = Secret("d");
    code.user_code = "ABCD-EFGH";
    code.verification_uri = "https://microsoft.com/devicelogin";
    code.expires_in = 900s;
    code.interval = 5s;
    desk.world.endpoint.device = code;
    desk.world.endpoint.replies = {refuses(400, "authorization_pending"), refuses(400, "slow_down"), refuses(0),
                                   desk.grant(desk.id_token(""))};
    std::optional<std::variant<SignIns::BegunDevice, SignIns::Refused>> begun;
    asio::co_spawn(desk.run.context, desk.sign_ins.begin_device("svc"),
                   [&begun](std::exception_ptr, auto value) { begun = std::move(value); });
    desk.run.settle();
    REQUIRE(begun.has_value());
    const auto& way = std::get<SignIns::BegunDevice>(*begun);
    CHECK(way.code.user_code == "ABCD-EFGH");
    CHECK(way.user == "svc@contoso.com");
    const auto state = [&] { return desk.sign_ins.end_of(way.id)->result.is; };
    desk.run.pass(5s);
    CHECK(state() == Is::pending);
    CHECK(desk.world.endpoint.requests.size() == 1);
    for (int look = 0; look < 10 && state() == Is::pending; ++look) desk.run.pass(10s);
    CHECK(state() == Is::stored);
    CHECK(desk.stored == 1);
    CHECK(desk.world.endpoint.requests.size() == 4);
    CHECK(desk.run.access() == "a1");
}

TEST_CASE("sign-in: a confidential client proves itself when it asks for a device code", "[tokens]") {
    Desk desk;
    desk.run.import("client_secret", "hush");
    oauth2::Refusal refusal;
    refusal.error = "invalid_client";
    refusal.error_description = "no\r\nway";
    desk.world.endpoint.device = refusal;
    std::optional<std::variant<SignIns::BegunDevice, SignIns::Refused>> begun;
    asio::co_spawn(desk.run.context, desk.sign_ins.begin_device("svc"),
                   [&begun](std::exception_ptr, auto value) { begun = std::move(value); });
    desk.run.settle();
    REQUIRE(begun.has_value());
    CHECK(std::get<SignIns::Refused>(*begun) == "invalid_client: no way");
    CHECK(desk.world.endpoint.device_form.find("client_id=app&client_secret=hush&") != std::string::npos);
}

TEST_CASE("sign-in: what cannot begin says why", "[tokens]") {
    Desk desk;
    const auto why = [&](const std::string& credential) {
        auto begun = desk.sign_ins.begin(credential);
        return std::holds_alternative<SignIns::Refused>(begun) ? std::get<SignIns::Refused>(begun) : std::string();
    };
    CHECK(why("nobody") == "there is no credential \"nobody\"");
    desk.run.accounts = {entra_account(config::Flow::client_credentials)};
    desk.run.service->set_accounts(desk.run.accounts);
    CHECK(why("svc").find("needs no person") != std::string::npos);
    desk.run.accounts = {entra_account()};
    desk.run.service->set_accounts(desk.run.accounts);
    for (std::size_t at = 0; at < SignIns::sign_ins_max; ++at) CHECK(why("svc").empty());
    CHECK(why("svc").find("too many") != std::string::npos);
    desk.run.pass(SignIns::lasts);
    CHECK(why("svc").empty());
}

TEST_CASE("sign-in: one that is cancelled, at work or waiting for its turn, holds nobody up", "[tokens]") {
    Desk desk;
    desk.run.import("refresh_token", "r0");
    desk.world.endpoint.slow = true;
    desk.world.endpoint.endless = true;
    desk.world.endpoint.replies = {gives("a0", "r0")};
    auto one = desk.begin(), two = desk.begin();
    std::deque<asio::cancellation_signal> browsers(2);
    std::size_t ended = 0;
    for (std::size_t at = 0; at < 2; ++at) {
        auto callback = oauth2::read_callback("code=c&state=" + (at == 0 ? one : two)["state"]);
        REQUIRE(callback.has_value());
        auto end = [&ended](std::exception_ptr failure, const SignIns::End&) { ended += failure ? 1 : 0; };
        asio::co_spawn(desk.run.context, desk.sign_ins.finish(std::move(*callback)),
                       asio::bind_cancellation_slot(browsers[at].slot(), end));
        desk.run.settle();
    }
    std::vector<std::optional<TokenAnswer>> answers(1);
    desk.run.begin(answers, 0);
    desk.run.settle();
    CHECK(desk.world.endpoint.gates.size() == 1);  // the first is at work, the second and the session wait
    const bool waiting_first = GENERATE(true, false);
    browsers[waiting_first ? 1 : 0].emit(asio::cancellation_type::terminal);
    desk.run.settle();
    browsers[waiting_first ? 0 : 1].emit(asio::cancellation_type::terminal);
    desk.run.settle();
    CHECK(ended == 2);
    desk.world.endpoint.slow = false;
    CHECK(desk.run.access() == "a0");
}

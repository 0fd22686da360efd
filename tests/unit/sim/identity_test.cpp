#include "tools/rohrpost-sim/identity.hpp"

#include <fmt/format.h>

#include "tests/unit/sim/identity_desk.hpp"

using namespace std::chrono_literals;
using sim::Manner;
using support::box;
using support::Form;
using support::IdentityDesk;
using support::mail_scopes;
using support::redirect_uri;
using support::verifier;

namespace {

bool shows(const sim::HttpReply& reply, std::string_view part) { return reply.body.find(part) != std::string::npos; }

std::string at(const Form& fields, const std::string& key) {
    const auto found = fields.find(key);
    return found == fields.end() ? std::string() : found->second;
}

}  // namespace

TEST_CASE("sim identity: sign-in, consent and code end in tokens for the user who signed in", "[sim]") {
    IdentityDesk desk;
    const auto page = desk.authorize({{"login_hint", box}});
    CHECK(page.status == 200);
    CHECK(shows(page, "id=\"password\""));
    CHECK(shows(page, "value=\"" + box + "\""));
    const auto consent = desk.sign_in(page);
    CHECK(shows(consent, "id=\"signed-in-as\">" + box));
    CHECK(shows(consent, "Read and write access to your mail via IMAP"));
    const auto reply = desk.accept(consent);
    CHECK(reply.header("Location").starts_with(redirect_uri + "?code="));
    const Form back = IdentityDesk::returned(reply);
    CHECK(at(back, "state") == "a state & more");
    CHECK_FALSE(at(back, "session_state").empty());

    const auto body = IdentityDesk::json_of(desk.redeem(at(back, "code")));
    CHECK(IdentityDesk::text_in(body, "token_type") == "Bearer");
    CHECK(body.at("expires_in").as_int64() == 3600);
    CHECK(IdentityDesk::text_in(body, "scope") ==
          "https://outlook.office.com/IMAP.AccessAsUser.All openid profile email");
    const std::string access_token = IdentityDesk::text_in(body, "access_token");
    CHECK(desk.world.tokens.holder_of(access_token)->user == box);
    const auto jwt = desk.verified(IdentityDesk::text_in(body, "id_token"));
    const auto account = desk.world.account(box);
    CHECK(jwt.text("iss") == "https://localhost/" + desk.world.identity.rules.tenant + "/v2.0");
    CHECK(jwt.text("aud") == "rohrpost-sim");
    CHECK(jwt.text("nonce") == "a-nonce");
    CHECK(jwt.text("tid") == desk.world.identity.rules.tenant);
    CHECK(jwt.text("oid") == account->oid);
    CHECK(jwt.text("preferred_username") == box);
    CHECK(jwt.text("upn") == box);
    CHECK(jwt.text("email") == box);
    CHECK_FALSE(jwt.text("sub").empty());
    CHECK(jwt.number("iat") == desk.world.identity.seconds_now());
    CHECK(jwt.number("exp") == desk.world.identity.seconds_now() + 3600);

    const auto refreshed =
        IdentityDesk::json_of(desk.token({{"grant_type", "refresh_token"},
                                          {"refresh_token", IdentityDesk::text_in(body, "refresh_token")},
                                          {"scope", mail_scopes}}));
    const auto later = desk.verified(IdentityDesk::text_in(refreshed, "id_token"));
    CHECK(later.text("oid") == account->oid);
    CHECK(later.text("nonce").empty());
    CHECK(IdentityDesk::text_in(refreshed, "refresh_token") != IdentityDesk::text_in(body, "refresh_token"));
}

TEST_CASE("sim identity: a sole signed-in user goes straight through, select_account asks", "[sim]") {
    IdentityDesk desk;
    desk.world.identity.workstation = {"operator@sim.test"};
    const auto silent = desk.authorize({{"login_hint", box}});
    CHECK(shows(silent, "id=\"signed-in-as\">operator@sim.test"));
    const Form back = IdentityDesk::returned(desk.accept(silent));
    const auto body = IdentityDesk::json_of(desk.redeem(at(back, "code")));
    CHECK(desk.verified(IdentityDesk::text_in(body, "id_token")).text("preferred_username") == "operator@sim.test");
    // The next time nothing is asked at all.
    CHECK(desk.authorize({{"login_hint", box}}).status == 302);

    const auto picker = desk.authorize({{"login_hint", box}, {"prompt", "select_account"}});
    CHECK(picker.status == 200);
    CHECK(shows(picker, "id=\"account-operator@sim.test\""));
    const auto form = desk.fill(picker, {{"account", ""}});
    CHECK(shows(form, "id=\"password\""));
    CHECK(shows(desk.sign_in(form), "id=\"signed-in-as\">" + box));
    // Two are signed in now, in this browser: no longer silent, and the hint preselects.
    const auto two = desk.authorize({{"login_hint", box}, {"prompt", "select_account"}});
    CHECK(shows(two, "id=\"account-" + box + "\" autofocus"));
    CHECK(shows(two, "id=\"account-operator@sim.test\">"));
    CHECK(shows(desk.authorize({}), "id=\"another-account\""));
    CHECK(shows(desk.fill(two, {{"account", box}}), "id=\"signed-in-as\">" + box));
    // Another browser knows nothing of the second.
    desk.cookies.clear();
    CHECK_FALSE(shows(desk.authorize({{"prompt", "select_account"}}), box));
}

TEST_CASE("sim identity: nobody is chosen who did not sign in", "[sim]") {
    IdentityDesk desk;
    desk.world.identity.workstation = {"operator@sim.test"};
    const auto picker = desk.authorize({{"prompt", "select_account"}});
    CHECK(shows(desk.fill(picker, {{"account", "box0002@sim.test"}}), "id=\"password\""));
    // Consent before anybody is chosen leads nowhere.
    const auto hasty = desk.fill(desk.authorize({{"prompt", "select_account"}}), {{"consent", "accept"}});
    CHECK(hasty.status == 400);
    const auto form = desk.authorize({{"prompt", "login"}});
    for (const auto& [name, password] : std::vector<std::pair<std::string, std::string>>{
             {box, "wrong"}, {box, ""}, {"nobody@sim.test", "sim-password"}, {"", ""}}) {
        const auto again = desk.fill(form, {{"step", "sign_in"}, {"username", name}, {"password", password}});
        CHECK(shows(again, "id=\"complaint\""));
        CHECK(shows(again, "id=\"password\""));
    }
}

TEST_CASE("sim identity: prompt=none goes through or comes back with why not", "[sim]") {
    IdentityDesk desk;
    CHECK(at(IdentityDesk::returned(desk.authorize({{"prompt", "none"}})), "error") == "login_required");
    desk.world.identity.workstation = {box};
    CHECK(at(IdentityDesk::returned(desk.authorize({{"prompt", "none"}})), "error") == "consent_required");
    desk.world.identity.consent("rohrpost-sim", box, sim::scopes_in(mail_scopes));
    CHECK_FALSE(at(IdentityDesk::returned(desk.authorize({{"prompt", "none"}})), "code").empty());
    CHECK(shows(desk.authorize({{"prompt", "consent"}}), "id=\"accept\""));
    desk.world.identity.forget_consent("rohrpost-sim", box);
    CHECK(shows(desk.authorize(), "id=\"accept\""));
}

TEST_CASE("sim identity: refused consent comes back as access_denied with the state", "[sim]") {
    IdentityDesk desk;
    const auto consent = desk.sign_in(desk.authorize());
    const Form back = IdentityDesk::returned(desk.fill(consent, {{"consent", "cancel"}}));
    CHECK(at(back, "error") == "access_denied");
    CHECK(at(back, "error_description").starts_with("AADSTS65004: User declined to consent to access the app."));
    CHECK(at(back, "error_subcode") == "cancel");
    CHECK(at(back, "state") == "a state & more");
    CHECK(at(back, "code").empty());
    // The page is over; its buttons lead nowhere.
    CHECK(desk.fill(consent, {{"consent", "accept"}}).status == 400);
    const Form early = IdentityDesk::returned(desk.fill(desk.authorize(), {{"step", "cancel"}}));
    CHECK(at(early, "error") == "access_denied");
}

TEST_CASE("sim identity: the answer comes by query, fragment or form", "[sim]") {
    IdentityDesk desk;
    desk.world.identity.workstation = {box};
    desk.world.identity.consent("rohrpost-sim", box, sim::scopes_in(mail_scopes));
    CHECK(desk.authorize({{"response_mode", "fragment"}}).header("Location").starts_with(redirect_uri + "#code="));
    const auto form = desk.authorize({{"response_mode", "form_post"}});
    CHECK(form.status == 200);
    CHECK(shows(form, "action=\"" + redirect_uri + "\""));
    CHECK(shows(form, "name=\"state\" value=\"a state &amp; more\""));
    const std::string code = IdentityDesk::between(form.body, "name=\"code\" value=\"", "\"");
    CHECK(desk.redeem(code).status == 200);
    CHECK(at(IdentityDesk::returned(desk.authorize({{"response_mode", "pigeon"}})), "error") == "invalid_request");
}

TEST_CASE("sim identity: a wrong request ends on a page when the redirect is in doubt, else goes back", "[sim]") {
    IdentityDesk desk;
    struct Wrong {
        Form change;
        std::string error;  // that goes back; empty: a page
        std::string text;
    };
    const std::vector<Wrong> all{
        {{{"client_id", "nobody"}}, "", "AADSTS700016"},
        {{{"redirect_uri", "http://localhost:8025/oauth/Callback"}}, "", "AADSTS50011"},
        {{{"redirect_uri", "http://localhost:8025/oauth/callback/"}}, "", "AADSTS50011"},
        {{{"redirect_uri", "https://localhost:8025/oauth/callback"}}, "", "AADSTS50011"},
        {{{"redirect_uri", ""}}, "", "AADSTS50011"},
        {{{"response_type", "token"}}, "unsupported_response_type", "AADSTS700054"},
        {{{"response_type", ""}}, "unsupported_response_type", "AADSTS700054"},
        {{{"scope", ""}}, "invalid_request", "AADSTS900144"},
        {{{"scope", "https://outlook.office.com/IMAP.SendAsApp"}}, "invalid_scope", "AADSTS70011"},
        {{{"code_challenge", ""}}, "invalid_request", "AADSTS9002325"},
        {{{"code_challenge", "short"}}, "invalid_request", "AADSTS501491"},
        {{{"code_challenge_method", "plain"}}, "invalid_request", "AADSTS501491"},
        {{{"code_challenge_method", ""}}, "invalid_request", "AADSTS501491"},
    };
    for (const Wrong& wrong : all) {
        CAPTURE(wrong.change.begin()->first, wrong.change.begin()->second);
        const auto reply = desk.authorize(wrong.change);
        if (wrong.error.empty()) {
            CHECK(reply.status == 400);
            CHECK(reply.header("Location").empty());
            CHECK(shows(reply, wrong.text));
            continue;
        }
        const Form back = IdentityDesk::returned(reply);
        CHECK(at(back, "error") == wrong.error);
        CHECK(at(back, "error_description").starts_with(wrong.text + ": "));
        CHECK(at(back, "state") == "a state & more");
    }
    const auto nowhere = desk.send("GET", "/nowhere.example/oauth2/v2.0/authorize", desk.authorize_form());
    CHECK(shows(nowhere, "AADSTS90002"));
    desk.world.identity.clients["rohrpost-sim"].multi_tenant = false;
    CHECK(shows(desk.send("GET", "/common/oauth2/v2.0/authorize", desk.authorize_form()), "AADSTS50194"));
}

TEST_CASE("sim identity: however it is bent, no redirect leaves for a URI that is not registered", "[sim]") {
    const std::vector<std::string> registered{"https://mail.example/oauth/callback", "http://localhost/oauth/callback",
                                              "https://bare.example"};
    const std::vector<std::string> pieces{"https",
                                          "http",
                                          "://",
                                          "mail.example",
                                          "localhost",
                                          "bare.example",
                                          "127.0.0.1",
                                          ".evil.test",
                                          ":8025",
                                          ":",
                                          "/oauth/callback",
                                          "/",
                                          "@",
                                          "?x=1",
                                          "#",
                                          "%2F",
                                          "\\",
                                          "..",
                                          "/OAUTH",
                                          " ",
                                          "http://localhost",
                                          "https://mail.example/oauth/callback"};
    for (const Manner manner : {Manner::entra, Manner::google}) {
        IdentityDesk desk(manner, 42);
        desk.world.identity.clients["rohrpost-sim"].redirect_uris = registered;
        desk.world.identity.workstation = {box};
        const std::string scopes = desk.authorize_form().at("scope");
        desk.world.identity.consent("rohrpost-sim", box, sim::scopes_in(scopes));
        std::size_t redirected = 0;
        const auto attempt = [&](const std::string& uri) {
            const auto reply = desk.authorize({{"redirect_uri", uri}});
            const std::string location = reply.header("Location");
            if (location.empty()) {
                CHECK(reply.status == 400);
                CHECK_FALSE(shows(reply, "code="));
                return;
            }
            ++redirected;
            CAPTURE(uri, location);
            // Said anew, without the product's own comparison: one of three, and a port only at localhost.
            std::string whole = uri;
            constexpr std::string_view origin = "http://localhost:";
            if (manner == Manner::entra || whole == registered[1]) {
                std::size_t end = origin.size();
                while (whole.starts_with(origin) && end < whole.size() && whole[end] >= '0' && whole[end] <= '9') ++end;
                if (whole.starts_with(origin) && end > origin.size()) whole = "http://localhost" + whole.substr(end);
            } else if (whole == "http://localhost:8025/oauth/callback") {
                whole = registered[1];
            }
            CHECK(std::count(registered.begin(), registered.end(), whole) == 1);
            const bool bare = whole == registered[2] && manner == Manner::entra;
            CHECK(location.starts_with(uri + (bare ? "/?" : "?")));
        };
        for (const std::string& uri : registered) attempt(uri);
        attempt("http://localhost:8025/oauth/callback");
        CHECK(redirected == 4);
        for (int round = 0; round < 3000; ++round) {
            std::string uri = desk.random.next() % 2 == 0 ? std::string() : registered[desk.random.next() % 3];
            for (std::uint64_t left = desk.random.next() % 5 + (uri.empty() ? 1 : 0); left > 0; --left) {
                const std::string& piece = pieces[desk.random.next() % pieces.size()];
                uri.insert(uri.empty()                   ? 0
                           : desk.random.next() % 2 == 0 ? uri.size()
                                                         : desk.random.next() % uri.size(),
                           piece);
            }
            attempt(uri);
        }
    }
}

TEST_CASE("sim identity: a code is good once, its reuse ends what it gave", "[sim]") {
    for (const Manner manner : {Manner::entra, Manner::google}) {
        IdentityDesk desk(manner);
        const std::string code = at(desk.consented(), "code");
        const auto body = IdentityDesk::json_of(desk.redeem(code));
        const std::string access_token = IdentityDesk::text_in(body, "access_token");
        const std::string refresh_token = IdentityDesk::text_in(body, "refresh_token");
        CHECK(desk.world.tokens.holder_of(access_token));
        const auto other =
            IdentityDesk::json_of(desk.token({{"grant_type", "refresh_token"}, {"refresh_token", refresh_token}}));
        const std::string later = IdentityDesk::text_in(other, "access_token");
        CHECK(desk.world.tokens.holder_of(later));

        const auto again = desk.redeem(code);
        CHECK(again.status == 400);
        CHECK(IdentityDesk::error_of(again) == "invalid_grant");
        if (manner == Manner::entra) CHECK(IdentityDesk::code_of(again) == 54005);
        CHECK_FALSE(desk.world.tokens.holder_of(access_token));
        CHECK_FALSE(desk.world.tokens.holder_of(later));
        const auto refused = desk.token({{"grant_type", "refresh_token"}, {"refresh_token", refresh_token}});
        CHECK(IdentityDesk::error_of(refused) == "invalid_grant");
        // A new consent of the same user is untouched by it.
        const auto fresh =
            IdentityDesk::json_of(desk.redeem(at(desk.consented({{"prompt", "login consent"}}), "code")));
        CHECK(desk.world.tokens.holder_of(IdentityDesk::text_in(fresh, "access_token")));
        CHECK(desk.token({{"grant_type", "refresh_token"},
                          {"refresh_token", IdentityDesk::text_in(fresh, "refresh_token")}})
                  .status == 200);
    }
}

TEST_CASE("sim identity: whatever else is tried, each code gives tokens at most once and only with its verifier",
          "[sim]") {
    IdentityDesk desk(Manner::entra, 99);
    desk.world.identity.workstation = {box};
    desk.world.identity.consent("rohrpost-sim", box, sim::scopes_in(mail_scopes));
    desk.world.identity.clients["another"] = sim::Client{.id = "another", .redirect_uris = {redirect_uri}};
    std::size_t successes = 0;
    for (int round = 0; round < 200; ++round) {
        const std::string own = fmt::format("verifier-{}-{}", round, desk.world.identity.drawn(30));
        const std::string code =
            at(IdentityDesk::returned(desk.authorize({{"code_challenge", IdentityDesk::base64url_of_sha256(own)}})),
               "code");
        int given = 0;
        for (int turn = 0; turn < 6; ++turn) {
            std::string said = own;
            const auto dice = desk.random.next() % 8;
            if (dice == 0) said[desk.random.next() % said.size()] ^= 1;
            if (dice == 1) said.pop_back();
            if (dice == 2) said += 'x';
            if (dice == 3) said.clear();
            if (dice == 4) said = IdentityDesk::base64url_of_sha256(own);  // the challenge itself
            Form more{{"code_verifier", said}};
            const bool foreign = dice == 5, elsewhere = dice == 6;
            if (foreign) more["client_id"] = "another";
            if (elsewhere) more["redirect_uri"] = "http://localhost:8026/oauth/callback";
            const auto reply = desk.redeem(code, more);
            if (reply.status != 200) continue;
            ++given;
            CHECK(said == own);
            CHECK_FALSE(foreign);
            CHECK_FALSE(elsewhere);
        }
        CHECK(given <= 1);
        successes += static_cast<std::size_t>(given);
    }
    CHECK(successes > 50);
}

TEST_CASE("sim identity: a code is refused late, elsewhere, to others and at another tenant form", "[sim]") {
    IdentityDesk desk;
    desk.world.identity.workstation = {box};
    desk.world.identity.consent("rohrpost-sim", box, sim::scopes_in(mail_scopes));
    const auto fresh = [&] { return at(IdentityDesk::returned(desk.authorize()), "code"); };
    const std::string late = fresh();
    desk.clock.pass(599s);
    const std::string timely = late;
    CHECK(IdentityDesk::code_of(desk.redeem(timely, {{"code_verifier", "wrong"}})) == 501481);
    desk.clock.pass(1s);
    CHECK(IdentityDesk::code_of(desk.redeem(late)) == 70008);
    CHECK(IdentityDesk::code_of(desk.redeem("1.nonsense")) == 70000);
    CHECK(IdentityDesk::code_of(desk.redeem(fresh(), {{"redirect_uri", "http://localhost:8025/"}})) == 500112);
    CHECK(IdentityDesk::code_of(desk.redeem(fresh(), {{"scope", "https://outlook.office.com/SMTP.Send"}})) == 65001);
    CHECK(IdentityDesk::code_of(
              desk.redeem(fresh(), {{"scope", mail_scopes + " https://graph.microsoft.com/Mail.Send"}})) == 700022);
    Form form{{"grant_type", "authorization_code"},
              {"client_id", "rohrpost-sim"},
              {"code", fresh()},
              {"redirect_uri", redirect_uri},
              {"code_verifier", verifier}};
    CHECK(IdentityDesk::code_of(desk.send("POST", "/common/oauth2/v2.0/token", form)) == 700005);
    CHECK(IdentityDesk::code_of(desk.send("POST", "/nowhere.example/oauth2/v2.0/token", form)) == 90002);
    form["client_id"] = "nobody";
    CHECK(IdentityDesk::code_of(desk.send("POST", desk.place() + "/token", form)) == 700016);
    CHECK(IdentityDesk::code_of(desk.token({{"grant_type", "password"}})) == 70003);
    CHECK(IdentityDesk::code_of(desk.send("GET", desk.place() + "/token", {})) == 900561);
}

TEST_CASE("sim identity: no refresh token without offline_access, no id_token without openid", "[sim]") {
    IdentityDesk desk;
    const auto body = IdentityDesk::json_of(
        desk.redeem(at(desk.consented({{"scope", "https://outlook.office.com/IMAP.AccessAsUser.All"}}), "code")));
    CHECK_FALSE(body.contains("refresh_token"));
    CHECK_FALSE(body.contains("id_token"));
    CHECK(body.contains("access_token"));
}

TEST_CASE("sim identity: a scope by its bare name is Graph's, and its token opens no mailbox", "[sim]") {
    IdentityDesk desk;
    const auto body = IdentityDesk::json_of(
        desk.redeem(at(desk.consented({{"scope", "IMAP.AccessAsUser.All offline_access"}}), "code")));
    const auto holder = desk.world.tokens.holder_of(IdentityDesk::text_in(body, "access_token"));
    REQUIRE(holder);
    CHECK_FALSE(desk.world.may_open(holder->user, box));
}

TEST_CASE("sim identity: google gives a refresh token only with access_type=offline and after a consent page",
          "[sim]") {
    IdentityDesk desk(Manner::google);
    const auto redeemed = [&](const Form& back) { return IdentityDesk::json_of(desk.redeem(at(back, "code"))); };
    const auto first = redeemed(desk.consented());
    const std::string refresh_token = IdentityDesk::text_in(first, "refresh_token");
    CHECK_FALSE(refresh_token.empty());
    const auto jwt = desk.verified(IdentityDesk::text_in(first, "id_token"));
    CHECK(jwt.text("iss") == "https://localhost");
    CHECK(jwt.text("email") == box);
    CHECK(jwt.text("hd") == "sim.test");
    CHECK(jwt.text("oid").empty());
    // Signed in and consented: the second time there is no page and no refresh token.
    CHECK_FALSE(redeemed(IdentityDesk::returned(desk.authorize())).contains("refresh_token"));
    const auto asked = desk.accept(desk.authorize({{"prompt", "consent"}}));
    CHECK(redeemed(IdentityDesk::returned(asked)).contains("refresh_token"));
    const auto online = desk.accept(desk.authorize({{"prompt", "consent"}, {"access_type", "online"}}));
    CHECK_FALSE(redeemed(IdentityDesk::returned(online)).contains("refresh_token"));
    const auto refreshed =
        IdentityDesk::json_of(desk.token({{"grant_type", "refresh_token"}, {"refresh_token", refresh_token}}));
    CHECK_FALSE(refreshed.contains("refresh_token"));
    CHECK(refreshed.contains("access_token"));
    // Unticked scopes are missing from the answer.
    const auto page = desk.authorize({{"prompt", "consent"}});
    const auto without_mail = desk.fill(page, {{"consent", "accept"}, {"scope_1", "on"}, {"scope_2", "on"}});
    CHECK(IdentityDesk::text_in(redeemed(IdentityDesk::returned(without_mail)), "scope") == "openid email");
    const auto wrong = desk.authorize({{"redirect_uri", "http://localhost:8025/else"}});
    CHECK(shows(wrong, "Error 400: redirect_uri_mismatch"));
}

TEST_CASE("sim identity: a device waits, is told to slow down, and gets tokens once its user consented", "[sim]") {
    IdentityDesk desk;
    desk.world.identity.workstation = {"operator@sim.test"};
    const auto begin = [&] {
        return IdentityDesk::json_of(
            desk.send("POST", desk.place() + "/devicecode", {{"client_id", "rohrpost-sim"}, {"scope", mail_scopes}}));
    };
    const auto poll = [&](const boost::json::object& device) {
        return desk.token({{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
                           {"device_code", IdentityDesk::text_in(device, "device_code")}});
    };
    const auto device = begin();
    const std::string user_code = IdentityDesk::text_in(device, "user_code");
    CHECK(IdentityDesk::text_in(device, "verification_uri") == "https://localhost/device");
    CHECK(IdentityDesk::text_in(device, "message").find(user_code) != std::string::npos);
    CHECK(device.at("interval").as_int64() == 5);
    CHECK(device.at("expires_in").as_int64() == 900);
    CHECK(IdentityDesk::error_of(poll(device)) == "authorization_pending");
    desk.clock.pass(5s);
    CHECK(IdentityDesk::error_of(poll(device)) == "authorization_pending");
    desk.clock.pass(4s);
    CHECK(IdentityDesk::error_of(poll(device)) == "slow_down");
    desk.clock.pass(9s);  // now ten are wanted
    CHECK(IdentityDesk::error_of(poll(device)) == "slow_down");
    desk.clock.pass(15s);
    CHECK(IdentityDesk::error_of(poll(device)) == "authorization_pending");

    CHECK(shows(desk.send("GET", "/device", {}), "id=\"user_code\""));
    CHECK(shows(desk.send("POST", "/device", {{"user_code", "BBBB-BBBB"}}), "id=\"complaint\""));
    std::string typed = user_code;
    for (char& c : typed) c = static_cast<char>(c == '-' ? ' ' : std::tolower(c));
    const auto picker = desk.send("POST", "/device", {{"user_code", typed}});
    CHECK(shows(picker, "id=\"account-operator@sim.test\""));
    const auto consent = desk.sign_in(desk.fill(picker, {{"account", ""}}));
    CHECK(shows(desk.accept(consent), "id=\"done\""));
    CHECK(shows(desk.send("POST", "/device", {{"user_code", typed}}), "id=\"complaint\""));
    desk.clock.pass(15s);
    const auto body = IdentityDesk::json_of(poll(device));
    CHECK(desk.world.tokens.holder_of(IdentityDesk::text_in(body, "access_token"))->user == box);
    CHECK(body.contains("refresh_token"));
    CHECK(desk.verified(IdentityDesk::text_in(body, "id_token")).text("preferred_username") == box);
    desk.clock.pass(15s);
    CHECK(IdentityDesk::error_of(poll(device)) == "invalid_grant");

    const auto refused = begin();
    const auto page = desk.send("POST", "/device", {{"user_code", IdentityDesk::text_in(refused, "user_code")}});
    CHECK(shows(desk.fill(page, {{"step", "cancel"}}), "id=\"done\""));
    CHECK(IdentityDesk::error_of(poll(refused)) == "authorization_declined");
    const auto stale = begin();
    desk.clock.pass(900s);
    CHECK(IdentityDesk::error_of(poll(stale)) == "expired_token");
    CHECK(shows(desk.send("POST", "/device", {{"user_code", IdentityDesk::text_in(stale, "user_code")}}),
                "id=\"complaint\""));
    CHECK(IdentityDesk::error_of(poll({})) == "bad_verification_code");
}

TEST_CASE("sim identity: google's device flow has its own words and does not offer mail", "[sim]") {
    IdentityDesk desk(Manner::google);
    const auto begin = [&](const std::string& scope) {
        return desk.send("POST", "/device/code", {{"client_id", "rohrpost-sim"}, {"scope", scope}});
    };
    CHECK(IdentityDesk::error_of(begin("https://mail.google.com/")) == "invalid_scope");
    const auto device = IdentityDesk::json_of(begin("openid email"));
    CHECK(device.contains("verification_url"));
    const auto poll = [&] {
        return desk.token({{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
                           {"device_code", IdentityDesk::text_in(device, "device_code")}});
    };
    const auto pending = poll();
    CHECK(pending.status == 428);
    CHECK(IdentityDesk::error_of(pending) == "authorization_pending");
    CHECK(poll().status == 403);
    const auto page = desk.send("POST", "/device", {{"user_code", IdentityDesk::text_in(device, "user_code")}});
    desk.fill(page, {{"step", "cancel"}});
    desk.clock.pass(60s);
    CHECK(IdentityDesk::error_of(poll()) == "access_denied");
}

TEST_CASE("sim identity: a guest may sign in here, somebody of another tenant may not", "[sim]") {
    IdentityDesk desk;
    const auto stranger = desk.sign_in(desk.authorize(), "alien@other.test");
    CHECK(stranger.status == 400);
    CHECK(shows(stranger, "AADSTS50020"));
    const auto here =
        IdentityDesk::json_of(desk.redeem(at(desk.consented({{"prompt", "login"}}, "guest@other.test"), "code")));
    const auto guest = desk.verified(IdentityDesk::text_in(here, "id_token"));
    CHECK(guest.text("tid") == desk.world.identity.rules.tenant);
    CHECK(guest.text("upn") == "guest_other.test#EXT#@sim.test");
    CHECK(guest.text("oid") != desk.world.account("guest@other.test")->oid);

    // At "common" each signs in at home.
    desk.cookies.clear();
    const auto page = desk.send("GET", "/common/oauth2/v2.0/authorize", desk.authorize_form());
    const Form back = IdentityDesk::returned(desk.accept(desk.sign_in(page, "alien@other.test")));
    const auto body = IdentityDesk::json_of(desk.send("POST", "/common/oauth2/v2.0/token",
                                                      {{"grant_type", "authorization_code"},
                                                       {"client_id", "rohrpost-sim"},
                                                       {"code", at(back, "code")},
                                                       {"redirect_uri", redirect_uri},
                                                       {"code_verifier", verifier}}));
    const auto alien = desk.verified(IdentityDesk::text_in(body, "id_token"));
    CHECK(alien.text("tid") == desk.world.identity.rules.other_tenant);
    CHECK(alien.text("iss") == "https://localhost/" + desk.world.identity.rules.other_tenant + "/v2.0");
}

TEST_CASE("sim identity: an operator's token opens another's mailbox only when it is shared", "[sim]") {
    IdentityDesk desk;
    CHECK_FALSE(desk.world.may_open("operator@sim.test", box));
    desk.world.share("operator@sim.test", "Box0001@sim.test");
    CHECK(desk.world.may_open("Operator@sim.test", box));
    CHECK_FALSE(desk.world.may_open("operator@sim.test", "box0002@sim.test"));
}

TEST_CASE("sim identity: discovery and keys fit what is signed, through a rotation", "[sim]") {
    IdentityDesk desk;
    const std::string tenant = desk.world.identity.rules.tenant;
    const auto configuration =
        IdentityDesk::json_of(desk.send("GET", "/" + tenant + "/v2.0/.well-known/openid-configuration", {}));
    CHECK(IdentityDesk::text_in(configuration, "issuer") == "https://localhost/" + tenant + "/v2.0");
    CHECK(IdentityDesk::text_in(configuration, "authorization_endpoint") ==
          "https://localhost/" + tenant + "/oauth2/v2.0/authorize");
    const auto common = IdentityDesk::json_of(desk.send("GET", "/common/v2.0/.well-known/openid-configuration", {}));
    CHECK(IdentityDesk::text_in(common, "issuer") == "https://localhost/{tenantid}/v2.0");
    const auto plain = IdentityDesk::json_of(desk.send("GET", "/.well-known/openid-configuration", {}));
    CHECK(IdentityDesk::text_in(plain, "issuer") == "https://localhost/" + tenant + "/v2.0");
    CHECK(IdentityDesk::code_of(desk.send("GET", "/nowhere.example/v2.0/.well-known/openid-configuration", {})) ==
          90002);

    const auto kids = [&] {
        std::vector<std::string> found;
        const auto body = IdentityDesk::json_of(desk.send("GET", "/" + tenant + "/discovery/v2.0/keys", {}));
        for (const auto& key : body.at("keys").as_array()) {
            CHECK(key.at("n").as_string().size() == 342);
            found.emplace_back(key.at("kid").as_string());
        }
        return found;
    };
    const auto before = kids();
    REQUIRE(before.size() == 1);
    desk.world.identity.rotate_keys(60s);
    const auto both = kids();
    REQUIRE(both.size() == 2);
    CHECK(both[0] != before[0]);
    CHECK(both[1] == before[0]);
    const auto body = IdentityDesk::json_of(desk.redeem(at(desk.consented(), "code")));
    CHECK(desk.verified(IdentityDesk::text_in(body, "id_token")).header_text("kid") == both[0]);
    desk.clock.pass(60s);
    CHECK(kids() == std::vector<std::string>{both[0]});
    desk.world.identity.rotate_keys(0s);
    CHECK(kids().size() == 1);
}

TEST_CASE("sim identity: an id_token is wrong in just the way a fault says", "[sim]") {
    IdentityDesk desk;
    desk.world.identity.workstation = {box};
    desk.world.identity.consent("rohrpost-sim", box, sim::scopes_in(mail_scopes));
    const auto token_with = [&](const std::string& row) {
        if (!row.empty()) desk.fault("id_token row=" + row + " times=1");
        const auto body = IdentityDesk::json_of(desk.redeem(at(IdentityDesk::returned(desk.authorize()), "code")));
        return IdentityDesk::text_in(body, "id_token");
    };
    const auto right = sim::read_jwt(token_with(""));
    REQUIRE(right);
    struct Change {
        std::string row;
        std::set<std::string> claims;  // that differ from the right ones
    };
    for (const Change& change :
         std::vector<Change>{{"issuer", {"iss"}},
                             {"audience", {"aud"}},
                             {"expired", {"iat", "nbf", "exp"}},
                             {"early", {"iat", "nbf", "exp"}},
                             {"nonce", {"nonce"}},
                             {"no_nonce", {"nonce"}},
                             {"tenant", {"tid", "iss", "hd"}},
                             {"user", {"oid", "sub", "name", "preferred_username", "upn", "email"}}}) {
        CAPTURE(change.row);
        const auto jwt = desk.verified(token_with(change.row));
        std::set<std::string> differing;
        for (const auto& [key, value] : right->claims)
            if (!jwt.claims.contains(key) || jwt.claims.at(key) != value) differing.insert(std::string(key));
        for (const auto& [key, value] : jwt.claims)
            if (!right->claims.contains(key)) differing.insert(std::string(key));
        CHECK(differing == change.claims);
    }
    CHECK(token_with("missing").empty());
    CHECK_FALSE(sim::read_jwt(token_with("garbage")));
    const auto none = sim::read_jwt(token_with("none"));
    REQUIRE(none);
    CHECK(none->header_text("alg") == "none");
    CHECK(none->signature.empty());
    CHECK(sim::read_jwt(token_with("kid"))->header_text("kid") == "a-key-nobody-serves");
    const auto bent = sim::read_jwt(token_with("signature"));
    REQUIRE(bent);
    CHECK(bent->claims == right->claims);
    CHECK_FALSE(desk.world.identity.signing_key().verifies(sim::Algorithm::rs256, bent->signed_part, bent->signature));
}

TEST_CASE("sim identity: the browser's side fails on demand", "[sim]") {
    IdentityDesk desk;
    desk.world.identity.workstation = {box};
    desk.world.identity.consent("rohrpost-sim", box, sim::scopes_in(mail_scopes));
    const auto authorize_with = [&](const std::string& fault) {
        desk.fault(fault + " times=1");
        return desk.authorize();
    };
    CHECK(authorize_with("authorize_500").status == 500);
    CHECK(authorize_with("authorize_slow value=70").after == 70ms);
    const auto page = authorize_with("authorize_page row=90094");
    CHECK(page.status == 400);
    CHECK(shows(page, "AADSTS90094"));
    const Form back = IdentityDesk::returned(authorize_with("authorize_error row=temporarily_unavailable"));
    CHECK(at(back, "error") == "temporarily_unavailable");
    CHECK(at(back, "state") == "a state & more");
    CHECK(at(IdentityDesk::returned(authorize_with("authorize_state")), "state") == "a-state-nobody-sent");
    CHECK_FALSE(IdentityDesk::returned(authorize_with("authorize_state row=missing")).contains("state"));
    CHECK(at(IdentityDesk::returned(authorize_with("authorize_issuer")), "iss") == "https://evil.example/");
    CHECK_FALSE(IdentityDesk::returned(desk.authorize()).contains("iss"));

    const auto keys_with = [&](const std::string& row) {
        desk.fault("keys row=" + row + " times=1");
        return desk.send("GET", "/keys", {});
    };
    CHECK(keys_with("drop").dropped);
    CHECK(keys_with("500").status == 500);
    CHECK(keys_with("huge value=1000").body.size() == 1000);
    CHECK_THROWS(IdentityDesk::json_of(keys_with("garbage")));
    CHECK(IdentityDesk::json_of(keys_with("empty")).at("keys").as_array().empty());
    CHECK(keys_with("slow value=90").after == 90ms);
    CHECK(IdentityDesk::json_of(desk.send("GET", "/keys", {})).at("keys").as_array().size() == 1);
}

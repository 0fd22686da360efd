#include "protocols/oauth2/authorization.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

#include "protocols/base/text.hpp"
#include "protocols/oauth2/callback.hpp"
#include "protocols/oauth2/errc.hpp"
#include "protocols/oauth2/pkce.hpp"

using oauth2::Authorization;
using oauth2::errc;
using oauth2::read_callback;

namespace {

oauth2::Entropy entropy_of(std::initializer_list<int> bytes) {
    oauth2::Entropy entropy{};
    std::size_t i = 0;
    for (const int byte : bytes) entropy[i++] = static_cast<std::byte>(byte);
    return entropy;
}

Authorization entra() {
    Authorization authorization;
    authorization.client_id = "app id";
    authorization.redirect_uri = "https://mail.example/oauth/callback";
    authorization.scope = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access";
    authorization.state = "st-ate";
    authorization.nonce = "non_ce";
    authorization.code_challenge = "chall";
    authorization.login_hint = "desk+1@contoso.com";
    return authorization;
}

errc code_of(std::string_view query) {
    const auto callback = read_callback(query);
    REQUIRE(callback.has_error());
    return static_cast<errc>(callback.error().value());
}

}  // namespace

TEST_CASE("oauth2: PKCE is that of RFC 7636 appendix B", "[oauth2]") {
    const auto entropy = entropy_of({116, 24,  223, 180, 151, 153, 224, 37,  79, 250, 96, 125, 216, 173, 187, 186,
                                     22,  212, 37,  77,  105, 214, 191, 240, 91, 88,  5,  88,  83,  132, 141, 121});
    const auto verifier = oauth2::code_verifier_of(entropy);
    CHECK(verifier.reveal() == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    CHECK(oauth2::code_challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    CHECK(oauth2::token_of(entropy) == verifier.reveal());
    CHECK(oauth2::token_of(entropy_of({})) == std::string(43, 'A'));
}

TEST_CASE("oauth2: the URL of a sign-in at Entra asks for a code, for an account to be chosen, and for S256",
          "[oauth2]") {
    CHECK(url_of("https://login.microsoftonline.com/t/oauth2/v2.0/authorize", entra()) ==
          "https://login.microsoftonline.com/t/oauth2/v2.0/authorize?response_type=code&client_id=app%20id"
          "&redirect_uri=https%3A%2F%2Fmail.example%2Foauth%2Fcallback&response_mode=query"
          "&scope=https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All%20offline_access&state=st-ate&nonce=non_ce"
          "&code_challenge=chall&code_challenge_method=S256&prompt=select_account&login_hint=desk%2B1%40contoso.com");
    auto strict = entra();
    strict.prompt = Authorization::Prompt::sign_in;
    strict.domain_hint = "contoso.com";
    CHECK(url_of("https://x.test/a?p=1", strict).starts_with("https://x.test/a?p=1&response_type=code&"));
    CHECK(url_of("https://x.test/a?p=1&", strict).starts_with("https://x.test/a?p=1&response_type=code&"));
    CHECK(url_of("https://x.test/a?", strict).starts_with("https://x.test/a?response_type=code&"));
    CHECK(url_of("https://x.test/a#f", strict).starts_with("https://x.test/a?response_type=code&"));
    CHECK(url_of("https://x.test/a", strict)
              .ends_with("&prompt=login&login_hint=desk%2B1%40contoso.com"
                         "&domain_hint=contoso.com"));
}

TEST_CASE("oauth2: the URL of a sign-in at Google asks for offline access and consent", "[oauth2]") {
    auto google = entra();
    google.prompt = Authorization::Prompt::select_account_and_consent;
    google.access = Authorization::Access::offline;
    google.response_mode = Authorization::ResponseMode::unstated;
    const auto url = url_of("https://accounts.google.com/o/oauth2/v2/auth", google);
    CHECK(url.find("response_mode") == std::string::npos);
    CHECK(url.find("&prompt=select_account%20consent&") != std::string::npos);
    CHECK(url.ends_with("&access_type=offline"));
    google.prompt = Authorization::Prompt::none;
    CHECK(url_of("https://x.test/", google).find("prompt") == std::string::npos);
}

TEST_CASE("oauth2: the prompt that stands in the authorize_url is sent, and no other", "[oauth2]") {
    const auto prompts_in = [](std::string_view authorize_url) {
        const auto url = url_of(authorize_url, entra());
        std::vector<std::string> prompts;
        for (const auto piece : text::split(std::string_view(url).substr(url.find('?') + 1), '&'))
            if (piece.starts_with("prompt=")) prompts.emplace_back(piece);
        return prompts;
    };
    CHECK(prompts_in("https://x.test/a?prompt=login") == std::vector<std::string>{"prompt=login"});
    CHECK(prompts_in("https://x.test/a?p=1&prompt=login%20consent") ==
          std::vector<std::string>{"prompt=login%20consent"});
    CHECK(prompts_in("https://x.test/a?prompt=") == std::vector<std::string>{"prompt="});
    CHECK(prompts_in("https://x.test/a?my_prompt=login") == std::vector<std::string>{"prompt=select_account"});
    CHECK(prompts_in("https://x.test/prompt=login") == std::vector<std::string>{"prompt=select_account"});
}

TEST_CASE("oauth2: no character of a parameter escapes from its place", "[oauth2]") {
    auto authorization = entra();
    authorization.login_hint.clear();
    for (int code = 1; code < 256; ++code) authorization.login_hint += static_cast<char>(code);
    const auto url = url_of("https://x.test/a", authorization);
    CHECK(std::count(url.begin(), url.end(), '&') == 10);
    CHECK(url.find_first_of(" \"'<>#\r\n") == std::string::npos);
}

TEST_CASE("oauth2: a callback brings a code, or says why there is none", "[oauth2]") {
    const auto granted = read_callback("code=0.AX%2B-_x&state=st-ate&session_state=abc&scope=a+b&authuser=0");
    REQUIRE(granted.has_value());
    CHECK(granted->state == "st-ate");
    CHECK(granted->issuer.empty());
    CHECK(std::get<Secret>(granted->code).reveal() == "0.AX+-_x");

    const auto refused = read_callback(
        "error=access_denied&error_description=AADSTS65004%3a+The+user+declined.%0d%0aTrace+ID%3a+t&state=s"
        "&error_subcode=cancel&iss=https%3A%2F%2Faccounts.google.com");
    REQUIRE(refused.has_value());
    const auto& refusal = std::get<oauth2::Refusal>(refused->code);
    CHECK(refusal.http_status == 0);
    CHECK(refusal.error == "access_denied");
    CHECK(refusal.suberror == "cancel");
    CHECK(refusal.error_description == "AADSTS65004: The user declined.\r\nTrace ID: t");
    CHECK(refused->issuer == "https://accounts.google.com");
}

TEST_CASE("oauth2: a callback that is not clearly an answer to a sign-in of ours is refused by name",
          "[oauth2][hostile-42]") {
    const std::string a600(600, 'a');
    const auto [query, code] = GENERATE_COPY(table<std::string, errc>({
        {"", errc::state_missing},
        {"code=c", errc::state_missing},
        {"code=c&state=", errc::state_missing},
        {"error=access_denied", errc::state_missing},
        {"State=s&code=c", errc::state_missing},
        {"state=s", errc::code_missing},
        {"state=s&code=", errc::code_missing},
        {"state=s&error=", errc::code_missing},
        {"state=s&code=c&error=e", errc::code_and_error},
        {"state=s&state=s&code=c", errc::parameter_twice},
        {"state=s&code=c&code=d", errc::parameter_twice},
        {"state=s&code=c&%63ode=d", errc::parameter_twice},
        {"state=s&code=c&x=1&x=1", errc::parameter_twice},
        {"state=s&code=c&iss=a&iss=a", errc::parameter_twice},
        {"state=" + a600 + "&code=c", errc::parameter_too_long},
        {"state=s&error=" + a600, errc::parameter_too_long},
        {"state=s&code=c&iss=" + a600, errc::parameter_too_long},
        {"state=s&code=" + std::string(8193, 'c'), errc::parameter_too_long},
        {"state=s&code=c&x=" + std::string(16384, 'x'), errc::query_too_long},
        {"state=s&code=%", errc::query_malformed},
        {"state=s&code=%4", errc::query_malformed},
        {"state=s&code=%4g", errc::query_malformed},
        {"state=s&code=c d", errc::query_malformed},
        {"state=s&code=c\xc3\xa4", errc::query_malformed},
        {"state=s&code=c%00", errc::query_malformed},
        {"state=s%0d%0a&code=c", errc::query_malformed},
        {"state=s&code=c&iss=%ff", errc::query_malformed},
        {"state=s&code=c&=x", errc::query_malformed},
        {"state=s&code=c&" + a600 + "=x", errc::query_malformed},
    }));
    CAPTURE(query.substr(0, 80), code);
    CHECK(code_of(query) == code);
}

TEST_CASE("oauth2: a callback has a bounded number of parameters and texts", "[oauth2][hostile-42]") {
    std::string query = "state=s&code=c";
    for (int i = 0; i < 30; ++i) query += "&x" + std::to_string(i) + "=1";
    CHECK(read_callback(query).has_value());
    CHECK(code_of(query + "&y=1") == errc::query_malformed);
    const auto refused = read_callback("state=s&error=e&error_description=" + std::string(9000, 'd'));
    REQUIRE(refused.has_value());
    CHECK(std::get<oauth2::Refusal>(refused->code).error_description.size() == 4096);
}

TEST_CASE("oauth2: any prefix of a callback is refused or has the same state", "[oauth2]") {
    const std::string query = "state=st%2Date&code=0.AX%2B&iss=https%3A%2F%2Fa.test";
    std::set<std::string> states;
    for (std::size_t kept = 0; kept <= query.size(); ++kept) {
        const auto callback = read_callback(std::string_view(query).substr(0, kept));
        if (callback) states.insert(callback->state);
    }
    CHECK(states == std::set<std::string>{"st-ate"});
}

TEST_CASE("oauth2: a callback from another provider than asked is refused", "[oauth2][hostile-43]") {
    const std::vector<std::string> google{"https://accounts.google.com"};
    const std::vector<std::string> entra{"https://login.microsoftonline.com/{tenantid}/v2.0"};
    const auto check = [](std::string_view issuer, const std::vector<std::string>& issuers) {
        oauth2::Callback callback;
        callback.issuer = issuer;
        return check_issuer(callback, issuers).has_value();
    };
    CHECK(check("", google));
    CHECK(check("https://accounts.google.com", google));
    CHECK_FALSE(check("https://accounts.google.com/", google));
    CHECK_FALSE(check("https://accounts.google.com.evil.test", google));
    CHECK_FALSE(check("https://accounts.google.com", {}));
    CHECK_FALSE(check("https://accounts.google.com", entra));
    CHECK(check("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", entra));
    CHECK_FALSE(check("https://login.microsoftonline.com/{tenantid}/v2.0", entra));
    CHECK_FALSE(check("https://login.microsoftonline.com/x/v2.0", entra));
    CHECK_FALSE(check("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0/", entra));
    CHECK_FALSE(check("https://login.microsoftonline.com/../../../../evil.test/aaaaaaaaaaaaaa/v2.0", entra));
}

TEST_CASE("oauth2: a pasted address is read only when it answers our redirect URI", "[oauth2][hostile-44]") {
    const std::string ours = "https://mail.example/oauth/callback";
    const auto code = [&](std::string_view pasted) {
        const auto callback = oauth2::read_pasted(pasted, ours);
        return callback ? 0 : callback.error().value();
    };
    const int other = static_cast<int>(errc::other_redirect);
    CHECK(code("  " + ours + "?state=s&code=c\r\n") == 0);
    CHECK(code(ours + "?state=s&code=c#") == 0);
    CHECK(code(ours + "/?state=s&code=c") == 0);
    CHECK(code(ours) == other);
    CHECK(code("state=s&code=c") == other);
    CHECK(code(ours + "2?state=s&code=c") == other);
    CHECK(code("http://mail.example/oauth/callback?state=s&code=c") == other);
    CHECK(code("https://mail.example/oauth/Callback?state=s&code=c") == other);
    CHECK(code("https://mail.example.evil.test/oauth/callback?state=s&code=c") == other);
    CHECK(code(ours + "?code=c") == static_cast<int>(errc::state_missing));
    CHECK(code(std::string(100'000, 'x')) == static_cast<int>(errc::query_too_long));
}

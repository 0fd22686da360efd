// The pages, before an API that answers what it is told to.

#include "engine/console/console.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <deque>

#include "tests/support/hand_clock.hpp"
#include "tests/support/run_coroutine.hpp"

using namespace console;
using support::HandClock;
using support::SeededRandom;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view api_token = "the-token";

class ScriptedApi final : public Api {
public:
    awaitable<Reply> call(std::string method, std::string target, std::string body) override {
        calls.push_back(method + " " + target + (body.empty() ? "" : " " + body));
        Reply reply = next;
        for (const auto& [begin, given] : answers)
            if (target.starts_with(begin)) reply = given;
        co_return reply;
    }
    [[nodiscard]] bool admits(std::string_view token) const override { return token == api_token; }
    [[nodiscard]] std::uint64_t generation() const override { return generations; }

    void answers_with(const std::string& target, unsigned status, std::string_view json) {
        Reply reply;
        reply.status = status;
        reply.body = boost::json::parse(json).as_object();
        answers[target] = reply;
    }

    std::map<std::string, Reply> answers;  // the longest beginning counts
    Reply next{.status = 404, .body = {{"detail", "no such path"}}};
    std::vector<std::string> calls;
    std::uint64_t generations = 1;
};

using Form = std::vector<std::pair<std::string, std::string>>;

/// A console and somebody's browser, which keeps cookies and says where its forms come from.
class Desk {
public:
    explicit Desk(std::string url = "https://desk.example", Console::Peers peers = Console::Peers::known)
        : attempts(clock), console({api, attempts, clock, random}, peers), url_(std::move(url)) {
        console.reached_by(url_);
        api.answers_with("/v1/credentials?", 200, R"({"credentials": []})");
        api.answers_with("/v1/mailboxes", 200, R"({"mailboxes": []})");
    }

    http::Response ask(http::Request request) {
        request.peer = peer;
        const auto question = request.target.find('?');
        request.path = request.target.substr(0, question);
        if (const auto target = http::read_target(request.target)) {
            request.path = target->path;
            request.query = target->query;
        }
        if (request.host.empty()) request.host = *host_in(url_);
        std::string line;
        for (const auto& [name, value] : cookies) line += (line.empty() ? "" : "; ") + name + "=" + value;
        if (!line.empty()) request.headers.emplace_back("Cookie", line);
        auto response = support::run_coroutine(console.answer(std::move(request)));
        for (const auto& [name, value] : response.headers) {
            if (name != "Set-Cookie") continue;
            const auto equals = value.find('=');
            const auto end = value.find(';');
            cookies[value.substr(0, equals)] = value.substr(equals + 1, end - equals - 1);
            if (value.find("Max-Age=0") != std::string::npos) cookies.erase(value.substr(0, equals));
        }
        return response;
    }
    http::Response get(const std::string& target) {
        http::Request request;
        request.target = target;
        return ask(std::move(request));
    }
    http::Request posting(const std::string& target, const Form& form) const {
        http::Request request;
        request.method = "POST";
        request.target = target;
        for (const auto& [name, value] : form) request.body += (request.body.empty() ? "" : "&") + name + "=" + value;
        request.headers = {{"Origin", url_}, {"Sec-Fetch-Site", "same-origin"}};
        return request;
    }
    http::Response post(const std::string& target, const Form& form) { return ask(posting(target, form)); }
    static std::string csrf_in(const http::Response& page) {
        const std::string mark = "name=\"csrf\" value=\"";
        const auto at = page.body.find(mark);
        if (at == std::string::npos) return {};
        const auto from = at + mark.size();
        return page.body.substr(from, page.body.find('"', from) - from);
    }
    http::Response log_in(const std::string& token = std::string(api_token), const std::string& next = "/") {
        const auto csrf = csrf_in(get("/login"));
        return post("/login", {{"csrf", csrf}, {"token", token}, {"next", next}});
    }
    /// Logs in; what forms carry from then on.
    std::string csrf() {
        REQUIRE(log_in().status == 303);
        return csrf_in(get("/"));
    }

    HandClock clock;
    SeededRandom random;
    ScriptedApi api;
    Attempts attempts;
    Console console;
    std::string peer = "192.0.2.7";
    std::map<std::string, std::string> cookies;

private:
    std::string url_;
};

bool holds(const http::Response& page, std::string_view part) { return page.body.find(part) != std::string::npos; }
std::string location(const http::Response& page) { return std::string(page.header("Location").value_or("")); }

constexpr std::string_view desk_credential =
    R"({"id": "desk", "provider": "m365", "user": "desk@contoso.com", "flow": "authorization_code",
        "state": "no grant yet", "reason": "nobody has signed in yet", "advice": "sign in", "mailboxes": 3,
        "redirect_uri": "https://desk.example/oauth/callback"})";

}  // namespace

TEST_CASE("console: nobody sees a page without logging in, and a log-in leads where it was asked for", "[console]") {
    Desk desk;
    CHECK(location(desk.get("/")) == "/login");
    CHECK(location(desk.get("/credentials/desk")) == "/login?next=/credentials/desk");
    CHECK(location(desk.post("/credentials/desk/sign-in", {{"by", "browser"}})) == "/login");
    CHECK(desk.api.calls.empty());
    const auto form = desk.get("/login?next=/credentials/desk");
    CHECK(holds(form, "name=\"next\" value=\"/credentials/desk\""));
    CHECK(holds(form, "type=\"password\""));
    const auto in = desk.log_in(std::string(api_token), "/credentials/desk");
    CHECK(in.status == 303);
    CHECK(location(in) == "/credentials/desk");
    CHECK(desk.get("/").status == 200);
    CHECK(location(desk.log_in(std::string(api_token), "//evil.test/x")) == "/");
}

TEST_CASE("console: pages have no script, no cache, no frame, and cookies are the site's own",
          "[console][hostile-53]") {
    Desk desk;
    const auto in = desk.log_in();
    const auto cookie = in.header("Set-Cookie");
    REQUIRE(cookie);
    CHECK(cookie->starts_with("__Host-rohrpost-session="));
    CHECK(cookie->find("HttpOnly; SameSite=Strict; Secure") != std::string_view::npos);
    const auto page = desk.get("/");
    CHECK(page.header("Content-Security-Policy") ==
          "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    CHECK(page.header("Cache-Control") == "no-store");
    CHECK(page.header("X-Content-Type-Options") == "nosniff");
    CHECK_FALSE(holds(page, "<script"));
    CHECK_FALSE(holds(page, "style=\""));
}

TEST_CASE("console: what servers and people wrote is text on every page", "[console][hostile-53]") {
    Desk desk;
    const auto poisoned = [](std::string_view pattern) {
        std::string json(pattern);
        for (auto at = json.find('@'); at != std::string::npos; at = json.find('@', at))
            json.replace(at, 1, R"-(<script>alert(1)<\/script>\" onmouseover=\"x)-");
        return json;
    };
    desk.api.answers_with("/v1/credentials?", 200, poisoned(R"-({"next": "@", "credentials": [
        {"id": "@", "user": "@", "provider": "@", "state": "@", "reason": "@", "advice": "@"}]})-"));
    desk.api.answers_with("/v1/mailboxes", 200, poisoned(R"-({"mailboxes": [
        {"id": "@", "address": "@", "credential": "@", "state": "@", "reason": "@"}]})-"));
    desk.api.answers_with("/v1/credentials/x", 200, poisoned(R"-({"id": "@", "user": "@", "provider": "@", "state": "@",
        "flow": "authorization_code", "reason": "@", "redirect_uri": "@", "signed_in": {"user": "@", "at": "@"},
        "expiring": [{"what": "@", "ends_at": "@", "remedy": "@"}]})-"));
    desk.api.answers_with("/v1/sign-ins/p", 200, poisoned(R"-({"state": "pending", "credential": "@", "user": "@",
        "url": "@", "headline": "@", "redirect_uri": "@", "until": "@"})-"));
    desk.api.answers_with("/v1/sign-ins/d", 200, poisoned(R"-({"state": "pending", "credential": "@", "user": "@",
        "user_code": "@", "verification_uri": "javascript:alert(1)", "headline": "@"})-"));
    desk.api.answers_with("/v1/sign-ins/e", 200,
                          poisoned(R"-({"state": "refused", "headline": "@", "remedy": "@", "credential": "@"})-"));
    desk.api.answers_with("/v1/sign-ins/n", 404, poisoned(R"-({"detail": "@"})-"));
    desk.csrf();
    for (const auto* target : {"/", "/credentials/x", "/sign-ins/p", "/sign-ins/d", "/sign-ins/e", "/sign-ins/n"}) {
        CAPTURE(target);
        const auto page = desk.get(target);
        CHECK_FALSE(holds(page, "<script"));
        CHECK_FALSE(holds(page, "\" onmouseover="));
        CHECK_FALSE(holds(page, "href=\"javascript:"));
        CHECK(holds(page, "&lt;script&gt;"));
    }
}

TEST_CASE("console: guessing the token gets nowhere, and sign-ins go on coming back", "[console][hostile-54]") {
    Desk desk;
    desk.api.answers_with("/v1/sign-ins/finish", 200, R"({"state": "stored", "headline": "desk is authorized"})");
    for (int at = 0; at < 10; ++at) {
        const auto page = desk.log_in("guess");
        CHECK(page.status == 403);
        CHECK(holds(page, "That is not the API token."));
    }
    const auto stopped = desk.log_in();  // even with the right one
    CHECK(stopped.status == 429);
    CHECK(stopped.header("Retry-After").has_value());
    CHECK(desk.get("/oauth/callback?code=c&state=s").status == 200);
    desk.peer = "192.0.2.8";
    CHECK(desk.log_in().status == 303);
    desk.peer = "192.0.2.7";
    desk.clock.passed += 1min;
    CHECK(desk.log_in().status == 303);
}

TEST_CASE("console: behind a proxy guesses count together, as nobody's address is known", "[console][hostile-54]") {
    Desk desk("https://desk.example", Console::Peers::of_a_proxy);
    for (int at = 0; at < 100; ++at) CHECK(desk.log_in("guess").status == 403);
    CHECK(desk.log_in().status == 429);
}

TEST_CASE("console: forms of other sites, other sessions and no session are refused", "[console][hostile-54]") {
    Desk desk;
    const auto csrf = desk.csrf();
    REQUIRE(csrf.size() == 43);
    desk.api.calls.clear();
    const Form form{{"csrf", csrf}, {"by", "browser"}};
    const auto refused = [&](const http::Request& request) {
        const auto page = desk.ask(request);
        return page.status == 403 && desk.api.calls.empty();
    };
    auto foreign = desk.posting("/credentials/desk/sign-in", form);
    foreign.headers = {{"Origin", "https://evil.test"}};
    CHECK(refused(foreign));
    foreign.headers = {{"Origin", "null"}};
    CHECK(refused(foreign));
    foreign.headers = {{"Sec-Fetch-Site", "same-site"}, {"Origin", "https://desk.example"}};
    CHECK(refused(foreign));
    foreign.headers = {{"Sec-Fetch-Site", "cross-site"}};
    CHECK(refused(foreign));
    foreign.headers = {};
    CHECK(refused(foreign));
    CHECK(refused(desk.posting("/credentials/desk/sign-in", {{"by", "browser"}})));
    CHECK(refused(desk.posting("/credentials/desk/sign-in", {{"csrf", std::string(43, 'a')}, {"by", "browser"}})));
    CHECK(refused(desk.posting("/logout", {})));
    CHECK(desk.get("/").status == 200);  // still logged in

    Desk other;
    const auto theirs = other.csrf();
    CHECK(desk.post("/login", {{"csrf", theirs}, {"token", std::string(api_token)}}).status == 403);
    desk.cookies.clear();
    CHECK(desk.post("/login", {{"csrf", ""}, {"token", std::string(api_token)}}).status == 403);
}

TEST_CASE("console: a session that was planted in the browser is worth nothing, and a log-in makes another one",
          "[console][hostile-54]") {
    Desk desk;
    const std::string name = "__Host-rohrpost-session";
    desk.cookies[name] = "planted";
    CHECK(location(desk.get("/")) == "/login");
    REQUIRE(desk.log_in().status == 303);
    const auto first = desk.cookies[name];
    CHECK(first != "planted");
    REQUIRE(desk.log_in().status == 303);
    CHECK(desk.cookies[name] != first);
    desk.cookies[name] = first;
    CHECK(location(desk.get("/")) == "/login");
}

TEST_CASE("console: log-out, idleness and a new token end a session", "[console][hostile-54]") {
    Desk desk;
    const auto csrf = desk.csrf();
    const auto kept = desk.cookies;
    CHECK(location(desk.post("/logout", {{"csrf", csrf}})) == "/login");
    CHECK_FALSE(desk.cookies.contains("__Host-rohrpost-session"));
    desk.cookies = kept;
    CHECK(location(desk.get("/")) == "/login");
    desk.csrf();
    desk.clock.passed += 31min;
    CHECK(location(desk.get("/")) == "/login");
    desk.csrf();
    ++desk.api.generations;
    CHECK(location(desk.get("/")) == "/login");
}

TEST_CASE("console: under another name every page says so with both names", "[console][hostile-44]") {
    Desk desk;
    const auto csrf = desk.csrf();
    desk.api.calls.clear();
    for (const auto* target : {"/", "/login", "/credentials/desk", "/oauth/callback?code=c&state=s", "/nowhere"}) {
        CAPTURE(target);
        http::Request request;
        request.target = target;
        request.host = "services.internal:8025";
        request.headers = {{"X-Forwarded-Host", "desk.example"}, {"X-Forwarded-Proto", "https"}};
        const auto page = desk.ask(request);
        CHECK(page.status == 421);
        CHECK(holds(page, "It was opened as services.internal:8025; the external URL is https://desk.example."));
    }
    auto login = desk.posting("/login", {{"csrf", csrf}, {"token", std::string(api_token)}});
    login.host = "evil.test";
    CHECK(desk.ask(login).status == 421);
    // The API hears of the sign-in that came astray, and finishes nothing under another name.
    CHECK(desk.api.calls == std::vector<std::string>{"POST /v1/sign-ins/finish?browser= "
                                                     "https://services.internal:8025/oauth/callback?code=c&state=s"});
    http::Request upper;
    upper.target = "/login";
    upper.host = "DESK.example";
    CHECK(desk.ask(upper).status == 200);
    CHECK(desk.get("/style.css").status == 200);
}

TEST_CASE("console: the first page shows credentials with what to do, and mailboxes that need help", "[console]") {
    Desk desk;
    desk.api.answers_with("/v1/credentials?", 200,
                          R"({"credentials": [)" + std::string(desk_credential) + R"(], "next": "desk"})");
    desk.api.answers_with("/v1/mailboxes", 200,
                          R"({"mailboxes": [{"id": "support", "address": "s@contoso.com", "credential": "desk",
                                             "state": "needs help", "reason": "nobody may read it"}]})");
    desk.csrf();
    const auto page = desk.get("/");
    CHECK(holds(page, "href=\"/credentials/desk\""));
    CHECK(holds(page, "no grant yet"));
    CHECK(holds(page, "nobody has signed in yet"));
    CHECK(holds(page, "nobody may read it"));
    CHECK(holds(page, "href=\"/?after=desk\""));
    desk.get("/?after=de%20sk");
    CHECK(std::find(desk.api.calls.begin(), desk.api.calls.end(), "GET /v1/credentials?limit=100&after=de%20sk") !=
          desk.api.calls.end());
}

TEST_CASE("console: before the redirect stands who must sign in, the sign-in is bound to this browser",
          "[console][hostile-42]") {
    Desk desk;
    desk.api.answers_with("/v1/credentials/desk", 200, desk_credential);
    desk.api.answers_with("/v1/credentials/desk/authorize", 201, R"({"sign_in": "id1", "user": "desk@contoso.com"})");
    desk.api.answers_with(
        "/v1/sign-ins/id1", 200,
        R"({"state": "pending", "credential": "desk", "user": "desk@contoso.com", "headline": "nobody",
                              "url": "https://login.test/authorize?state=s",
                              "redirect_uri": "https://desk.example/oauth/callback"})");
    desk.api.answers_with("/v1/sign-ins/finish", 200, R"({"state": "stored", "headline": "desk is authorized"})");
    const auto csrf = desk.csrf();
    const auto page = desk.get("/credentials/desk");
    CHECK(holds(page, "<strong id=\"account\">desk@contoso.com</strong>"));
    CHECK(holds(page, "private window"));
    CHECK_FALSE(holds(page, "<p class=\"remedy\">sign in</p>"));  // it would send the reader to this page
    CHECK(holds(page, "https://desk.example/oauth/callback"));
    const auto begun = desk.post("/credentials/desk/sign-in", {{"csrf", csrf}, {"by", "browser"}});
    CHECK(location(begun) == "/sign-ins/id1");
    const auto cookie = begun.header("Set-Cookie");
    REQUIRE(cookie);
    CHECK(cookie->starts_with("__Host-rohrpost-sign-in="));
    CHECK(cookie->find("SameSite=Lax") != std::string_view::npos);
    const std::string begin_call = desk.api.calls.back();
    const std::string browser = begin_call.substr(begin_call.find("&browser=") + 9);
    CHECK(browser.size() == 43);
    CHECK(browser != desk.cookies["__Host-rohrpost-sign-in"]);  // what the cookie holds stays here

    const auto waiting = desk.get("/sign-ins/id1");
    CHECK(holds(waiting, "<meta http-equiv=\"refresh\""));
    CHECK(holds(waiting, "href=\"https://login.test/authorize?state=s\""));
    CHECK(holds(waiting, "desk@contoso.com"));

    const auto back = desk.get("/oauth/callback?code=c&state=s");
    CHECK(back.status == 200);
    CHECK(back.header("Referrer-Policy") == "no-referrer");
    CHECK(desk.api.calls.back() ==
          "POST /v1/sign-ins/finish?browser=" + browser + " https://desk.example/oauth/callback?code=c&state=s");
    desk.cookies.clear();
    desk.get("/oauth/callback?code=c&state=s");
    CHECK(desk.api.calls.back() ==
          "POST /v1/sign-ins/finish?browser= https://desk.example/oauth/callback?code=c&state=s");
}

TEST_CASE("console: a code is shown for another device, a pasted address finishes a sign-in", "[console]") {
    Desk desk;
    desk.api.answers_with("/v1/credentials/desk/authorize", 201, R"({"sign_in": "id2"})");
    desk.api.answers_with(
        "/v1/sign-ins/id2", 200,
        R"({"state": "pending", "credential": "desk", "user": "desk@contoso.com", "headline": "nobody",
                              "verification_uri": "https://login.test/device", "user_code": "ABCD-1234"})");
    const auto csrf = desk.csrf();
    CHECK(location(desk.post("/credentials/desk/sign-in", {{"csrf", csrf}, {"by", "device"}})) == "/sign-ins/id2");
    CHECK(desk.api.calls.back() == "POST /v1/credentials/desk/authorize?by=device");
    const auto page = desk.get("/sign-ins/id2");
    CHECK(holds(page, "ABCD-1234"));
    CHECK(holds(page, "href=\"https://login.test/device\""));

    CHECK(holds(desk.get("/sign-ins/id2/address"), "name=\"address\""));
    desk.api.answers_with("/v1/sign-ins/finish", 422, R"({"detail": "this is not the address"})");
    const auto wrong = desk.post("/sign-ins/id2/address", {{"csrf", csrf}, {"address", "nonsense"}});
    CHECK(wrong.status == 422);
    CHECK(holds(wrong, "this is not the address"));
    CHECK(holds(wrong, "name=\"address\""));
    desk.api.answers_with("/v1/sign-ins/finish", 200,
                          R"({"state": "stored", "credential": "desk", "headline": "desk is authorized"})");
    const auto done =
        desk.post("/sign-ins/id2/address",
                  {{"csrf", csrf}, {"address", "https%3A%2F%2Fdesk.example%2Foauth%2Fcallback%3Fcode%3Dc"}});
    CHECK(done.status == 200);
    CHECK(holds(done, "desk is authorized"));
    CHECK(desk.api.calls.back().ends_with(" https://desk.example/oauth/callback?code=c"));
}

TEST_CASE("console: a refused begin, a services server of another external URL, and one that is away are explained",
          "[console]") {
    Desk desk;
    desk.api.answers_with("/v1/credentials/desk", 200, desk_credential);
    desk.api.answers_with("/v1/credentials/desk/authorize", 409, R"({"detail": "too many sign-ins are under way"})");
    const auto csrf = desk.csrf();
    const auto refused = desk.post("/credentials/desk/sign-in", {{"csrf", csrf}, {"by", "browser"}});
    CHECK(refused.status == 409);
    CHECK(holds(refused, "too many sign-ins are under way"));

    std::string elsewhere(desk_credential);
    elsewhere.replace(elsewhere.find("https://desk.example/"), 21, "http://localhost:8025/");
    desk.api.answers_with("/v1/credentials/desk", 200, elsewhere);
    const auto mismatch = desk.get("/credentials/desk");
    CHECK(holds(mismatch, "http://localhost:8025/oauth/callback"));
    CHECK(holds(mismatch, "https://desk.example"));
    CHECK(holds(mismatch, "--external-url"));
    CHECK_FALSE(holds(mismatch, "value=\"browser\""));

    desk.api.answers.clear();
    desk.api.next = {.status = 0, .body = {}, .trouble = "it cannot be reached", .remedy = "start it"};
    for (const auto* target : {"/", "/credentials/desk", "/sign-ins/x", "/oauth/callback?code=c&state=s"}) {
        CAPTURE(target);
        const auto page = desk.get(target);
        CHECK(page.status == 502);
        CHECK(holds(page, "it cannot be reached"));
        CHECK(holds(page, "start it"));
    }
}

TEST_CASE("console: methods and pages that do not exist", "[console]") {
    Desk desk;
    CHECK(desk.post("/oauth/callback", {}).status == 405);
    CHECK(desk.post("/style.css", {}).status == 405);
    desk.csrf();
    CHECK(desk.get("/nowhere").status == 404);
    CHECK(desk.get("/logout").status == 404);
    CHECK(desk.get("/credentials/desk/sign-in").status == 404);
    CHECK(desk.get("/credentials/a/b/c").status == 404);
    http::Request request;
    request.method = "DELETE";
    request.target = "/credentials/desk";
    CHECK(desk.ask(request).status == 405);
}

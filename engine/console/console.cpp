#include "engine/console/console.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/console/pages.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/base/sha256.hpp"
#include "protocols/base/text.hpp"
#include "protocols/http/url.hpp"

namespace console {

namespace {

constexpr std::string_view callback_path = "/oauth/callback";
constexpr std::string_view style_path = "/style.css";
constexpr std::size_t callbacks_per_minute_max = 120;
constexpr std::chrono::minutes login_form_lives{30};
constexpr std::chrono::minutes sign_in_lives{15};
constexpr int refresh_seconds = 5;
constexpr std::string_view session_cookie = "session";
constexpr std::string_view login_cookie = "login";      // before there is a session
constexpr std::string_view browser_cookie = "sign-in";  // comes back from the provider

bool reads(const http::Request& request) { return request.method == "GET" || request.method == "HEAD"; }

decltype(http::Request::query) form_of(const http::Request& request) {
    auto target = http::read_target("/?" + request.body);
    return target ? std::move(target->query) : decltype(http::Request::query)();
}

std::string field(const decltype(http::Request::query)& form, std::string_view name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string() : found->second;
}

std::string query_of(const http::Request& request) {
    const auto question = request.target.find('?');
    return question == std::string::npos ? std::string() : request.target.substr(question + 1);
}

/// What forms and the API know a secret cookie by.
std::string name_of(std::string_view purpose, std::string_view cookie) {
    return cookie.empty() ? std::string() : base64url_encoded(sha256_of(fmt::format("{} {}", purpose, cookie)));
}

http::Response wrong_method(std::string_view taken) {
    return shown(Notice{.status = 405, .headline = fmt::format("Only {} is taken here.", taken)});
}
http::Response no_such_page(const std::string& csrf = {}) {
    return shown(Notice{.status = 404, .headline = "There is no such page.", .back = "/", .back_words = "Credentials"},
                 csrf);
}
http::Response troubled(const Api::Reply& reply, const std::string& csrf = {}) {
    return shown(
        Notice{
            .status = 502, .headline = reply.trouble, .remedy = reply.remedy, .back = "/", .back_words = "Credentials"},
        csrf);
}
/// The API's own words of refusal.
http::Response refused(const Api::Reply& reply, const std::string& csrf) {
    return shown(Notice{.status = static_cast<int>(reply.status),
                        .headline = text_at(reply.body, "detail"),
                        .back = "/",
                        .back_words = "Credentials"},
                 csrf);
}
http::Response too_many(std::chrono::seconds wait, std::string headline) {
    auto response = shown(Notice{.status = 429, .headline = std::move(headline)});
    response.headers.emplace_back("Retry-After", fmt::format("{}", wait.count()));
    return response;
}

int status_of(std::string_view state) {
    if (state == "stored") return 200;
    if (state == "no answer") return 502;
    return state == "not stored" ? 500 : 403;
}

}  // namespace

std::optional<std::string> host_in(std::string_view external_url) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (!external_url.starts_with(scheme)) continue;
        const auto host = external_url.substr(scheme.size());
        if (host.empty() || host.find_first_of("/?#@ ") != std::string_view::npos) return std::nullopt;
        return std::string(host);
    }
    return std::nullopt;
}

std::string path_after_login(std::string_view wanted) {
    constexpr std::string_view area = "/credentials/";
    const auto harmless = [](char c) {
        const char low = text::lower(c);
        return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~' ||
               c == '%';
    };
    if (!wanted.starts_with(area)) return "/";
    const auto id = wanted.substr(area.size());
    return !id.empty() && std::all_of(id.begin(), id.end(), harmless) ? std::string(wanted) : "/";
}

Console::Console(Uses uses, Peers peers) : uses_(uses), peers_(peers), sessions_(uses.clock, uses.random) {}

void Console::reached_by(std::string external_url) {
    external_url_ = std::move(external_url);
    cookies_ = Cookies(external_url_.starts_with("https://") ? Cookies::Scheme::https : Cookies::Scheme::http);
}

std::string Console::peer_of(const http::Request& request) const {
    return peers_ == Peers::of_a_proxy ? std::string() : peer_key(request.peer);
}

awaitable<http::Response> Console::answer(http::Request request) {
    auto page = co_await page_for(std::move(request));
    ++numbers_.pages[static_cast<std::size_t>(std::clamp(page.status / 100, 0, 5))];
    co_return page;
}

awaitable<http::Response> Console::page_for(http::Request request) {
    if (request.path == style_path) co_return reads(request) ? style_sheet() : wrong_method("GET");
    if (request.path == callback_path && !reads(request)) co_return wrong_method("GET");
    const auto expected = host_in(external_url_);
    if (!expected || !text::same(request.host, *expected)) {
        ++numbers_.misdirected;
        const auto host = request.host;
        if (request.path == callback_path && !callbacks_come_too_often()) {
            co_await tell_of_stray(std::move(request));
        }
        co_return shown(Notice{
            .status = 421,
            .headline = "This page was opened under another name than it is known by.",
            .text =
                fmt::format("It was opened as {}; the external URL is {}.", text::printable(host, 200), external_url_),
            .remedy = "Begin again under the external URL, or put --external-url right: the redirect URL "
                      "that is registered at the provider has to be the same, byte for byte."});
    }
    if (request.path == callback_path) {
        if (callbacks_come_too_often()) {
            co_return too_many(std::chrono::minutes(1), "Too many sign-ins come back at once: try again in a minute.");
        }
        auto page = co_await callback(std::move(request));
        co_return page;
    }
    auto page = co_await open_page(std::move(request));
    co_return page;
}

awaitable<Api::Reply> Console::get(std::string target) const {
    return uses_.api.call("GET", std::move(target), std::string());
}

awaitable<Api::Reply> Console::finish(const std::string& browser, std::string address) const {
    return uses_.api.call("POST", "/v1/sign-ins/finish?browser=" + browser, std::move(address));
}

void Console::count_sign_in(std::string_view state) {
    ++(state == "stored" ? numbers_.sign_ins_stored : numbers_.sign_ins_failed);
}

bool Console::callbacks_come_too_often() {
    const auto now = uses_.clock.now();
    if (now - minute_ >= std::chrono::minutes(1)) {
        minute_ = now;
        callbacks_ = 0;
    }
    return ++callbacks_ > callbacks_per_minute_max;
}

/// So that the doctor knows: nothing is finished under another name.
awaitable<void> Console::tell_of_stray(http::Request request) const {
    const auto scheme = external_url_.substr(0, external_url_.find("://"));
    auto told = finish({}, fmt::format("{}://{}{}?{}", scheme, request.host, callback_path, query_of(request)));
    co_await std::move(told);
}

/// Whoever comes back need not be logged in: the sign-in itself knows who may finish it.
awaitable<http::Response> Console::callback(http::Request request) {
    const auto browser = name_of("browser", cookies_.value(request, browser_cookie));
    auto finished = finish(browser, fmt::format("{}{}?{}", external_url_, callback_path, query_of(request)));
    const auto reply = co_await std::move(finished);
    if (reply.status == 0) co_return troubled(reply);
    Page page;
    if (reply.status != 200) {
        page.status = reply.status == 422 ? 400 : static_cast<int>(reply.status);
        page.content = content_of({.headline = "This is not how a sign-in comes back.",
                                   .text = text_at(reply.body, "detail"),
                                   .remedy = "Begin again, in the console or with rohrpost authorize."});
    } else {
        const auto state = text_at(reply.body, "state");
        const auto credential = text_at(reply.body, "credential");
        page.status = status_of(state);
        count_sign_in(state);
        Notice notice{.headline = text_at(reply.body, "headline"), .remedy = text_at(reply.body, "remedy")};
        if (state == "stored") notice.text = "You can close this window. Mail is fetched from now on.";
        if (!credential.empty()) {
            notice.back = credential_path(credential);
            notice.back_words = "Back to " + credential;
        }
        page.content = content_of(notice);
    }
    page.title = "Sign-in";
    page.without_origin = true;
    co_return shown(page);
}

awaitable<http::Response> Console::open_page(http::Request request) {
    if (request.path == "/login") {
        if (reads(request)) {
            const auto next = request.query.find("next");
            co_return login_page(request, next == request.query.end() ? "" : next->second, 200, std::string());
        }
        co_return request.method == "POST" ? log_in(request) : wrong_method("GET or POST");
    }
    const auto session = sessions_.find(cookies_.value(request, session_cookie), uses_.api.generation());
    if (!session) {
        const auto next = path_after_login(request.target);
        co_return redirect_to(reads(request) && next != "/" ? "/login?next=" + next : "/login");
    }
    auto page = co_await logged_in(std::move(request), *session);
    co_return page;
}

awaitable<http::Response> Console::logged_in(http::Request request, Session session) {
    const bool posted = request.method == "POST";
    if (!posted && !reads(request)) co_return wrong_method("GET or POST");
    if (posted) {
        auto no = foreign(request, form_of(request), session.csrf);
        if (no) co_return std::move(*no);
    }
    std::vector<std::string> path;
    for (const auto segment : text::split(std::string_view(request.path).substr(1), '/')) path.emplace_back(segment);
    const auto is = [&](std::size_t size, std::string_view area, std::string_view last = {}) {
        return path.size() == size && path[0] == area && (size < 3 || path[2] == last);
    };
    if (request.path == "/logout" && posted) co_return log_out(request);
    if (request.path == "/" && !posted) {
        auto page = co_await home(std::move(request), std::move(session));
        co_return page;
    }
    if (is(2, "credentials") && !posted) {
        auto page = co_await credential(path[1], std::move(session), std::string());
        co_return page;
    }
    if (is(3, "credentials", "sign-in") && posted) {
        auto page = co_await begin_sign_in(std::move(request), path[1], std::move(session));
        co_return page;
    }
    if (is(2, "sign-ins") && !posted) {
        auto page = co_await sign_in(path[1], std::move(session));
        co_return page;
    }
    if (is(3, "sign-ins", "address")) {
        auto page = co_await address(std::move(request), path[1], std::move(session));
        co_return page;
    }
    co_return no_such_page(session.csrf);
}

/// Browsers say where a form comes from: in Sec-Fetch-Site, or at least in Origin.
bool Console::from_our_pages(const http::Request& request) const {
    const auto site = request.header("Sec-Fetch-Site");
    const auto origin = request.header("Origin");
    if (site && *site != "same-origin") return false;
    if (origin && !text::same(*origin, external_url_)) return false;
    return site || origin;
}

std::optional<http::Response> Console::foreign(const http::Request& request, const Form& form,
                                               const std::string& csrf) const {
    if (!from_our_pages(request)) {
        return shown(Notice{.status = 403,
                            .headline = "This form does not come from a page of this console. Nothing was done.",
                            .remedy = "Open the console under its external URL and try again there.",
                            .back = "/",
                            .back_words = "Credentials"});
    }
    if (csrf.empty() || !(Secret(field(form, "csrf")) == Secret(csrf))) {
        return shown(Notice{.status = 403,
                            .headline = "This form is out of date, or of another log-in. Nothing was done.",
                            .remedy = "Load the page again and try once more.",
                            .back = "/",
                            .back_words = "Credentials"});
    }
    return std::nullopt;
}

http::Response Console::login_page(const http::Request& request, std::string next, int status, std::string wrong) {
    std::string cookie = cookies_.value(request, login_cookie);
    if (cookie.size() != 43) cookie = sessions_.fresh();
    LoginForm form{.csrf = name_of("login", cookie), .next = path_after_login(next), .wrong = std::move(wrong)};
    auto response = shown(Page{.status = status, .title = "Log in", .content = login_content(form)});
    response.headers.push_back(cookies_.set(login_cookie, cookie, SameSite::strict, login_form_lives));
    return response;
}

http::Response Console::log_in(const http::Request& request) {
    const auto form = form_of(request);
    const auto next = field(form, "next");
    if (auto no = foreign(request, form, name_of("login", cookies_.value(request, login_cookie))))
        return std::move(*no);
    const auto peer = peer_of(request);
    if (const auto wait = uses_.attempts.must_wait(peer)) {
        auto response = login_page(
            request, next, 429,
            fmt::format("Too many wrong tokens were entered. Wait {} seconds and try again.", wait->count()));
        response.headers.emplace_back("Retry-After", fmt::format("{}", wait->count()));
        return response;
    }
    const Secret token{std::string(text::trimmed(field(form, "token")))};
    if (!uses_.api.admits(token.reveal())) {
        uses_.attempts.failed(peer);
        return login_page(request, next, 403, "That is not the API token.");
    }
    uses_.attempts.succeeded(peer);
    ++numbers_.log_ins;
    sessions_.end(cookies_.value(request, session_cookie));
    auto response = redirect_to(path_after_login(next));
    response.headers.push_back(
        cookies_.set(session_cookie, sessions_.begin(uses_.api.generation()), SameSite::strict, Sessions::age_max));
    response.headers.push_back(cookies_.set(login_cookie, "", SameSite::strict, std::chrono::seconds(0)));
    return response;
}

http::Response Console::log_out(const http::Request& request) {
    sessions_.end(cookies_.value(request, session_cookie));
    auto response = redirect_to("/login");
    response.headers.push_back(cookies_.set(session_cookie, "", SameSite::strict, std::chrono::seconds(0)));
    response.headers.push_back(cookies_.set(browser_cookie, "", SameSite::lax, std::chrono::seconds(0)));
    return response;
}

awaitable<http::Response> Console::home(http::Request request, Session session) {
    const auto after = request.query.find("after");
    const std::string from = after == request.query.end() ? std::string() : after->second;
    auto list = get("/v1/credentials?limit=100&after=" + http::encoded(from));
    const auto credentials = co_await std::move(list);
    if (credentials.status == 0) co_return troubled(credentials, session.csrf);
    if (credentials.status != 200) co_return refused(credentials, session.csrf);
    auto helpless = get("/v1/mailboxes?state=needs%20help&limit=50");
    const auto mailboxes = co_await std::move(helpless);
    if (mailboxes.status == 0) co_return troubled(mailboxes, session.csrf);
    if (mailboxes.status != 200) co_return refused(mailboxes, session.csrf);
    Page page{.title = "Credentials", .content = home_content(credentials.body, mailboxes.body), .csrf = session.csrf};
    co_return shown(page);
}

awaitable<http::Response> Console::credential(std::string id, Session session, std::string why_refused) {
    auto asked = get("/v1" + credential_path(id));
    const auto reply = co_await std::move(asked);
    if (reply.status == 0) co_return troubled(reply, session.csrf);
    if (reply.status != 200) co_return refused(reply, session.csrf);
    CredentialPage content{.credential = reply.body,
                           .external_url = external_url_,
                           .csrf = session.csrf,
                           .refused = std::move(why_refused)};
    Page page{.status = content.refused.empty() ? 200 : 409,
              .title = id,
              .content = credential_content(content),
              .csrf = session.csrf};
    co_return shown(page);
}

awaitable<http::Response> Console::begin_sign_in(http::Request request, std::string id, Session session) {
    const bool device = field(form_of(request), "by") == "device";
    const std::string by = device ? "by=device" : "by=browser&browser=" + name_of("browser", session.browser);
    auto begun = uses_.api.call("POST", fmt::format("/v1{}/authorize?{}", credential_path(id), by), std::string());
    const auto reply = co_await std::move(begun);
    if (reply.status == 0) co_return troubled(reply, session.csrf);
    if (reply.status != 201) {
        auto again = credential(std::move(id), std::move(session), text_at(reply.body, "detail"));
        auto page = co_await std::move(again);
        co_return page;
    }
    auto response = redirect_to(sign_in_path(text_at(reply.body, "sign_in")));
    // Set anew with each sign-in: it must last as long.
    if (!device) {
        response.headers.push_back(cookies_.set(browser_cookie, session.browser, SameSite::lax, sign_in_lives));
    }
    co_return response;
}

awaitable<http::Response> Console::sign_in(std::string id, Session session) {
    auto asked = get("/v1" + sign_in_path(id));
    const auto reply = co_await std::move(asked);
    if (reply.status == 0) co_return troubled(reply, session.csrf);
    if (reply.status != 200) co_return refused(reply, session.csrf);
    Page page{.title = "Sign-in", .content = sign_in_content(id, reply.body), .csrf = session.csrf};
    if (text_at(reply.body, "state") == "pending") page.refresh_seconds = refresh_seconds;
    co_return shown(page);
}

awaitable<http::Response> Console::address(http::Request request, std::string id, Session session) {
    AddressForm form{
        .sign_in = id, .redirect_uri = fmt::format("{}{}", external_url_, callback_path), .csrf = session.csrf};
    Page page{.title = "Paste the address", .csrf = session.csrf};
    if (request.method == "POST") {
        auto finished = finish(name_of("browser", session.browser), field(form_of(request), "address"));
        const auto reply = co_await std::move(finished);
        if (reply.status == 0) co_return troubled(reply, session.csrf);
        if (reply.status == 200) {
            page.status = status_of(text_at(reply.body, "state"));
            count_sign_in(text_at(reply.body, "state"));
            page.title = "Sign-in";
            page.content = sign_in_content(id, reply.body);
            co_return shown(page);
        }
        page.status = static_cast<int>(reply.status);
        form.wrong = text_at(reply.body, "detail");
    }
    page.content = address_content(form);
    co_return shown(page);
}

}  // namespace console

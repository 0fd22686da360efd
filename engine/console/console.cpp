#include "engine/console/console.hpp"

#include <fmt/format.h>

#include "engine/console/page.hpp"
#include "protocols/base/text.hpp"

namespace console {

namespace {

constexpr std::string_view callback_path = "/oauth/callback";
constexpr std::string_view style_path = "/style.css";
constexpr std::size_t callbacks_per_minute_max = 120;

using Is = tokens::SignInResult::Is;

int status_of(Is is) {
    switch (is) {
        case Is::stored:
            return 200;
        case Is::no_answer:
            return 502;
        case Is::not_stored:
            return 500;
        case Is::pending:
        case Is::refused:
        case Is::wrong_person:
        case Is::unproven:
        case Is::no_refresh:
        case Is::unknown:
            break;
    }
    return 403;
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

Console::Console(tokens::SignIns& sign_ins, const Clock& clock) : sign_ins_(sign_ins), clock_(clock) {}

void Console::reached_by(std::string external_url) {
    sign_ins_.redirect_to(external_url + std::string(callback_path));
    external_url_ = std::move(external_url);
}

bool Console::has(std::string_view path) noexcept { return path == callback_path || path == style_path; }

awaitable<http::Response> Console::answer(http::Request request) {
    if (request.method != "GET") co_return shown({.status = 405, .headline = "Only GET is taken here."});
    if (request.path == style_path) co_return style_sheet();
    const auto expected = host_in(external_url_);
    if (!expected || !text::same(request.host, *expected)) {
        co_return shown({.status = 421,
                         .headline = "This page was opened under another name than it is known by.",
                         .text = fmt::format("It was opened as {}; the external URL is {}.",
                                             text::printable(request.host, 200), external_url_),
                         .remedy = "Begin again under the external URL, or put --external-url right: the redirect URL "
                                   "that is registered at the provider has to be the same, byte for byte."});
    }
    if (too_often()) {
        co_return shown({.status = 429, .headline = "Too many sign-ins come back at once: try again in a minute."});
    }
    auto response = co_await callback(std::move(request));
    co_return response;
}

bool Console::too_often() {
    const auto now = clock_.now();
    if (now - minute_ >= std::chrono::minutes(1)) {
        minute_ = now;
        calls_ = 0;
    }
    return ++calls_ > callbacks_per_minute_max;
}

awaitable<http::Response> Console::callback(http::Request request) {
    const auto question = request.target.find('?');
    const auto query = question == std::string::npos ? std::string() : request.target.substr(question + 1);
    auto callback = oauth2::read_callback(query);
    if (!callback) {
        co_return shown({.status = 400,
                         .headline = "This is not how a sign-in comes back.",
                         .text = callback.error().message(),
                         .remedy = "Begin again with rohrpost authorize."});
    }
    auto end = co_await sign_ins_.finish(std::move(*callback));
    const auto words = tokens::words_of(end);
    const bool stored = end.result.is == Is::stored;
    co_return shown({.status = status_of(end.result.is),
                     .headline = words.headline,
                     .text = stored ? "You can close this window. Mail is fetched from now on." : "",
                     .remedy = words.remedy});
}

}  // namespace console

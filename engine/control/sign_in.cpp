#include "engine/control/sign_in.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "engine/control/json.hpp"
#include "engine/tokens/sign_ins.hpp"
#include "protocols/base/text.hpp"
#include "protocols/oauth2/errc.hpp"

namespace control {
namespace {

std::string_view word_of(tokens::SignInResult::Is is) {
    using enum tokens::SignInResult::Is;
    switch (is) {
        case stored:
            return "stored";
        case pending:
            return "pending";
        case refused:
            return "refused";
        case no_answer:
            return "no answer";
        case wrong_person:
            return "wrong person";
        case unproven:
            return "unproven";
        case no_refresh:
            return "no refresh token";
        case not_stored:
            return "not stored";
        case other_browser:
            return "other browser";
        case unknown:
            break;
    }
    return "unknown";
}

boost::json::object to_json(const tokens::SignIns::Way& way, const std::string& redirect_uri) {
    boost::json::object object{{"user", way.user}, {"until", time_text(way.until)}};
    if (!way.url.empty()) {
        object["url"] = way.url;
        object["redirect_uri"] = redirect_uri;
    } else {
        object["verification_uri"] = way.verification_uri;
        object["user_code"] = way.user_code;
        object["message"] = way.message;
    }
    return object;
}

Response told(const tokens::SignIns::End& end, const std::string& redirect_uri) {
    const auto words = tokens::words_of(end);
    boost::json::object object;
    if (end.way) object = to_json(*end.way, redirect_uri);
    object["credential"] = end.credential;
    object["state"] = word_of(end.result.is);
    object["headline"] = words.headline;
    object["remedy"] = words.remedy;
    return answer(object);
}

/// Where a callback came to that is none of ours; empty: it is no callback.
std::string place_of(std::string_view pasted) {
    const auto question = pasted.find('?');
    if (question == std::string_view::npos || !oauth2::read_callback(pasted.substr(question + 1))) return {};
    return text::printable(pasted.substr(0, question));
}

Response no_daemon() {
    return refusal(503, "no daemon runs: it alone asks for tokens; start rohrpost run on the services server");
}

}  // namespace

awaitable<Response> begin_sign_in(Surroundings& here, std::string credential, SignInBy by, std::string browser) {
    if (here.sign_ins == nullptr) co_return no_daemon();
    using tokens::SignIns;
    if (by == SignInBy::browser) {
        auto begun = here.sign_ins->begin(credential, browser);
        if (const auto* why = std::get_if<SignIns::Refused>(&begun)) co_return refusal(409, *why);
        const auto& way = std::get<SignIns::Begun>(begun);
        co_return answer(boost::json::object{{"sign_in", way.id},
                                             {"user", way.user},
                                             {"until", time_text(way.until)},
                                             {"url", way.url},
                                             {"redirect_uri", here.sign_ins->redirect_uri()}},
                         201);
    }
    auto begun = co_await here.sign_ins->begin_device(std::move(credential));
    if (const auto* why = std::get_if<SignIns::Refused>(&begun)) co_return refusal(409, *why);
    const auto& way = std::get<SignIns::BegunDevice>(begun);
    co_return answer(boost::json::object{{"sign_in", way.id},
                                         {"user", way.user},
                                         {"until", time_text(way.until)},
                                         {"verification_uri", way.code.verification_uri},
                                         {"user_code", way.code.user_code},
                                         {"message", way.code.message}},
                     201);
}

awaitable<Response> show_sign_in(Surroundings& here, std::string id) {
    if (here.sign_ins == nullptr) co_return no_daemon();
    const auto end = here.sign_ins->end_of(id);
    if (!end) co_return refusal(404, "there is no such sign-in, or it ended more than an hour ago");
    co_return told(*end, here.sign_ins->redirect_uri());
}

awaitable<Response> finish_sign_in(Surroundings& here, std::string pasted, std::string browser) {
    if (here.sign_ins == nullptr) co_return no_daemon();
    auto callback = oauth2::read_pasted(pasted, here.sign_ins->redirect_uri());
    if (!callback) {
        if (auto place = place_of(pasted); callback.error() == oauth2::errc::other_redirect && !place.empty()) {
            here.sign_ins->came_astray(std::move(place));
        }
        co_return refusal(422, fmt::format("this is not the address of a finished sign-in ({}): copy all of what the "
                                           "browser's address line shows, from {} on",
                                           callback.error().message(), here.sign_ins->redirect_uri()));
    }
    auto end = co_await here.sign_ins->finish(std::move(*callback), std::move(browser));
    co_return told(end, here.sign_ins->redirect_uri());
}

}  // namespace control

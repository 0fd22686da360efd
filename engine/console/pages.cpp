#include "engine/console/pages.hpp"

#include <boost/json/array.hpp>

#include "engine/console/api.hpp"
#include "protocols/http/url.hpp"

namespace console {

namespace {

using http::encoded;

const boost::json::array& list_at(const boost::json::object& object, std::string_view key) {
    static const boost::json::array none;
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_array() ? value->get_array() : none;
}

const boost::json::object& object_at(const boost::json::object& object, std::string_view key) {
    static const boost::json::object none;
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_object() ? value->get_object() : none;
}

std::int64_t number_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_number() ? value->to_number<std::int64_t>() : 0;
}

std::string_view kind_of(std::string_view state) {
    if (state == "current") return "good";
    if (state == "waiting" || state == "not asked yet") return "wait";
    return "bad";
}

Html badge(std::string_view state) { return html("<span class=\"state {}\">{}</span>", kind_of(state), state); }

Html line(std::string_view pattern, const std::string& text) { return text.empty() ? Html() : html(pattern, text); }

Html fact(std::string_view name, const Html& value) { return html("<dt>{}</dt><dd>{}</dd>\n", name, value); }
Html fact(std::string_view name, const std::string& value) {
    return value.empty() ? Html() : fact(name, html("{}", value));
}

std::string boxes(std::int64_t count) { return count == 1 ? "1 mailbox" : fmt::format("{} mailboxes", count); }

Html credential_row(const boost::json::object& credential) {
    const auto id = text_at(credential, "id");
    Html row =
        html("<div class=\"top\"><a href=\"{}\">{}</a><span>{}</span><span class=\"soft\">{} · {}</span>{}</div>\n",
             credential_path(id), id, text_at(credential, "user"), text_at(credential, "provider"),
             boxes(number_at(credential, "mailboxes")), badge(text_at(credential, "state")));
    row += line("<p>{}</p>\n", text_at(credential, "reason"));
    row += line("<p class=\"soft\">{}</p>\n", text_at(credential, "advice"));
    return html("<li>{}</li>\n", row);
}

Html mailbox_row(const boost::json::object& mailbox) {
    const auto credential = text_at(mailbox, "credential");
    return html(
        "<li><div class=\"top\"><span>{}</span><span>{}</span><span class=\"soft\">credential "
        "<a href=\"{}\">{}</a></span>{}</div>\n<p>{}</p></li>\n",
        text_at(mailbox, "id"), text_at(mailbox, "address"), credential_path(credential), credential,
        html("<span class=\"state bad\">{}</span>", text_at(mailbox, "state")), text_at(mailbox, "reason"));
}

bool by_people(std::string_view flow) {
    return flow == "authorization_code" || flow == "device_code" || flow == "refresh_token";
}

/// Who has signed in and when.
std::string signed_in(const boost::json::object& credential) {
    const auto& who = object_at(credential, "signed_in");
    if (who.empty()) return {};
    const auto user = text_at(who, "user");
    return fmt::format("{}, {}", user.empty() ? "somebody whom the provider does not name" : user,
                       short_time(text_at(who, "at")));
}

Html ends_of(const boost::json::object& credential) {
    Html ends;
    for (const auto& value : list_at(credential, "expiring")) {
        if (!value.is_object()) continue;
        const auto& one = value.get_object();
        ends += fact(fmt::format("The {} ends", text_at(one, "what")),
                     html("{}, in {} days<br>{}", text_at(one, "ends_at").substr(0, 10), number_at(one, "days_left"),
                          text_at(one, "remedy")));
    }
    return ends;
}

Html facts_of(const boost::json::object& credential) {
    Html facts = fact("Account", text_at(credential, "user"));
    facts += fact("Provider", text_at(credential, "provider"));
    facts += fact("Flow", text_at(credential, "flow"));
    facts += fact("Used by", boxes(number_at(credential, "mailboxes")));
    facts += fact("Signed in", signed_in(credential));
    facts += fact("Access token ends", short_time(text_at(credential, "access_token_ends")));
    facts += fact("Next attempt", short_time(text_at(credential, "next_attempt")));
    facts += ends_of(credential);
    return html("<dl>\n{}</dl>\n", facts);
}

Html start_forms(const std::string& id, const std::string& csrf) {
    return html(
        "<form method=\"post\" action=\"{}/sign-in\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\n"
        "<button id=\"sign-in-browser\" name=\"by\" value=\"browser\">Sign in with this browser</button>\n"
        "<button id=\"sign-in-device\" class=\"second\" name=\"by\" value=\"device\">Sign in with a code on another "
        "device</button></form>\n",
        credential_path(id), csrf);
}

Html how_to_sign_in(const CredentialPage& page, const std::string& id, const std::string& redirect_uri) {
    const std::string user = text_at(page.credential, "user");
    Html content = html(
        "<h2>Sign in</h2>\n<p>The account that must sign in is <strong id=\"account\">{}</strong>, "
        "and no other.</p>\n",
        user);
    content += html(
        "<p class=\"remedy\">Do it in a private window. Otherwise the browser signs in whoever is signed in at this "
        "workstation (single sign-on), and that is not {}. Open <code>{}{}</code> in a private window, log in there, "
        "and go on from there: the sign-in must come back to the window that it was begun in.</p>\n",
        user, page.external_url, credential_path(id));
    content += html(
        "<p>At the provider, this redirect URL must be registered for the application, byte for byte:<br>"
        "<code id=\"redirect-url\">{}</code></p>\n",
        redirect_uri);
    content += start_forms(id, page.csrf);
    content += html(
        "<p class=\"soft\">The code works without a redirect URL, on any device; the provider must allow it.</p>\n");
    return content;
}

/// Which host a person is sent to.
std::string host_of(const std::string& url) {
    const auto scheme = url.find("://");
    if (scheme == std::string::npos) return url;
    const auto begin = scheme + 3;
    return url.substr(begin, url.find_first_of("/?#", begin) - begin);
}

/// Providers name their pages themselves: what is no https address is no link.
Html link_to(const std::string& url) {
    if (!url.starts_with("https://")) return html("<code>{}</code>", url);
    return html("<a id=\"provider\" rel=\"noreferrer\" href=\"{}\">{}</a>", url, url);
}

Html by_redirect(const std::string& id, const boost::json::object& sign_in) {
    const auto url = text_at(sign_in, "url");
    Html content = html(
        "<p>At {} choose <strong id=\"account\">{}</strong>; if somebody else is shown there, choose “Use another "
        "account”.</p>\n",
        host_of(url), text_at(sign_in, "user"));
    content += html("<p><a class=\"button\" id=\"provider\" rel=\"noreferrer\" href=\"{}\">Continue to {}</a></p>\n",
                    url, host_of(url));
    content += html(
        "<p>The browser then comes back to <code>{}</code>. If that page cannot be reached, or says that the sign-in "
        "was begun elsewhere, <a id=\"paste\" href=\"{}/address\">paste the address that it shows</a>.</p>\n",
        text_at(sign_in, "redirect_uri"), sign_in_path(id));
    return content;
}

Html by_code(const boost::json::object& sign_in) {
    Html content =
        html("<p>On any device, open {} and enter this code:</p>\n<p class=\"code\" id=\"user-code\">{}</p>\n",
             link_to(text_at(sign_in, "verification_uri")), text_at(sign_in, "user_code"));
    content += html(
        "<p>Then sign in as <strong id=\"account\">{}</strong>, in a private window, so that the browser does not sign "
        "in somebody else.</p>\n",
        text_at(sign_in, "user"));
    return content;
}

}  // namespace

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string short_time(std::string_view time) {
    const bool known = time.size() == 24 && time[10] == 'T' && time.back() == 'Z';
    return known ? fmt::format("{} {} UTC", time.substr(0, 10), time.substr(11, 5)) : std::string(time);
}

std::string credential_path(std::string_view id) { return "/credentials/" + encoded(id); }
std::string sign_in_path(std::string_view id) { return "/sign-ins/" + encoded(id); }

Html login_content(const LoginForm& form) {
    return html(
        "<div class=\"card narrow\">\n<h1>Log in</h1>\n{}"
        "<form method=\"post\" action=\"/login\">\n<input type=\"hidden\" name=\"csrf\" value=\"{}\">"
        "<input type=\"hidden\" name=\"next\" value=\"{}\">\n"
        "<label for=\"token\">API token</label>\n"
        "<input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required autofocus>\n"
        "<button id=\"log-in\" name=\"log-in\" value=\"yes\">Log in</button>\n</form>\n"
        "<p class=\"soft\">It was shown when the services server started for the first time. "
        "<code>rohrpost api-token</code> makes a new one there; the old one ends with that.</p>\n</div>\n",
        line("<p class=\"wrong\" role=\"alert\">{}</p>\n", form.wrong), form.csrf, form.next);
}

Html home_content(const boost::json::object& credentials, const boost::json::object& mailboxes) {
    Html rows;
    for (const auto& value : list_at(credentials, "credentials"))
        if (value.is_object()) rows += credential_row(value.get_object());
    Html content = html("<h1>Credentials</h1>\n");
    content += rows.markup.empty()
                   ? html("<p class=\"soft\">There are none. <code>rohrpost import</code> brings them.</p>\n")
                   : html("<ul class=\"rows\" id=\"credentials\">\n{}</ul>\n", rows);
    const auto next = text_at(credentials, "next");
    if (!next.empty())
        content += html("<p><a rel=\"next\" href=\"/?after={}\">More credentials</a></p>\n", encoded(next));

    Html waiting;
    for (const auto& value : list_at(mailboxes, "mailboxes"))
        if (value.is_object()) waiting += mailbox_row(value.get_object());
    content += html("<h2>Mailboxes that need help</h2>\n");
    content += waiting.markup.empty() ? html("<p class=\"soft\">None.</p>\n")
                                      : html("<ul class=\"rows\" id=\"mailboxes\">\n{}</ul>\n", waiting);
    if (!text_at(mailboxes, "next").empty()) {
        content += html("<p class=\"soft\">There are more: <code>rohrpost mailbox list</code> shows all.</p>\n");
    }
    return content;
}

Html credential_content(const CredentialPage& page) {
    const auto& credential = page.credential;
    const std::string id = text_at(credential, "id");
    const std::string state = text_at(credential, "state");
    Html content = html("<p class=\"crumb\"><a href=\"/\">Credentials</a></p>\n<h1>{} {}</h1>\n", id, badge(state));
    content += line("<p class=\"wrong\" role=\"alert\">{}</p>\n", page.refused);
    Html card = facts_of(credential);
    card += line("<p class=\"note\">{}</p>\n", text_at(credential, "reason"));
    // Who must sign in, and how, stands below.
    const bool sign_in_helps = state == "no grant yet" || state == "sign-in needed";
    if (!sign_in_helps) card += line("<p class=\"remedy\">{}</p>\n", text_at(credential, "advice"));
    content += html("<div class=\"card\">\n{}</div>\n", card);

    if (!by_people(text_at(credential, "flow"))) {
        return content +=
               html("<p class=\"soft\">Nobody signs in for this credential: its flow needs no person.</p>\n");
    }
    const std::string redirect_uri = text_at(credential, "redirect_uri");
    const std::string ours = page.external_url + "/oauth/callback";
    if (redirect_uri != ours) {
        return content += html(
                   "<div class=\"card\"><h2>Sign in</h2><p class=\"wrong\" role=\"alert\">The services server sends "
                   "browsers back to {}, this console is {}.</p>\n<p class=\"remedy\">Start both with the same "
                   "--external-url, the one that browsers reach this console by; {} is what has to be registered at "
                   "the provider then.</p></div>\n",
                   redirect_uri, page.external_url, ours);
    }
    return content += html("<div class=\"card\">\n{}</div>\n", how_to_sign_in(page, id, redirect_uri));
}

Html sign_in_content(const std::string& id, const boost::json::object& sign_in) {
    const auto credential = text_at(sign_in, "credential");
    Html content = html("<p class=\"crumb\"><a href=\"/\">Credentials</a> / <a href=\"{}\">{}</a></p>\n",
                        credential_path(credential), credential);
    if (text_at(sign_in, "state") != "pending") {
        content += html("<h1>{}</h1>\n", text_at(sign_in, "headline"));
        content += line("<p class=\"remedy\">{}</p>\n", text_at(sign_in, "remedy"));
        return content +=
               html("<p><a class=\"button\" href=\"{}\">Back to {}</a></p>\n", credential_path(credential), credential);
    }
    content += html("<h1>Sign in as {}</h1>\n", text_at(sign_in, "user"));
    Html card = text_at(sign_in, "url").empty() ? by_code(sign_in) : by_redirect(id, sign_in);
    content += html("<div class=\"card\">\n{}</div>\n", card);
    return content +=
           html("<p class=\"soft\" id=\"status\">Waiting: {}. This page looks again every few seconds, until {}.</p>\n",
                text_at(sign_in, "headline"), short_time(text_at(sign_in, "until")));
}

Html address_content(const AddressForm& form) {
    return html(
        "<p class=\"crumb\"><a href=\"{}\">Back to the sign-in</a></p>\n<h1>Paste the address</h1>\n"
        "<div class=\"card\">\n{}<form method=\"post\" action=\"{}/address\">\n"
        "<input type=\"hidden\" name=\"csrf\" value=\"{}\">\n"
        "<label for=\"address\">All of what the browser's address line shows at the end, from {} on</label>\n"
        "<textarea id=\"address\" name=\"address\" required autofocus spellcheck=\"false\"></textarea>\n"
        "<button id=\"finish\" name=\"finish\" value=\"yes\">Finish the sign-in</button>\n</form>\n</div>\n",
        sign_in_path(form.sign_in), line("<p class=\"wrong\" role=\"alert\">{}</p>\n", form.wrong),
        sign_in_path(form.sign_in), form.csrf, form.redirect_uri);
}

}  // namespace console

#include "tools/rohrpost-sim/pages.hpp"

#include <fmt/format.h>

#include "tools/rohrpost-sim/answers.hpp"

namespace sim {

namespace {

constexpr std::string_view entra_look =
    "body{font:15px 'Segoe UI',sans-serif;background:#f2f2f2;color:#1b1b1b;margin:0}"
    "main{background:#fff;width:352px;margin:12vh auto 0;padding:44px;box-shadow:0 2px 6px rgba(0,0,0,.2)}"
    "h1{font-size:24px;font-weight:600;margin:16px 0}.brand{color:#5e5e5e;font-weight:600}"
    "button.main{background:#0067b8;color:#fff}";
constexpr std::string_view google_look =
    "body{font:15px Roboto,sans-serif;background:#fff;color:#202124;margin:0}"
    "main{width:368px;margin:8vh auto 0;padding:40px;border:1px solid #dadce0;border-radius:8px}"
    "h1{font-size:24px;font-weight:400;margin:16px 0}.brand{color:#4285f4;font-weight:500}"
    "button.main{background:#1a73e8;color:#fff;border-radius:4px}";
constexpr std::string_view common_look =
    "button{font:inherit;border:0;padding:8px 20px;margin:6px 6px 0 0;cursor:pointer}"
    "button.row{display:block;width:100%;text-align:left;background:#fff;border-bottom:1px solid #ddd;padding:12px 4px}"
    "button.row:focus{background:#eaf3fb}small{display:block;color:#666}"
    "input[type=text],input[type=password]{font:inherit;width:100%;box-sizing:border-box;padding:6px;margin:6px 0;"
    "border:0;border-bottom:1px solid #666}"
    ".complaint{color:#c50f1f}li{margin:6px 0}.end{text-align:right;margin-top:20px}";

HttpReply page(Manner manner, std::string_view title, std::string_view body, unsigned status = 200) {
    const bool google = manner == Manner::google;
    return {.status = status,
            .type = "text/html; charset=utf-8",
            .body = fmt::format("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>"
                                "<style>{1}{2}</style></head>\n<body><main><div class=\"brand\">{3}</div>"
                                "<h1>{0}</h1>\n{4}</main></body></html>\n",
                                html_escaped(title), google ? google_look : entra_look, common_look,
                                google ? "Sim accounts" : "Sim Entra ID", body)};
}

/// A form of the flow around `fields`.
std::string form(const Frame& frame, std::string_view fields) {
    return fmt::format(
        "<form method=\"post\" action=\"/authorize\">"
        "<input type=\"hidden\" name=\"flow\" value=\"{}\">\n{}</form>\n",
        html_escaped(frame.flow), fields);
}

std::string complaint_of(std::string_view words) {
    if (words.empty()) return {};
    return fmt::format("<p class=\"complaint\" id=\"complaint\" role=\"alert\">{}</p>\n", html_escaped(words));
}

/// What a scope allows, in a person's words.
std::string_view meaning_of(std::string_view scope) {
    if (scope.ends_with("IMAP.AccessAsUser.All")) return "Read and write access to your mail via IMAP";
    if (scope.ends_with("POP.AccessAsUser.All")) return "Read and write access to your mail via POP";
    if (scope.ends_with("SMTP.Send")) return "Send mail as you using SMTP AUTH";
    if (scope == "https://mail.google.com/") return "Read, compose, send and permanently delete all your email";
    if (scope == "offline_access") return "Maintain access to data you have given it access to";
    if (scope == "openid") return "Sign you in";
    if (scope == "profile") return "View your basic profile";
    if (scope == "email") return "View your email address";
    return scope;
}

}  // namespace

HttpReply picker_page(const Frame& frame, const std::vector<Account>& accounts, std::string_view preselected) {
    std::string rows;
    for (const Account& account : accounts) {
        const std::string name = html_escaped(account.name);
        rows += fmt::format(
            "<button class=\"row\" name=\"account\" value=\"{0}\" id=\"account-{0}\"{1}>{2}"
            "<small>{0} &middot; Signed in</small></button>\n",
            name, account.name == preselected ? " autofocus" : "", html_escaped(account.display));
    }
    rows +=
        "<button class=\"row\" name=\"account\" value=\"\" id=\"another-account\">Use another account</button>\n"
        "<div class=\"end\"><button name=\"step\" value=\"cancel\" id=\"cancel\">Cancel</button></div>\n";
    const std::string to = fmt::format("<p>to continue to {}</p>\n", html_escaped(frame.application));
    return page(frame.manner, frame.manner == Manner::google ? "Choose an account" : "Pick an account",
                to + form(frame, rows));
}

HttpReply sign_in_page(const Frame& frame, std::string_view username, std::string_view complaint) {
    const std::string fields = fmt::format(
        "<input type=\"text\" name=\"username\" id=\"username\" placeholder=\"Email, phone, or Skype\" "
        "value=\"{}\"{}>\n"
        "<input type=\"password\" name=\"password\" id=\"password\" placeholder=\"Password\"{}>\n"
        "<div class=\"end\"><button class=\"main\" name=\"step\" value=\"sign_in\" id=\"sign-in\">Sign in</button>"
        "<button name=\"step\" value=\"cancel\" id=\"cancel\">Cancel</button></div>\n",
        html_escaped(username), username.empty() ? " autofocus" : "", username.empty() ? "" : " autofocus");
    const std::string to = fmt::format("<p>to continue to {}</p>\n", html_escaped(frame.application));
    return page(frame.manner, "Sign in", to + complaint_of(complaint) + form(frame, fields));
}

HttpReply consent_page(const Frame& frame, const Account& account, const std::vector<std::string>& scopes) {
    const bool google = frame.manner == Manner::google;
    std::string list;
    for (std::size_t at = 0; at < scopes.size(); ++at) {
        const std::string_view meaning = meaning_of(scopes[at]);
        const std::string box =
            google ? fmt::format("<input type=\"checkbox\" name=\"scope_{0}\" id=\"scope_{0}\" checked> ", at) : "";
        list += fmt::format("<li><label>{}{}<small>{}</small></label></li>\n", box, html_escaped(meaning),
                            html_escaped(scopes[at]));
    }
    const std::string fields = fmt::format(
        "<ul>\n{}</ul>\n<div class=\"end\"><button name=\"consent\" value=\"cancel\" id=\"cancel\">Cancel</button>"
        "<button class=\"main\" name=\"consent\" value=\"accept\" id=\"accept\">{}</button></div>\n",
        list, google ? "Continue" : "Accept");
    const std::string who = fmt::format("<p id=\"signed-in-as\">{}</p>\n<p><b>{}</b> would like to:</p>\n",
                                        html_escaped(account.name), html_escaped(frame.application));
    const std::string title = google ? fmt::format("{} wants access to your account", frame.application)
                                     : std::string("Permissions requested");
    return page(frame.manner, title, who + form(frame, fields));
}

HttpReply error_page(Manner manner, unsigned status, std::string_view title, std::string_view words) {
    return page(manner, title, fmt::format("<p id=\"error\">{}</p>\n", html_escaped(words)), status);
}

HttpReply form_post_page(std::string_view action, const std::vector<std::pair<std::string, std::string>>& fields) {
    std::string inputs;
    for (const auto& [name, value] : fields)
        inputs += fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", name, html_escaped(value));
    return {
        .type = "text/html; charset=utf-8",
        .body = fmt::format("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Working</title>"
                            "</head>\n<body onload=\"document.forms[0].submit()\"><form method=\"post\" "
                            "action=\"{}\">\n{}<button id=\"continue\">Continue</button></form></body></html>\n",
                            html_escaped(action), inputs)};
}

HttpReply user_code_page(Manner manner, std::string_view user_code, std::string_view complaint) {
    const std::string body = fmt::format(
        "{}<form method=\"post\" action=\"/device\"><p>Enter the code displayed on your app or device.</p>\n"
        "<input type=\"text\" name=\"user_code\" id=\"user_code\" placeholder=\"Code\" value=\"{}\" autofocus>\n"
        "<div class=\"end\"><button class=\"main\" id=\"next\">Next</button></div></form>\n",
        complaint_of(complaint), html_escaped(user_code));
    return page(manner, "Enter code", body);
}

HttpReply done_page(Manner manner, std::string_view words) {
    return page(manner, "You have finished", fmt::format("<p id=\"done\">{}</p>\n", html_escaped(words)));
}

}  // namespace sim

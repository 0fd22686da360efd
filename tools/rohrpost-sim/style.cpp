#include "tools/rohrpost-sim/style.hpp"

#include <array>

#include "protocols/base/text.hpp"

namespace sim {

namespace {

// Exchange 2025, Gmail 2025: texts as seen in public traces.
constexpr std::array<Style, 3> styles{{
    {.name = "exchange",
     .greeting = "The Microsoft Exchange IMAP4 service is ready. [UwBJAE0ALgBUAEUAUwBUAA==]",
     .before_login = "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE "
                     "LITERAL+",
     .after_login = "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CLIENTACCESSRULES "
                    "CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+",
     .login_refused = "AUTHENTICATE failed.",
     .challenge = "",
     .token_expired = "Session invalidated - AccessTokenExpired",
     .idle_accepted = "IDLE accepted, awaiting DONE command."},
    {.name = "gmail",
     .greeting = "Gimap ready for requests from 127.0.0.1 sim",
     .before_login = "IMAP4rev1 UNSELECT IDLE NAMESPACE ID CHILDREN X-GM-EXT-1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN "
                     "AUTH=OAUTHBEARER",
     .after_login = "IMAP4rev1 UNSELECT IDLE NAMESPACE ID CHILDREN X-GM-EXT-1 UIDPLUS MOVE LITERAL- "
                    "APPENDLIMIT=35651584",
     .login_refused = "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
     .challenge = R"({"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"})",
     .token_expired = "Session expired, please login again.",
     .idle_accepted = "idling"},
    {.name = "dovecot",
     .greeting = "[CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN AUTH=XOAUTH2 "
                 "AUTH=OAUTHBEARER] Dovecot ready.",
     .before_login = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN AUTH=XOAUTH2 "
                     "AUTH=OAUTHBEARER",
     .after_login = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE UNSELECT CHILDREN NAMESPACE UIDPLUS MOVE "
                    "LITERAL+",
     .login_refused = "[AUTHENTICATIONFAILED] Authentication failed.",
     .challenge = R"({"status":"invalid_token"})",
     .token_expired = "Session expired, please login again.",
     .idle_accepted = "idling"},
}};

}  // namespace

const Style* style_of(std::string_view name) {
    for (const Style& style : styles)
        if (style.name == name) return &style;
    return nullptr;
}

std::string without(std::string_view capabilities, std::string_view gone) {
    std::string kept;
    for (const std::string_view word : text::split(capabilities, ' ')) {
        if (word == gone) continue;
        if (!kept.empty()) kept += ' ';
        kept += word;
    }
    return kept;
}

}  // namespace sim

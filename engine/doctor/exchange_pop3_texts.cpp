/// What Exchange Online says over POP3, seen until 2026-11. It never gives a cause.

#include "engine/doctor/knowledge.hpp"

namespace doctor {
namespace {

constexpr std::string_view about = "Exchange Online, POP3";
using enum Severity;
using enum Owner;

constexpr Knowledge rows[] = {
    {"pop3-login-refused",
     about,
     fault,
     account,
     "any failure of the token: expired, for another resource or scope, no right to the mailbox, or POP is switched "
     "off",
     "Get-CASMailbox {user} | fl PopEnabled,ImapEnabled\n"
     "Set-CASMailbox {user} -PopEnabled $true\n"
     "POP3 gives no cause: check the same mailbox with \"protocol\": \"imap\", which says more",
     {"-ERR Authentication failure", "ERR Authentication failure: unknown user name or bad password"}},
    {"pop3-password-login",
     about,
     fault,
     configuration,
     "a log-in with a password, which Exchange Online has retired; also seen after about a thousand requests in a row, "
     "when it passes",
     "use OAuth for credential {credential}: rohrpost authorize {credential}; if it is OAuth, ask less often",
     {"-ERR Logon failure", "ERR Logon failure: unknown user name or bad password"}},
    {"pop3-line-too-long",
     about,
     fault,
     configuration,
     "the log-in was sent on one line, which is too long for the server",
     "the program must send AUTH XOAUTH2 first and the token on a line of its own; report it if this is Rohrpost",
     {"ERR Protocol error*Connection is closed"}},
    {"pop3-invalid-state",
     about,
     fault,
     configuration,
     "the command is not allowed at this point of the session",
     "report it, with the lines before it",
     {"ERR Command is not valid in this state"}},
};

}  // namespace

std::span<const Knowledge> exchange_pop3_texts() noexcept { return rows; }

}  // namespace doctor

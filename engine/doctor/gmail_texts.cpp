/// What Gmail says over IMAP and SMTP, seen until 2026-11.

#include "engine/doctor/knowledge.hpp"

namespace doctor {
namespace {

constexpr std::string_view imap = "Gmail, IMAP";
constexpr std::string_view smtp = "Gmail, SMTP";
using enum Severity;
using enum Owner;

constexpr Knowledge rows[] = {
    {"gmail-login-refused",
     imap,
     fault,
     account,
     "the token has expired or lacks the scope https://mail.google.com/, or {mailbox} is not who the token is for",
     "set login to {user}, or authorize again: rohrpost authorize {credential}\n"
     "on Google's consent page leave the box for Gmail ticked",
     {"Invalid credentials (Failure)", "Invalid credentials"}},
    {"gmail-web-login",
     imap,
     fault,
     account,
     "Google finds the sign-in suspicious and wants to see the user in a browser",
     "open the address in the text, signed in as {user}, and confirm that it was you",
     {"WEBALERT", "Web login required", "log in via your web browser"}},
    {"gmail-app-password",
     imap,
     fault,
     configuration,
     "a log-in with the account's password, although the account has 2-step verification",
     "use OAuth for credential {credential}: rohrpost authorize {credential}",
     {"Application-specific password required"}},
    {"gmail-imap-off",
     imap,
     fault,
     account,
     "IMAP is switched off for the domain or for the user",
     "Admin console, Apps, Google Workspace, Gmail, End User Access: enable POP and IMAP access",
     {"IMAP access is disabled"}},
    {"gmail-lookup-failed",
     imap,
     fault,
     account,
     "IMAP or Gmail is off for the domain, or a service account's token is not for a user of it",
     "Admin console, Apps, Google Workspace, Gmail, End User Access: enable POP and IMAP access\n"
     "of a service account: set the credential's user to the mailbox's owner",
     {"NO Lookup failed", "Lookup failed "}},
    {"gmail-too-many-connections",
     imap,
     fault,
     configuration,
     "more than 15 connections for this account, other programs included",
     "close other mail programs of {user}, or serve fewer mailboxes with this account",
     {"Too many simultaneous connections"}},
    {"gmail-over-quota",
     imap,
     fault,
     nobody,
     "the account has spent Gmail's budget of commands or bytes for the day",
     "wait, up to 24 hours; raise --poll-interval, and let no second program fetch the same mail",
     {"OVERQUOTA", "Account exceeded command or bandwidth limits"}},
    {"gmail-throttled",
     imap,
     warning,
     nobody,
     "Gmail slows this account down",
     "raise --poll-interval; let no second program fetch the same mail",
     {"[THROTTLED]"}},
    {"gmail-session-expired",
     imap,
     warning,
     nobody,
     "the session has ended with its token, or with a quota; the next one begins by itself",
     "",
     {"Session expired, please login again"}},
    {"gmail-folder-root",
     imap,
     fault,
     configuration,
     "[Gmail] is not a folder, only the place of folders; their names are in the user's language",
     "set folders of the mailbox to one of them, such as [Gmail]/All Mail",
     {"Unknown Mailbox: [Gmail]"}},
    {"gmail-smtp-refused",
     smtp,
     fault,
     account,
     "the token or the user name is not right",
     "set submit.login to {user}, or authorize again: rohrpost authorize {credential}",
     {"535-5.7.8", "535 5.7.8", "Username and Password not accepted"}},
    {"gmail-daily-limit",
     smtp,
     fault,
     account,
     "the account or the relay has sent as much as it may in 24 hours",
     "wait, up to 24 hours: mail is to be held, not returned",
     {"Daily user sending limit exceeded", "Daily SMTP relay limit exceeded", "Peak SMTP relay limit exceeded"}},
    {"gmail-passing",
     smtp,
     warning,
     nobody,
     "Gmail is in trouble for the moment, or is asked too often",
     "wait: it is tried again",
     {"4.3.0 Temporary System Problem"}},
};

}  // namespace

std::span<const Knowledge> gmail_texts() noexcept { return rows; }

}  // namespace doctor

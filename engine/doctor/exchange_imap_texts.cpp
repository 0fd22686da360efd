/// What Exchange Online says over IMAP, seen until 2026-11.

#include "engine/doctor/knowledge.hpp"

namespace doctor {
namespace {

constexpr std::string_view about = "Exchange Online, IMAP";
using enum Severity;
using enum Owner;

constexpr Knowledge rows[] = {
    {"imap-login-refused",
     about,
     fault,
     account,
     "Exchange does not say why. With a current token for the right resource: IMAP is switched off for {user}, or "
     "{mailbox} is no mailbox of this organisation, or the user has no licence with IMAP (F1 and F3 have none). "
     "Otherwise: the token has expired, or is for another resource or scope",
     "Get-CASMailbox {user} | fl ImapEnabled\n"
     "Set-CASMailbox {user} -ImapEnabled $true\n"
     "Get-Mailbox {mailbox} | fl PrimarySmtpAddress,UserPrincipalName\n"
     "compare login and user in the import document with these names; a switch takes up to an hour to work",
     {"AUTHENTICATE failed"}},
    {"imap-password-login",
     about,
     fault,
     configuration,
     "a log-in with a password (basic authentication), which Exchange Online has retired",
     "give credential {credential} the flow authorization_code, and run: rohrpost authorize {credential}",
     {"NO LOGIN failed."}},
    {"not-connected",
     about,
     fault,
     account,
     "{user} is who the token says, but may not open the mailbox {mailbox}: full access is missing, login names "
     "another mailbox than was meant, somebody else has signed in, there is no mailbox or licence, or IMAP is off",
     "Get-MailboxPermission {mailbox}\n"
     "Add-MailboxPermission -Identity {mailbox} -User {user} -AccessRights FullAccess -InheritanceType All\n"
     "Get-CASMailbox {user} | fl ImapEnabled\n"
     "if it worked before, nothing is to be changed: too many or too frequent connections, which passes",
     {"authenticated but not connected"}},
    {"session-token-expired",
     about,
     warning,
     nobody,
     "the session has outlived its access token: the normal end of a session, about once an hour",
     "",
     {"AccessTokenExpired"}},
    {"imap-throttled",
     about,
     fault,
     nobody,
     "the user has spent the budget that Exchange gives",
     "wait as long as it asks; fewer connections and folders for this mailbox, also in other programs that use it; "
     "Microsoft's support can lift the limit for a time",
     {"Request is throttled"}},
    {"server-unavailable",
     about,
     fault,
     nobody,
     "the back end is in trouble, a folder cannot be opened, or a quota is reached",
     "wait: it is tried again by itself. If it stays with one folder: look at that folder in Outlook (damaged or "
     "huge), then a support case",
     {"Server Unavailable"}},
    {"imap-argument-error",
     about,
     fault,
     account,
     "Exchange's catch-all: an argument it does not understand, a message over its size, a full mailbox, or a line "
     "that is too long",
     "see whether the mailbox {mailbox} is full or the message over its limit; report it when neither is the case",
     {"Command Argument Error"}},
    {"imap-message-set",
     about,
     warning,
     nobody,
     "a message was asked for that is not in the folder any more",
     "",
     {"specified message set is invalid"}},
    {"imap-invalid-state",
     about,
     warning,
     nobody,
     "the command is not allowed at this point of the session, mostly because its token has expired in between",
     "nothing at once: the session begins again; report it when it comes back each time",
     {"Command received in Invalid state"}},
    {"imap-message-too-large",
     about,
     fault,
     account,
     "a message is larger than the account that is logged in may receive",
     "Set-Mailbox {user} -MaxReceiveSize 150MB",
     {"Maximum size of appendable message"}},
    {"imap-closed-14",
     about,
     warning,
     nobody,
     "Exchange ends a session in which commands were refused again and again",
     "look for the refusal before it: that is the cause",
     {"Connection closed. 14"}},
    {"imap-closed-13",
     about,
     warning,
     nobody,
     "Exchange ends a session that was idle or old; the next one begins by itself",
     "",
     {"Connection is closed. 13"}},
    {"tls-too-old-client",
     about,
     fault,
     network,
     "TLS 1.0 or 1.1 arrived at the server; this program speaks TLS 1.2 and newer, so something between does not",
     "let the machine reach {host} directly, not through a proxy that makes its own TLS; do not use the legacy "
     "endpoints",
     {"TLS 1.0 and 1.1 are not supported", "aka.ms/popimap_tls"}},
    {"exchange-stand-in",
     about,
     warning,
     account,
     "Exchange cannot deliver a message, and gives a message of its own instead of it",
     "find the message in Outlook (subject and date are in the stand-in), move it to another folder and back; if "
     "that does not cure it, a support case",
     {"Retrieval using the IMAP4 protocol failed"}},
};

}  // namespace

std::span<const Knowledge> exchange_imap_texts() noexcept { return rows; }

}  // namespace doctor

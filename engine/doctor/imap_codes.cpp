/// Response codes of any IMAP server. RFC 5530, RFC 9051 §7.1.

#include "engine/doctor/knowledge.hpp"

namespace doctor {
namespace {

constexpr std::string_view about = "IMAP response code";
using enum Severity;
using enum Owner;

constexpr Knowledge rows[] = {
    {"imap-authentication-failed",
     about,
     fault,
     account,
     "the server does not accept the user name with this password or token",
     "with a password: import the right one for credential {credential}\n"
     "with OAuth: see that {mailbox} is who the token is for; rohrpost authorize {credential}",
     {"[AUTHENTICATIONFAILED", "Authentication failed", "Login failed"}},
    {"imap-authorization-failed",
     about,
     fault,
     account,
     "the log-in is good, but {user} may not use the mailbox {mailbox}",
     "give {user} the right to {mailbox}, or correct login",
     {"[AUTHORIZATIONFAILED"}},
    {"imap-expired",
     about,
     fault,
     account,
     "the password or the account has expired",
     "renew it, and import or authorize credential {credential} again",
     {"[EXPIRED"}},
    {"imap-privacy-required",
     about,
     fault,
     configuration,
     "the server wants TLS",
     "set tls of the host to implicit, with the port for it (993)",
     {"[PRIVACYREQUIRED"}},
    {"imap-contact-admin",
     about,
     fault,
     account,
     "the server says that its administrator must act",
     "ask the administrator of {host}; the text may say more",
     {"[CONTACTADMIN"}},
    {"imap-unavailable",
     about,
     fault,
     nobody,
     "a part of the server is not available for the moment",
     "wait: it is tried again by itself",
     {"[UNAVAILABLE"}},
    {"imap-in-use",
     about,
     fault,
     nobody,
     "another session has the mailbox for itself",
     "wait, or end the other session",
     {"[INUSE"}},
    {"imap-limit",
     about,
     fault,
     configuration,
     "a limit of the server, mostly of connections for one user or one address",
     "raise it (Dovecot: mail_max_userip_connections), or serve fewer mailboxes with this account",
     {"[LIMIT", "Maximum number of connections"}},
    {"imap-no-permission",
     about,
     fault,
     account,
     "{user} may not open this folder",
     "give {user} the right to read {folder} of {mailbox}",
     {"[NOPERM"}},
    {"folder-missing",
     about,
     fault,
     configuration,
     "there is no folder {folder} in the mailbox",
     "correct folders in the import document: names are those that the server shows, level by level, in the user's "
     "language",
     {"[NONEXISTENT", "Mailbox doesn't exist", "Unknown Mailbox", "doesn't exist"}},
};

}  // namespace

std::span<const Knowledge> imap_codes() noexcept { return rows; }

}  // namespace doctor

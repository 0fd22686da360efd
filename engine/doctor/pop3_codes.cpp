/// Response codes of any POP3 server. RFC 2449 §8.1, RFC 3206.

#include "engine/doctor/knowledge.hpp"

namespace doctor {
namespace {

constexpr std::string_view about = "POP3 response code";
using enum Severity;
using enum Owner;

constexpr Knowledge rows[] = {
    {"pop3-auth",
     about,
     fault,
     account,
     "the server does not accept the user name with this password or token",
     "with a password: import the right one for credential {credential}\n"
     "with OAuth: see that {mailbox} is who the token is for; rohrpost authorize {credential}",
     {"-ERR [AUTH]"}},
    {"pop3-in-use",
     about,
     warning,
     nobody,
     "another session has the mailbox: POP3 lets one in at a time",
     "let no second program fetch the same mail; the daemon tries again by itself",
     {"-ERR [IN-USE]"}},
    {"pop3-login-delay",
     about,
     warning,
     nobody,
     "the server wants more time between two log-ins",
     "wait: the daemon keeps the delay that the server announces; let no second program fetch the same mail",
     {"-ERR [LOGIN-DELAY]"}},
    {"pop3-passing",
     about,
     fault,
     nobody,
     "the server is in trouble for the moment",
     "wait: it is tried again by itself",
     {"-ERR [SYS/TEMP]"}},
    {"pop3-permanent",
     about,
     fault,
     account,
     "the server is in trouble that does not pass by itself",
     "ask the administrator of {host}; the text may say more",
     {"-ERR [SYS/PERM]"}},
};

}  // namespace

std::span<const Knowledge> pop3_codes() noexcept { return rows; }

}  // namespace doctor

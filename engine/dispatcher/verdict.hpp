#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/smtp/reply.hpp"

/// What replies mean and what comes next. Pure.
namespace dispatcher {

/// When a reply came.
enum class Step { greeting, log_in, sender, recipient, body };

/// What a reply says about. Only the last three are about the mail or one of its recipients; everything else is the
/// account's or the way's, and harms no mail.
enum class Cause {
    accepted,
    connection,  // this connection or server: another one may do
    throttled,   // too much, too fast: slower for a while
    exhausted,   // a quota of hours: a long pause
    account,     // log-in, licence, ban: a person has to act
    mailbox,     // the same of this mailbox alone (a right of the log-in on it, its full Sent Items): others may send
    crowded,     // too many recipients in one mail: the rest goes with the next
    deferred,    // not now
    refused,     // never
};

struct Judgement {
    Cause cause = Cause::accepted;
    std::chrono::milliseconds pause{0};  // that the server's words call for; 0: none said
    bool fewer_connections = false;
};

/// By the place, the code and the words of the reply. PROVIDERS: texts of Exchange Online and Gmail 2026-11.
Judgement judgement_of(Step step, const smtp::Reply& reply);

/// How long until the next attempt after `attempts` that failed: a minute, doubling to an hour, of which `fraction`
/// in [0, 1) decides a half.
std::chrono::milliseconds retry_after(std::uint32_t attempts, double fraction);

}  // namespace dispatcher

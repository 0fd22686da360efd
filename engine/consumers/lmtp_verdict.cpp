#include "engine/consumers/lmtp_verdict.hpp"

#include <fmt/format.h>

namespace consumers {
namespace {

using Fault = Delivered::Fault;

bool is(const smtp::Reply& reply, std::uint16_t subject, std::uint16_t detail) {
    return reply.enhanced && reply.enhanced->subject == subject && reply.enhanced->detail == detail;
}

/// The mail is longer than the server, or the mailbox, ever takes: 5.2.3, 5.3.4; RFC 1870 §6.1 knows 552 alone.
bool too_long(const smtp::Reply& reply) {
    if (reply.transient()) return false;
    return is(reply, 2, 3) || is(reply, 3, 4) || (reply.code == 552 && !reply.enhanced);
}

/// Dovecot 2.3: 451 4.2.0 for a mail that is longer than quota_max_mail_size, so x.2.0 says nothing of the mailbox.
bool about_mailbox(const smtp::Reply& reply) {
    if (!reply.enhanced) return false;
    const auto subject = reply.enhanced->subject, detail = reply.enhanced->detail;
    return subject == 1 || (subject == 2 && (detail == 1 || detail == 2 || detail == 4));
}

Fault fault_at_rcpt(const smtp::Reply& reply) {
    if (reply.says_goodbye()) return Fault::consumer;
    return too_long(reply) ? Fault::refused : Fault::mailbox;
}

Fault fault_after_data(const smtp::Reply& reply) {
    if (reply.says_goodbye()) return Fault::consumer;
    if (too_long(reply)) return Fault::refused;
    if (about_mailbox(reply)) return Fault::mailbox;
    if (!reply.transient()) return Fault::refused;
    const bool of_server = reply.enhanced && reply.enhanced->subject == 3;
    return of_server ? Fault::consumer : Fault::mail;
}

}  // namespace

LmtpVerdict verdict_of(const smtp::Submission& submission, const std::string& recipient) {
    LmtpVerdict verdict;
    if (submission.obstacle) {
        const bool large = *submission.obstacle == smtp::Obstacle::too_large;
        verdict.fault = large ? Fault::refused : Fault::mailbox;
        verdict.says = smtp::words_of(*submission.obstacle);
        return verdict;
    }
    if (submission.delivered_to(0)) {
        verdict.delivered = true;
        return verdict;
    }
    const auto& reply = submission.verdict_for(0);
    if (submission.sender.refused()) {
        verdict.says = fmt::format("MAIL was answered: {}", reply.text());
        verdict.sender_refused = !reply.transient();
        verdict.fault = too_long(reply) ? Fault::refused : Fault::consumer;
    } else if (submission.recipients.front().refused()) {
        verdict.says = fmt::format("RCPT TO:<{}> was answered: {}", recipient, reply.text());
        verdict.fault = fault_at_rcpt(reply);
    } else {
        verdict.says = fmt::format("the mail for <{}> was answered: {}", recipient, reply.text());
        verdict.fault = fault_after_data(reply);
    }
    return verdict;
}

}  // namespace consumers

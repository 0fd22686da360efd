#pragma once

#include <string>

#include "engine/consumers/consumer.hpp"
#include "protocols/smtp/client.hpp"

namespace consumers {

/// What an LMTP server's answers say about one mail with one recipient.
struct LmtpVerdict {
    bool delivered = false;
    Delivered::Fault fault = Delivered::Fault::consumer;  // when not
    std::string says{};                                   // the server's words, and to what
    bool sender_refused = false;                          // for good: the mail may go with the null sender
};

/// RFC 2033 §4.2, RFC 5321 §4.2, RFC 3463: a refusal of the recipient, or of his mailbox after the data (x.1.x, x.2.1,
/// x.2.2, x.2.4), concerns all of his mail; any other refusal for good after the data concerns the mail alone; 421 and
/// a lack of room or service (4.3.x) the server.
LmtpVerdict verdict_of(const smtp::Submission& submission, const std::string& recipient);

}  // namespace consumers

#pragma once

#include <optional>
#include <string_view>

#include "queue/store/records.hpp"

namespace retriever {

/// What tells a message without UID from others: from its head alone, so that a head and a whole message say the same.
struct MailHead {
    store::Digest fingerprint{};
    /// Message-ID or Received is in it: another message has another one. Without both, two messages can look alike,
    /// and equal fingerprints prove nothing.
    bool proves = false;
    std::optional<store::Millis> date;  // of the field Date, when it can be read
};

/// `front`: the beginning of a message; what lies behind its header section does not count. Pure.
MailHead read_mail_head(std::string_view front);

}  // namespace retriever

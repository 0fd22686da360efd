#pragma once

#include <cstdint>
#include <string_view>

#include "queue/store/records.hpp"

namespace retriever {

/// The stable id of a message: the idempotency key of consumers. The same (mailbox, folder, UIDVALIDITY, UID) always
/// gives the same id, on every node, without a counter. SHA-256, cut to 16 bytes.
store::Digest message_id_of(std::string_view mailbox_id, std::string_view folder, std::uint32_t uid_validity,
                            std::uint32_t uid);

/// Another one, always the same, where a UID has stood for another message before.
store::Digest next_message_id(const store::Digest& taken);

/// Recognises a message whose UID has changed: Message-ID, Date, From, Subject, oldest Received and INTERNALDATE.
/// Not its size and not its body: Exchange makes both anew. `head` is the beginning of the message (header section,
/// at most the first 64 KiB of it count), or those fields of it alone; where no such field is there at all, the head
/// itself is hashed. The same instant in another time zone is the same date.
store::Digest fingerprint_of(std::string_view head, std::string_view internal_date);

/// Message-ID or Received is in it: another message has another one. Without both, two messages can look alike, and
/// equal fingerprints prove nothing.
bool proves_identity(std::string_view head);

/// 32 hexadecimal digits.
std::string hex_of(const store::Digest& digest);

}  // namespace retriever

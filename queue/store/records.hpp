#pragma once
/// What the store keeps. Documents, sealed secrets and reasons are opaque to it.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace store {

using Millis = std::chrono::sys_time<std::chrono::milliseconds>;
using MailboxNumber = std::int64_t;  // given by the store once per mailbox id, never reused
using FolderNumber = std::int64_t;
using Seq = std::int64_t;  // of a message within its mailbox: 1, 2, … in the order of commits
using Digest = std::array<unsigned char, 16>;

/// Where the bytes of a message lie. Segment numbers are never reused, even when files are.
struct BodyPlace {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;  // of the first body byte
    std::uint64_t length = 0;
    std::uint32_t crc32c = 0;

    bool operator==(const BodyPlace&) const = default;
};

/// One ledger row: a message that is kept durably. Unique by (folder, uid_validity, uid).
struct Message {
    MailboxNumber mailbox = 0;
    Seq seq = 0;  // given by the store
    FolderNumber folder = 0;
    std::uint32_t uid_validity = 0;
    std::uint32_t uid = 0;
    Digest id{};           // stable message id: the idempotency key of consumers
    Digest fingerprint{};  // recognises the message when UIDVALIDITY changes
    Millis internal_date{};
    Millis received_at{};
    BodyPlace body;
};

/// A folder of a mailbox and how far it is accounted for.
struct Folder {
    FolderNumber number = 0;
    MailboxNumber mailbox = 0;
    std::string name;                // UTF-8
    std::uint32_t uid_validity = 0;  // 0: never selected
    std::uint32_t cursor = 0;        // every UID up to here is in the ledger, gone from the server, or pending
    std::string frozen;              // reason why nothing is fetched (UIDVALIDITY changed); empty: not frozen
};

/// A UID that the server announced and did not deliver. Looked for again until found or provably gone.
struct Pending {
    FolderNumber folder = 0;
    std::uint32_t uid_validity = 0;
    std::uint32_t uid = 0;
    std::uint32_t attempts = 0;  // to fetch it; 0: awaited, the server does not show it
    Millis first_seen{};
    std::string reason;
};

struct Mailbox {
    MailboxNumber number = 0;
    std::string id;
    std::string document;  // JSON of the import document, without secrets
    std::string paused;    // reason given by the operator; empty: not paused
    Seq last_seq = 0;
    bool removed = false;  // no longer served; its ledger stays
};

/// Provider, credential or consumer as imported.
struct Object {
    std::string kind;
    std::string id;
    std::string document;
};

/// A secret of a credential or consumer, as it lies in the store.
struct SealedSecret {
    std::string owner;
    std::string name;
    std::string sealed;
};

/// A credential's OAuth state. `sealed` holds the tokens.
struct Grant {
    std::string credential;
    std::uint64_t generation = 0;  // one higher with each write
    std::string sealed;
    Millis access_expires_at{};
    std::string state;  // "usable", "consent needed", …: words of engine/tokens
    std::string reason;
};

/// How far a consumer has acknowledged one mailbox.
struct HandOff {
    std::string consumer;
    MailboxNumber mailbox = 0;
    Seq acked = 0;
    Seq last_seq = 0;  // of the mailbox
};

/// A message that a consumer will not get, because its bytes are damaged. Its segment is kept, for whoever can mend it.
struct SetAside {
    std::string consumer;
    MailboxNumber mailbox = 0;
    Seq seq = 0;
    Millis at{};
    std::string reason;
};

struct Totals {
    std::uint64_t messages = 0;
    std::uint64_t body_bytes = 0;  // of messages not yet acknowledged by all
    std::uint64_t segments = 0;
    std::uint64_t segment_bytes = 0;  // on disk
    std::uint64_t pending = 0;
    std::uint64_t set_aside = 0;
    std::uint64_t mailboxes = 0;
};

}  // namespace store

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "queue/store/errc.hpp"
#include "queue/store/records.hpp"

namespace store {

/// How far a folder is observed whose mail another product takes.
struct ShadowFolder {
    FolderNumber folder = 0;
    MailboxNumber mailbox = 0;
    std::uint32_t uid_validity = 0;
    std::uint32_t floor = 0;    // what has a UID up to here is not observed
    std::uint32_t cursor = 0;   // what has a UID up to here was looked at
    std::uint32_t settled = 0;  // UIDs from here on may still come to stand for other mail; 0: none
    bool compares = false;      // UIDVALIDITY has changed: what is there is being recognised
    Millis since{};             // the first contact, or the day that was asked for
    Millis looked_at{};         // when it was asked last: nothing that is not taken was taken before
    std::uint64_t unseen = 0;   // UIDs that were given out, and gone when it was looked

    bool operator==(const ShadowFolder&) const = default;
};

/// Something that happened between two looks: not before `after`, and before `at`.
struct ShadowEvent {
    Millis after{};
    Millis at{};

    bool operator==(const ShadowEvent&) const = default;
};

/// A mail that was seen in such a folder: its head, and what became of it there.
struct ShadowMail {
    std::int64_t number = 0;  // given by the store
    MailboxNumber mailbox = 0;
    FolderNumber folder = 0;
    std::uint32_t uid_validity = 0;
    std::uint32_t uid = 0;
    Digest fingerprint{};    // of its head alone, wherever it lies
    std::string message_id;  // empty: it has none
    std::uint64_t bytes = 0;
    Millis internal_date{};
    Millis arrived_at{};  // in this folder: what the other product's time is counted from
    Millis first_seen{};
    bool again = false;  // the mailbox had it before, in another place
    std::optional<ShadowEvent> seen;
    std::optional<ShadowEvent> gone;

    bool operator==(const ShadowMail&) const = default;
};

/// A UID that is observed and, as far as is known, still there.
struct ShadowUid {
    std::int64_t number = 0;  // of the mail
    std::uint32_t uid = 0;
    bool seen = false;

    bool operator==(const ShadowUid&) const = default;
};

/// What is observed in mailboxes that another product serves. A part of the Store, in its transactions. Nothing here
/// costs more than the rows of one folder or one mailbox.
class Shadows {
public:
    virtual ~Shadows() = default;

    virtual Result<std::optional<ShadowFolder>> folder(FolderNumber folder) = 0;
    virtual Result<std::vector<ShadowFolder>> folders(MailboxNumber mailbox) = 0;
    virtual Result<void> put_folder(const ShadowFolder& folder) = 0;

    virtual Result<std::int64_t> add(const ShadowMail& mail) = 0;
    /// Of those with this UID the first one.
    virtual Result<std::optional<ShadowMail>> find(FolderNumber folder, std::uint32_t uid_validity,
                                                   std::uint32_t uid) = 0;
    /// Those of the mailbox with this fingerprint, in the order in which they were seen first.
    virtual Result<std::vector<ShadowMail>> alike(MailboxNumber mailbox, const Digest& fingerprint,
                                                  std::size_t limit) = 0;
    /// The mail lies under this UID from now on.
    virtual Result<void> renumber(std::int64_t number, std::uint32_t uid_validity, std::uint32_t uid) = 0;
    virtual Result<void> put_seen(std::int64_t number, const ShadowEvent& seen) = 0;
    /// nullopt: it is there, after all.
    virtual Result<void> put_gone(std::int64_t number, const std::optional<ShadowEvent>& gone) = 0;
    /// Those with another UIDVALIDITY that are not gone yet are gone; how many.
    virtual Result<std::uint64_t> lose_others(FolderNumber folder, std::uint32_t uid_validity,
                                              const ShadowEvent& gone) = 0;
    /// What is there, in rising order, beginning after `after`.
    virtual Result<std::vector<ShadowUid>> there(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t after,
                                                 std::size_t limit) = 0;
    /// The oldest INTERNALDATE of what is there, under whatever UIDVALIDITY.
    virtual Result<std::optional<Millis>> oldest_there(FolderNumber folder) = 0;
    /// Forgets those of the mailbox that arrived before then, at most so many, and has their folders observed above
    /// their UIDs alone. How many they were.
    virtual Result<std::uint64_t> forget(MailboxNumber mailbox, Millis before, std::size_t limit) = 0;

    /// In order of arrival and number, beginning after those two.
    struct Place {
        Millis arrived_at{};
        std::int64_t number = 0;
    };
    virtual Result<std::vector<ShadowMail>> mails(MailboxNumber mailbox, const Place& after, std::size_t limit) = 0;

    /// What counts as taken.
    enum class Taken { seen, removed };
    /// Of the folder: what arrived up to then and was not taken so far.
    virtual Result<std::uint64_t> not_taken(FolderNumber folder, Taken taken, Millis arrived_until) = 0;
    /// When the first one arrived that was not taken so far, and arrived after that.
    virtual Result<std::optional<Millis>> next_not_taken(FolderNumber folder, Taken taken, Millis arrived_after) = 0;
};

}  // namespace store

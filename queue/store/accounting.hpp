#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "queue/store/errc.hpp"
#include "queue/store/records.hpp"

namespace store {

/// UIDs side by side, inclusive.
struct UidSpan {
    std::uint32_t first = 0;
    std::uint32_t last = 0;

    bool operator==(const UidSpan&) const = default;
};

/// A UID that the ledger has, under one UIDVALIDITY, and the message it stands for.
struct KnownUid {
    std::uint32_t uid = 0;
    Seq seq = 0;

    bool operator==(const KnownUid&) const = default;
};

/// A folder whose UIDVALIDITY has changed, and how far it was compared with the ledger since. The last one of a folder
/// counts; those before it are history.
struct Renumbering {
    enum class Stage {
        gathering,  // what the ledger has of the folder becomes recognisable
        comparing,  // message by message, as far as the folder's cursor says
        compared,   // all was looked at; what shows up late can still be recognised
        over,       // nothing is recognised any more
    };
    FolderNumber folder = 0;
    Millis began{};
    std::uint32_t before = 0;  // UIDVALIDITY
    std::uint32_t now = 0;
    Stage stage = Stage::gathering;
    Seq gathered = 0;              // of the mailbox, up to here
    std::uint64_t recognised = 0;  // when it was compared, as are these
    std::uint64_t fresh = 0;
    std::uint64_t passed_over = 0;

    bool operator==(const Renumbering&) const = default;
};

/// Which mail of a folder is accounted for without a ledger row of its own: what was there before the first contact,
/// and what is recognised under another UIDVALIDITY or in another folder. A part of the Store, in its transactions.
class Accounting {
public:
    virtual ~Accounting() = default;

    /// Mail that is older is not wanted; nullopt: nobody noted it.
    virtual Result<std::optional<Millis>> wanted_from(FolderNumber folder) = 0;
    virtual Result<void> put_wanted_from(FolderNumber folder, Millis from) = 0;
    /// UIDs of mail that is not wanted.
    virtual Result<void> pass_over(FolderNumber folder, std::uint32_t uid_validity, UidSpan span) = 0;
    /// In rising order, and as few as possible.
    virtual Result<std::vector<UidSpan>> passed_over(FolderNumber folder, std::uint32_t uid_validity) = 0;

    virtual Result<std::optional<Renumbering>> renumbering(FolderNumber folder) = 0;
    /// How many began after `since`.
    virtual Result<std::uint64_t> renumberings(FolderNumber folder, Millis since) = 0;
    /// A new one (by folder and began), or the next stage of it. One that is over leaves nothing to recognise.
    virtual Result<void> put_renumbering(const Renumbering& renumbering) = 0;
    /// Makes some more of the folder's messages recognisable, `messages_max` of the mailbox looked at, and notes how
    /// far it came. The last step goes on to the stage `comparing`.
    virtual Result<void> gather(Renumbering& renumbering, MailboxNumber mailbox, std::size_t messages_max) = 0;
    /// All was looked at: counts what became of it, and goes on to the stage `compared`.
    virtual Result<void> conclude(Renumbering& renumbering) = 0;
    /// The messages of the ledger with this fingerprint.
    struct Matches {
        std::vector<Seq> open;    // not recognised yet, in rising order
        std::uint64_t taken = 0;  // recognised before
    };
    virtual Result<Matches> matches(FolderNumber folder, const Digest& fingerprint) = 0;
    /// The message has this UID from now on.
    virtual Result<void> recognise(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid, Seq seq) = 0;

    /// The message whose content the server calls so; 0: none, or it was set aside.
    virtual Result<Seq> seq_of_email_id(MailboxNumber mailbox, std::string_view id) = 0;
    /// The last one noted counts.
    virtual Result<void> note_email_id(MailboxNumber mailbox, std::string_view id, Seq seq) = 0;

    /// A message that may have been handed off before, as another one.
    virtual Result<void> mark_repeat(MailboxNumber mailbox, Seq seq) = 0;
    /// Marked ones between the two, inclusive.
    virtual Result<std::vector<Seq>> marked_repeats(MailboxNumber mailbox, Seq first, Seq last) = 0;
};

}  // namespace store

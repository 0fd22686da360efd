#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/result.hpp"
#include "queue/store/accounting.hpp"
#include "queue/store/errc.hpp"
#include "queue/store/listings.hpp"
#include "queue/store/outbox.hpp"
#include "queue/store/records.hpp"

namespace store {

class FolderNotes;
class Shadows;

/// Everything durable except bodies, behind one interface: no SQL outside. Used by the committer's thread only, inside
/// the group's transaction, which the committer begins and commits. An error of a method concerns that call alone and
/// has written nothing, except io_failed, disk_full and damaged, which end the whole group.
class Store {
public:
    virtual ~Store() = default;

    virtual Result<void> begin() = 0;
    virtual Result<void> commit() = 0;  // durable when it returns
    virtual void rollback() noexcept = 0;
    /// Nothing has been asked for a while: gives memory back that it only keeps for speed.
    virtual void rest() noexcept = 0;

    // Configuration. put_* insert or replace.
    virtual Result<void> put_object(const Object& object) = 0;
    virtual Result<void> remove_object(std::string_view kind, std::string_view id) = 0;
    virtual Result<std::vector<Object>> objects(std::string_view kind) = 0;
    virtual Result<void> put_secret(std::string_view owner, std::string_view name, std::string_view sealed) = 0;
    virtual Result<std::optional<std::string>> secret(std::string_view owner, std::string_view name) = 0;
    virtual Result<void> remove_secrets(std::string_view owner) = 0;
    virtual Result<std::vector<SealedSecret>> secrets() = 0;  // in order of owner and name
    virtual Result<void> put_meta(std::string_view name, std::string_view value) = 0;
    virtual Result<std::optional<std::string>> meta(std::string_view name) = 0;
    virtual Result<void> remove_meta(std::string_view name) = 0;

    // Mailboxes. A new id gets a number; a removed one that is put again gets its number back.
    virtual Result<MailboxNumber> put_mailbox(std::string_view id, std::string_view document) = 0;
    virtual Result<void> pause_mailbox(std::string_view id, std::string_view reason) = 0;  // empty reason: resume
    virtual Result<void> remove_mailbox(std::string_view id) = 0;
    virtual Result<Mailbox> mailbox(std::string_view id) = 0;  // unknown_id
    /// In order of id, without removed ones, beginning after `after`.
    virtual Result<std::vector<Mailbox>> mailboxes(std::string_view after, std::size_t limit) = 0;

    // Ledger.
    /// The folder's row, made when it is new.
    virtual Result<Folder> folder(MailboxNumber mailbox, std::string_view name) = 0;
    virtual Result<std::vector<Folder>> folders(MailboxNumber mailbox) = 0;
    /// Adopts the first UIDVALIDITY of a folder that has none, with the cursor to start from; out_of_order when it has.
    virtual Result<void> adopt_folder(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t cursor) = 0;
    virtual Result<void> freeze_folder(FolderNumber folder, std::string_view reason) = 0;  // empty: thaw
    /// The folder has another UIDVALIDITY, and is not frozen any more: its cursor begins anew, what was pending is
    /// forgotten, and no UID is known under the new one.
    virtual Result<void> renumber_folder(FolderNumber folder, std::uint32_t uid_validity) = 0;
    /// Never moves back: a lower cursor is ignored. out_of_order when uid_validity is not the folder's.
    virtual Result<void> move_cursor(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t cursor) = 0;
    /// Moves the cursor to `to` if it has come to `from`: a message that came in order vouches for everything between.
    /// Otherwise nothing happens. out_of_order when uid_validity is not the folder's.
    virtual Result<void> advance_cursor(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t from,
                                        std::uint32_t to) = 0;
    struct Added {
        Seq seq = 0;
        bool known_before = false;  // the row existed: nothing was written
    };
    /// Gives the next seq of the mailbox. Takes the uid out of the pending ones.
    virtual Result<Added> add_message(const Message& message) = 0;
    /// The first message of the mailbox with this fingerprint and these bytes, and not set aside; 0: there is none.
    virtual Result<Seq> twin_of(MailboxNumber mailbox, const Digest& fingerprint, std::uint64_t length,
                                std::uint32_t crc32c) = 0;
    /// The message lies in this folder under this UID, too. Takes the uid out of the pending ones.
    virtual Result<void> add_place(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid, Seq seq) = 0;
    virtual Result<bool> knows(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) = 0;
    /// Under this UIDVALIDITY, in rising order, beginning after `after`. The newest come in no order, in front of those
    /// after 0, and do not count in `limit`.
    virtual Result<std::vector<KnownUid>> known_uids(FolderNumber folder, std::uint32_t uid_validity,
                                                     std::uint32_t after, std::size_t limit) = 0;
    /// In order of seq, beginning after `after`.
    virtual Result<std::vector<Message>> messages(MailboxNumber mailbox, Seq after, std::size_t limit) = 0;
    virtual Result<std::optional<Message>> message_by_id(const Digest& id) = 0;
    /// The message that lies in this folder under this UID.
    virtual Result<std::optional<Message>> message_at(FolderNumber folder, std::uint32_t uid_validity,
                                                      std::uint32_t uid) = 0;
    /// A UID that is pending already counts one attempt more (none with attempts 0) and keeps its first_seen.
    virtual Result<void> put_pending(const Pending& pending) = 0;
    virtual Result<void> remove_pending(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) = 0;
    virtual Result<std::vector<Pending>> pending(FolderNumber folder) = 0;

    // Hand-off. A subscription is made by import; bodies stay until every subscription of the mailbox has acknowledged.
    virtual Result<void> subscribe(std::string_view consumer, MailboxNumber mailbox) = 0;
    virtual Result<void> unsubscribe(std::string_view consumer, MailboxNumber mailbox) = 0;
    /// Cumulative: everything up to `seq`. Never moves back; out_of_order past the mailbox's last seq.
    virtual Result<void> acknowledge(std::string_view consumer, MailboxNumber mailbox, Seq seq) = 0;
    /// What cannot be handed off; to be acknowledged all the same. Setting it aside again changes nothing. Kept until
    /// unsubscribe(). Errors: unknown_id when there is no such message or subscription.
    virtual Result<void> set_aside(const SetAside& what) = 0;
    /// In order of consumer and seq.
    virtual Result<std::vector<SetAside>> all_set_aside(MailboxNumber mailbox, std::size_t limit) = 0;
    /// Of all mailboxes, in order of consumer, mailbox and seq, beginning after `after`.
    virtual Result<std::vector<SetAside>> set_aside_after(const SetAside& after, std::size_t limit) = 0;
    /// It is not set aside any more. Errors: unknown_id when it was not.
    virtual Result<void> forget_set_aside(std::string_view consumer, MailboxNumber mailbox, Seq seq) = 0;
    /// What follows `seq` is handed off again, as far as bodies are still there: what is acknowledged from now on.
    /// Never moves ahead. Errors: unknown_id.
    virtual Result<Seq> rewind(std::string_view consumer, MailboxNumber mailbox, Seq seq) = 0;
    /// All, or those with something to hand off, in order of mailbox, beginning after `after`.
    enum class Which { all, waiting };
    virtual Result<std::vector<HandOff>> hand_offs(std::string_view consumer, Which which, MailboxNumber after,
                                                   std::size_t limit) = 0;

    // Tokens.
    virtual Result<void> put_grant(const Grant& grant) = 0;
    virtual Result<std::optional<Grant>> grant(std::string_view credential) = 0;
    virtual Result<std::vector<Grant>> grants() = 0;  // in order of credential
    virtual Result<void> remove_grant(std::string_view credential) = 0;

    /// What every subscription of the mailbox has acknowledged, up to here; 0 when there is none.
    virtual Result<Seq> acknowledged(MailboxNumber mailbox) = 0;
    /// Whether every subscription of the mailbox (one at least) has acknowledged the message, and none set it aside.
    virtual Result<bool> is_acknowledged(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) = 0;

    /// What servers list under keys of their own.
    virtual Listings& listings() = 0;
    /// What is accounted for without a ledger row of its own.
    virtual Accounting& accounting() = 0;
    /// What sessions note about folders beside the ledger. See folder_notes.hpp.
    virtual FolderNotes& folder_notes() = 0;
    /// What is observed in mailboxes that another product serves. See shadows.hpp.
    virtual Shadows& shadows() = 0;
    /// What applications handed in to be sent.
    virtual Outbox& outbox() = 0;

    /// Of `sealed` (in rising order), the segments in which no message is needed any more: every subscription of its
    /// mailbox has acknowledged it, none is set aside, and every submission is settled. Their bodies are gone once this
    /// transaction is durable. A mailbox without subscription keeps its bodies.
    virtual Result<std::vector<std::uint64_t>> release_segments(const std::vector<std::uint64_t>& sealed) = 0;

    /// body_bytes counts, segment by segment, all bodies of a mailbox up to its last unacknowledged one.
    virtual Result<Totals> totals() = 0;
};

}  // namespace store

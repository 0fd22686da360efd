#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "queue/store/bodies.hpp"
#include "queue/store/reserve.hpp"
#include "queue/store/sqlite_accounting.hpp"
#include "queue/store/sqlite_folder_notes.hpp"
#include "queue/store/sqlite_listings.hpp"
#include "queue/store/sqlite_meta.hpp"
#include "queue/store/sqlite_outbox.hpp"
#include "queue/store/sqlite_shadows.hpp"
#include "queue/store/sqlite_work.hpp"
#include "queue/store/store.hpp"

namespace store {

/// The store on one SQLite connection, which writes, reads and checkpoints (WAL, FULL, EXCLUSIVE).
/// What is new is written once, to the journals, and kept in memory until it has moved to the tables ordered by
/// mailbox: in bulk, when the journal is full, and when the store is opened.
class SqliteStore final : public Store, private SqliteWork {
public:
    struct Options {
        std::size_t cache_bytes = 64ULL << 20;
        int wal_pages = 4000;                      // a checkpoint follows when the log has grown beyond
        std::size_t journal_rows_max = 32'768;     // about 300 bytes of memory each
        std::size_t cached_folders_max = 100'000;  // folders and mailboxes kept in memory
    };

    /// Errors: newer_format, not_a_store, unreadable, damaged, disk_full, io_failed.
    static Result<std::unique_ptr<SqliteStore>> open(Disk& disk, const Path& path, std::shared_ptr<Reserve> reserve,
                                                     Options options);
    ~SqliteStore() override;

    /// A segment that is still needed: it reaches at least to `bytes_end`.
    struct SegmentNeed {
        std::uint64_t segment = 0;
        std::uint64_t bytes_end = 0;
    };
    Result<std::vector<SegmentNeed>> needed_segments();
    /// The highest segment number that any row names.
    [[nodiscard]] std::uint64_t last_segment() const noexcept { return last_segment_; }
    /// Places of the newest bodies when the store was opened: what a crash may have hit.
    [[nodiscard]] const std::vector<BodyPlace>& last_bodies() const noexcept { return last_bodies_; }
    /// Where totals() learns about files. Ends after the store's last use.
    void count_files_of(const Bodies& bodies) noexcept { bodies_ = &bodies; }

    Result<void> begin() override;
    Result<void> commit() override;
    void rollback() noexcept override;
    void rest() noexcept override { database().release_memory(); }

    Result<void> put_object(const Object& object) override;
    Result<void> remove_object(std::string_view kind, std::string_view id) override;
    Result<std::vector<Object>> objects(std::string_view kind) override;
    Result<void> put_secret(std::string_view owner, std::string_view name, std::string_view sealed) override;
    Result<std::optional<std::string>> secret(std::string_view owner, std::string_view name) override;
    Result<void> remove_secrets(std::string_view owner) override;
    Result<std::vector<SealedSecret>> secrets() override;
    Result<void> put_meta(std::string_view name, std::string_view value) override;
    Result<std::optional<std::string>> meta(std::string_view name) override;
    Result<void> remove_meta(std::string_view name) override;
    Result<void> put_grant(const Grant& grant) override;
    Result<std::optional<Grant>> grant(std::string_view credential) override;
    Result<std::vector<Grant>> grants() override;
    Result<void> remove_grant(std::string_view credential) override;

    Result<MailboxNumber> put_mailbox(std::string_view id, std::string_view document) override;
    Result<void> pause_mailbox(std::string_view id, std::string_view reason) override;
    Result<void> remove_mailbox(std::string_view id) override;
    Result<Mailbox> mailbox(std::string_view id) override;
    Result<std::vector<Mailbox>> mailboxes(std::string_view after, std::size_t limit) override;

    Result<Folder> folder(MailboxNumber mailbox, std::string_view name) override;
    Result<std::vector<Folder>> folders(MailboxNumber mailbox) override;
    Result<void> adopt_folder(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t cursor) override;
    Result<void> freeze_folder(FolderNumber folder, std::string_view reason) override;
    Result<void> renumber_folder(FolderNumber folder, std::uint32_t uid_validity) override;
    Result<void> move_cursor(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t cursor) override;
    Result<void> advance_cursor(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t from,
                                std::uint32_t to) override;
    Result<Added> add_message(const Message& message) override;
    Result<Seq> twin_of(MailboxNumber mailbox, const Digest& fingerprint, std::uint64_t length,
                        std::uint32_t crc32c) override;
    Result<void> add_place(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid, Seq seq) override;
    Result<bool> knows(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) override;
    Result<std::vector<KnownUid>> known_uids(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t after,
                                             std::size_t limit) override;
    Result<std::vector<Message>> messages(MailboxNumber mailbox, Seq after, std::size_t limit) override;
    Result<std::optional<Message>> message_by_id(const Digest& id) override;
    Result<std::optional<Message>> message_at(FolderNumber folder, std::uint32_t uid_validity,
                                              std::uint32_t uid) override;
    Result<void> put_pending(const Pending& pending) override;
    Result<void> remove_pending(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) override;
    Result<std::vector<Pending>> pending(FolderNumber folder) override;

    Result<void> subscribe(std::string_view consumer, MailboxNumber mailbox) override;
    Result<void> unsubscribe(std::string_view consumer, MailboxNumber mailbox) override;
    Result<void> acknowledge(std::string_view consumer, MailboxNumber mailbox, Seq seq) override;
    Result<void> set_aside(const SetAside& what) override;
    Result<std::vector<SetAside>> all_set_aside(MailboxNumber mailbox, std::size_t limit) override;
    Result<std::vector<SetAside>> set_aside_after(const SetAside& after, std::size_t limit) override;
    Result<void> forget_set_aside(std::string_view consumer, MailboxNumber mailbox, Seq seq) override;
    Result<Seq> rewind(std::string_view consumer, MailboxNumber mailbox, Seq seq) override;
    Result<std::vector<HandOff>> hand_offs(std::string_view consumer, Which which, MailboxNumber after,
                                           std::size_t limit) override;
    Result<std::vector<std::uint64_t>> release_segments(const std::vector<std::uint64_t>& sealed) override;

    Result<Totals> totals() override;
    Result<Seq> acknowledged(MailboxNumber mailbox) override;
    Result<bool> is_acknowledged(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) override;
    Listings& listings() override { return *listings_; }
    Accounting& accounting() override { return *accounting_; }
    FolderNotes& folder_notes() override { return *folder_notes_; }
    Shadows& shadows() override { return *shadows_; }
    Outbox& outbox() override { return *outbox_; }

private:
    struct Statements;
    struct CachedFolder {
        Folder folder;
        bool moved = false;  // the cursor is ahead of the row
        bool has_pending = false;
    };
    using UidKey = std::tuple<FolderNumber, std::uint32_t, std::uint32_t>;
    struct Hash {
        std::size_t operator()(const UidKey& key) const noexcept;
        std::size_t operator()(const Digest& id) const noexcept;
    };
    /// What the journals hold, in memory.
    struct Recent {
        std::unordered_map<MailboxNumber, std::vector<Message>> messages;  // in order of seq, without gaps
        std::unordered_map<UidKey, Seq, Hash> uids;
        std::unordered_map<Digest, std::pair<MailboxNumber, Seq>, Hash> ids;
        std::unordered_multimap<Digest, std::pair<MailboxNumber, Seq>, Hash> fingerprints;
        std::unordered_map<FolderNumber, std::uint32_t> cursors;  // committed ones
        std::set<std::uint64_t> segments;
        std::size_t rows = 0;
    };

    SqliteStore(std::unique_ptr<SqliteVfs> vfs, Database database, std::shared_ptr<Reserve> reserve, Options options);

    Result<void> load();
    Result<void> tidy();
    Result<void> merge_journals();
    void forget_group() noexcept;
    [[nodiscard]] const Message* recent(MailboxNumber mailbox, Seq seq) const;
    [[nodiscard]] Seq last_recent_seq(MailboxNumber mailbox) const;
    Result<Seq> seq_of(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid);

    Result<CachedFolder*> cached(FolderNumber folder);
    Result<FolderNumber> add_folder(MailboxNumber mailbox, std::string_view name);
    Result<Seq> last_seq_of(MailboxNumber mailbox);
    Result<bool> has_mailbox(MailboxNumber mailbox);
    Result<void> write_cursors();
    Result<bool> is_needed(std::uint64_t segment);

    const Options options_;
    const Bodies* bodies_ = nullptr;
    std::unique_ptr<Statements> sql_;
    std::unique_ptr<SqliteMeta> meta_;
    std::unique_ptr<SqliteOutbox> outbox_;
    std::unique_ptr<SqliteListings> listings_;
    std::unique_ptr<SqliteAccounting> accounting_;
    std::unique_ptr<SqliteFolderNotes> folder_notes_;
    std::unique_ptr<SqliteShadows> shadows_;

    std::unordered_map<FolderNumber, CachedFolder> folders_;
    std::vector<FolderNumber> moved_;
    std::unordered_map<MailboxNumber, Seq> last_seqs_;
    std::map<std::uint64_t, MailboxNumber> needed_by_;  // the first mailbox that may still need a sealed segment
    Recent recent_;
    std::vector<Message> group_;  // what this transaction added
    bool merge_wanted_ = false;
    std::uint64_t messages_ = 0;  // in the tables, without the journal
    std::uint64_t last_segment_ = 0;
    std::vector<BodyPlace> last_bodies_;
};

}  // namespace store

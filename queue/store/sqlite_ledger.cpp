// SqliteStore: mailboxes, folders and the ledger.

#include <algorithm>
#include <cstring>

#include "queue/store/sqlite_statements.hpp"
#include "queue/store/sqlite_store.hpp"

namespace store {
namespace {

constexpr std::size_t mark_bytes = 6;  // of a fingerprint, in message_mark

Mailbox read_mailbox(const Statement::Rows& row) {
    return {.number = row.number(0),
            .id = row.text(1),
            .document = row.text(2),
            .paused = row.text(3),
            .last_seq = row.number(5),
            .removed = row.number(4) != 0};
}

Folder read_folder(const Statement::Rows& row) {
    return {.number = row.number(0),
            .mailbox = row.number(1),
            .name = row.text(2),
            .uid_validity = static_cast<std::uint32_t>(row.number(3)),
            .cursor = static_cast<std::uint32_t>(row.number(4)),
            .frozen = row.text(5)};
}

Digest digest_of(const std::string& bytes) {
    Digest digest{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()), digest.begin());
    return digest;
}

Message read_message(const Statement::Rows& row) {
    return {.mailbox = row.number(0),
            .seq = row.number(1),
            .folder = row.number(2),
            .uid_validity = static_cast<std::uint32_t>(row.number(3)),
            .uid = static_cast<std::uint32_t>(row.number(4)),
            .id = digest_of(row.text(5)),
            .fingerprint = digest_of(row.text(6)),
            .internal_date = time_of(row.number(7)),
            .received_at = time_of(row.number(8)),
            .body = {.segment = static_cast<std::uint64_t>(row.number(9)),
                     .offset = static_cast<std::uint64_t>(row.number(10)),
                     .length = static_cast<std::uint64_t>(row.number(11)),
                     .crc32c = static_cast<std::uint32_t>(row.number(12))}};
}

Pending read_pending(const Statement::Rows& row) {
    return {.folder = row.number(0),
            .uid_validity = static_cast<std::uint32_t>(row.number(1)),
            .uid = static_cast<std::uint32_t>(row.number(2)),
            .attempts = static_cast<std::uint32_t>(row.number(3)),
            .first_seen = time_of(row.number(4)),
            .reason = row.text(5)};
}

std::int64_t number(std::uint32_t value) { return value; }

}  // namespace

Result<MailboxNumber> SqliteStore::put_mailbox(std::string_view id, std::string_view document) {
    auto rows = sql_->put_mailbox.query(id, document);
    if (!rows) return noted(rows.error());
    const auto row = rows->next();
    if (!row) return noted(row.error());
    const MailboxNumber given = rows->number(0);
    const auto ended = rows->next();
    if (!ended) return noted(ended.error());
    return given;
}

Result<void> SqliteStore::pause_mailbox(std::string_view id, std::string_view reason) {
    const auto written = write(sql_->pause_mailbox, id, reason);
    if (!written) return written.error();
    if (database().changes() == 0) return errc::unknown_id;
    return {};
}

Result<void> SqliteStore::remove_mailbox(std::string_view id) {
    const auto written = write(sql_->remove_mailbox, id);
    if (!written) return written.error();
    if (database().changes() == 0) return errc::unknown_id;
    return {};
}

Result<Mailbox> SqliteStore::mailbox(std::string_view id) {
    const auto found = first<Mailbox>(sql_->mailbox, read_mailbox, id);
    if (!found) return found.error();
    const auto& row = *found;
    if (!row) return errc::unknown_id;
    Mailbox mailbox = *row;
    mailbox.last_seq = std::max(mailbox.last_seq, last_recent_seq(mailbox.number));
    return mailbox;
}

Result<std::vector<Mailbox>> SqliteStore::mailboxes(std::string_view after, std::size_t limit) {
    auto found = all<Mailbox>(sql_->mailboxes, read_mailbox, after, whole(limit));
    if (!found) return found.error();
    for (auto& mailbox : *found) mailbox.last_seq = std::max(mailbox.last_seq, last_recent_seq(mailbox.number));
    return found;
}

Result<bool> SqliteStore::has_mailbox(MailboxNumber mailbox) {
    const auto found = first<std::int64_t>(sql_->has_mailbox, read_number, mailbox);
    if (!found) return {boost::system::in_place_error, found.error()};
    return found->has_value();
}

Result<FolderNumber> SqliteStore::add_folder(MailboxNumber mailbox, std::string_view name) {
    const auto has = has_mailbox(mailbox);
    if (!has) return {boost::system::in_place_error, has.error()};
    if (!*has) return {boost::system::in_place_error, make_error_code(errc::unknown_id)};
    const auto added = write(sql_->add_folder, mailbox, name);
    if (!added) return {boost::system::in_place_error, added.error()};
    return only<std::int64_t>(sql_->folder_by_name, read_number, mailbox, name);
}

Result<Folder> SqliteStore::folder(MailboxNumber mailbox, std::string_view name) {
    const auto known = first<std::int64_t>(sql_->folder_by_name, read_number, mailbox, name);
    if (!known) return known.error();
    const auto& number = *known;
    const auto folder = number ? Result<FolderNumber>(*number) : add_folder(mailbox, name);
    if (!folder) return folder.error();
    const auto found = cached(*folder);
    if (!found) return found.error();
    return (*found)->folder;
}

Result<std::vector<Folder>> SqliteStore::folders(MailboxNumber mailbox) {
    const auto numbers = all<std::int64_t>(sql_->folders_of, read_number, mailbox);
    if (!numbers) return numbers.error();
    std::vector<Folder> found;
    for (const auto folder : *numbers) {
        const auto here = cached(folder);
        if (!here) return here.error();
        found.push_back((*here)->folder);
    }
    return found;
}

/// The folder in memory; valid until the next group begins.
Result<SqliteStore::CachedFolder*> SqliteStore::cached(FolderNumber folder) {
    const auto known = folders_.find(folder);
    if (known != folders_.end()) return &known->second;
    const auto read = [](const Statement::Rows& row) {
        return CachedFolder{.folder = read_folder(row), .has_pending = row.number(6) != 0};
    };
    auto found = first<CachedFolder>(sql_->folder_by_number, read, folder);
    if (!found) return found.error();
    auto& row = *found;
    if (!row) return errc::unknown_id;
    const auto moved = recent_.cursors.find(folder);
    if (moved != recent_.cursors.end()) row->folder.cursor = moved->second;
    return &folders_.emplace(folder, std::move(*row)).first->second;
}

Result<void> SqliteStore::adopt_folder(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t cursor) {
    const auto found = cached(folder);
    if (!found) return found.error();
    if ((*found)->folder.uid_validity != 0 || uid_validity == 0) return errc::out_of_order;
    (*found)->folder.uid_validity = uid_validity;
    (*found)->folder.cursor = cursor;
    return write(sql_->adopt_folder, folder, number(uid_validity), number(cursor));
}

Result<void> SqliteStore::freeze_folder(FolderNumber folder, std::string_view reason) {
    const auto found = cached(folder);
    if (!found) return found.error();
    (*found)->folder.frozen = reason;
    return write(sql_->freeze_folder, folder, reason);
}

Result<void> SqliteStore::renumber_folder(FolderNumber folder, std::uint32_t uid_validity) {
    const auto found = cached(folder);
    if (!found) return found.error();
    CachedFolder& here = **found;
    auto step = write(sql_->renumber_folder, folder, number(uid_validity));
    // A cursor of other UIDs must not come back with the next merge.
    if (step) step = write(sql_->forget_cursors, folder);
    if (step) step = write(sql_->forget_pending, folder);
    if (step) step = write(sql_->forget_uids, folder, number(uid_validity));
    if (!step) return step;
    here.folder.uid_validity = uid_validity;
    here.folder.cursor = 0;
    here.folder.frozen.clear();
    here.has_pending = false;
    if (!here.moved) moved_.push_back(folder);
    here.moved = true;
    merge_wanted_ = true;  // before a UID is given to a message that the journal has under another
    return {};
}

Result<void> SqliteStore::move_cursor(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t cursor) {
    const auto found = cached(folder);
    if (!found) return found.error();
    CachedFolder& here = **found;
    if (here.folder.uid_validity != uid_validity) return errc::out_of_order;
    if (cursor <= here.folder.cursor) return {};
    here.folder.cursor = cursor;
    if (!here.moved) moved_.push_back(folder);
    here.moved = true;
    return {};
}

Result<void> SqliteStore::advance_cursor(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t from,
                                         std::uint32_t to) {
    const auto found = cached(folder);
    if (!found) return found.error();
    if ((*found)->folder.uid_validity == uid_validity && (*found)->folder.cursor < from) return {};
    return move_cursor(folder, uid_validity, to);
}

Result<void> SqliteStore::write_cursors() {
    for (const auto folder : moved_) {
        const auto written = write(sql_->move_cursor, folder, number(folders_.at(folder).folder.cursor));
        if (!written) return written.error();
    }
    return {};
}

std::size_t SqliteStore::Hash::operator()(const UidKey& key) const noexcept {
    const auto& [folder, uid_validity, uid] = key;
    const std::uint64_t mixed = static_cast<std::uint64_t>(folder) * 0x9e3779b97f4a7c15ULL ^ uid_validity;
    return (mixed ^ (mixed >> 31)) * 0xbf58476d1ce4e5b9ULL + uid;
}

std::size_t SqliteStore::Hash::operator()(const Digest& id) const noexcept {
    std::size_t start = 0;
    std::memcpy(&start, id.data(), sizeof start);
    return start;
}

const Message* SqliteStore::recent(MailboxNumber mailbox, Seq seq) const {
    const auto found = recent_.messages.find(mailbox);
    if (found == recent_.messages.end() || seq < found->second.front().seq) return nullptr;
    const auto at = static_cast<std::size_t>(seq - found->second.front().seq);
    return at < found->second.size() ? &found->second[at] : nullptr;
}

Seq SqliteStore::last_recent_seq(MailboxNumber mailbox) const {
    const auto found = recent_.messages.find(mailbox);
    return found == recent_.messages.end() ? 0 : found->second.back().seq;
}

void SqliteStore::forget_group() noexcept {
    for (auto added = group_.rbegin(); added != group_.rend(); ++added) {
        auto& messages = recent_.messages.at(added->mailbox);
        messages.pop_back();
        if (messages.empty()) recent_.messages.erase(added->mailbox);
        recent_.uids.erase({added->folder, added->uid_validity, added->uid});
        const auto id = recent_.ids.find(added->id);
        if (id != recent_.ids.end() && id->second == std::pair{added->mailbox, added->seq}) recent_.ids.erase(id);
        const auto [begin, end] = recent_.fingerprints.equal_range(added->fingerprint);
        const auto print = std::find_if(begin, end, [here = std::pair{added->mailbox, added->seq}](const auto& entry) {
            return entry.second == here;
        });
        if (print != end) recent_.fingerprints.erase(print);
        --recent_.rows;
    }
    group_.clear();
}

Result<Seq> SqliteStore::last_seq_of(MailboxNumber mailbox) {
    if (const Seq last = last_recent_seq(mailbox); last > 0) return last;
    const auto known = last_seqs_.find(mailbox);
    if (known != last_seqs_.end()) return known->second;
    const auto found = first<std::int64_t>(sql_->last_seq, read_number, mailbox);
    if (!found) return found.error();
    const Seq last = found->value_or(0);
    last_seqs_.emplace(mailbox, last);
    return last;
}

/// 0 when there is no such message.
Result<Seq> SqliteStore::seq_of(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) {
    const auto fresh = recent_.uids.find({folder, uid_validity, uid});
    if (fresh != recent_.uids.end()) return fresh->second;
    const auto found = first<std::int64_t>(sql_->seq_of_uid, read_number, folder, number(uid_validity), number(uid));
    if (!found) return found.error();
    return found->value_or(0);
}

Result<Store::Added> SqliteStore::add_message(const Message& message) {
    const auto folder = cached(message.folder);
    if (!folder) return folder.error();
    if ((*folder)->folder.mailbox != message.mailbox) return errc::unknown_id;
    const auto known = seq_of(message.folder, message.uid_validity, message.uid);
    if (!known) return known.error();
    if (*known > 0) return Added{.seq = *known, .known_before = true};
    const auto last = last_seq_of(message.mailbox);
    if (!last) return last.error();
    Message kept = message;
    kept.seq = *last + 1;
    const BodyPlace& body = kept.body;
    const auto row =
        write(sql_->add_message, kept.mailbox, kept.seq, kept.folder, number(kept.uid_validity), number(kept.uid),
              Blob(kept.id), Blob(kept.fingerprint), millis(kept.internal_date), millis(kept.received_at),
              whole(body.segment), whole(body.offset), whole(body.length), number(body.crc32c));
    if (!row) return row.error();
    if ((*folder)->has_pending) {
        const auto removed = remove_pending(kept.folder, kept.uid_validity, kept.uid);
        if (!removed) return removed.error();
    }
    recent_.messages[kept.mailbox].push_back(kept);
    recent_.uids.emplace(UidKey{kept.folder, kept.uid_validity, kept.uid}, kept.seq);
    recent_.ids.emplace(kept.id, std::pair{kept.mailbox, kept.seq});
    recent_.fingerprints.emplace(kept.fingerprint, std::pair{kept.mailbox, kept.seq});
    recent_.segments.insert(body.segment);
    ++recent_.rows;
    group_.push_back(kept);
    return Added{.seq = kept.seq};
}

Result<Seq> SqliteStore::twin_of(MailboxNumber mailbox, const Digest& fingerprint, std::uint64_t length,
                                 std::uint32_t crc32c) {
    const std::string_view mark(reinterpret_cast<const char*>(fingerprint.data()), mark_bytes);
    const auto found = first<std::int64_t>(sql_->twin_of, read_number, mailbox, blob(mark), Blob(fingerprint),
                                           whole(length), number(crc32c));
    if (!found) return found.error();
    const auto& stored = *found;
    if (stored) return *stored;
    Seq twin = 0;
    const auto [begin, end] = recent_.fingerprints.equal_range(fingerprint);
    for (auto entry = begin; entry != end; ++entry) {
        if (entry->second.first != mailbox) continue;
        const auto& body = recent(mailbox, entry->second.second)->body;
        const Seq seq = entry->second.second;
        if (body.length != length || body.crc32c != crc32c || (twin != 0 && seq > twin)) continue;
        const auto aside = first<std::int64_t>(sql_->is_set_aside, read_number, mailbox, seq);
        if (!aside) return aside.error();
        if (!*aside) twin = seq;
    }
    return twin;
}

Result<void> SqliteStore::add_place(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid, Seq seq) {
    const auto here = cached(folder);
    if (!here) return here.error();
    const auto given = write(sql_->give_uid, folder, number(uid_validity), number(uid), seq);
    if (!given || !(*here)->has_pending) return given;
    return remove_pending(folder, uid_validity, uid);
}

Result<std::vector<KnownUid>> SqliteStore::known_uids(FolderNumber folder, std::uint32_t uid_validity,
                                                      std::uint32_t after, std::size_t limit) {
    const auto here = cached(folder);
    if (!here) return here.error();
    std::vector<KnownUid> known;
    const auto fresh = recent_.messages.find((*here)->folder.mailbox);
    if (after == 0 && fresh != recent_.messages.end()) {
        for (const auto& message : fresh->second) {
            if (message.folder == folder && message.uid_validity == uid_validity)
                known.push_back({message.uid, message.seq});
        }
    }
    const auto read = [](const Statement::Rows& row) {
        return KnownUid{static_cast<std::uint32_t>(row.number(0)), row.number(1)};
    };
    const auto rest = all<KnownUid>(sql_->known_uids, read, folder, number(uid_validity), number(after), whole(limit));
    if (!rest) return rest.error();
    known.insert(known.end(), rest->begin(), rest->end());
    return known;
}

Result<bool> SqliteStore::knows(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) {
    const auto found = seq_of(folder, uid_validity, uid);
    if (!found) return {boost::system::in_place_error, found.error()};
    return *found > 0;
}

Result<Seq> SqliteStore::acknowledged(MailboxNumber mailbox) {
    const auto acked = first<std::int64_t>(sql_->acked_by_all, read_number, mailbox);
    if (!acked) return acked.error();
    return acked->value_or(0);
}

Result<bool> SqliteStore::is_acknowledged(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) {
    const auto here = cached(folder);
    if (!here) return {boost::system::in_place_error, here.error()};
    const auto seq = seq_of(folder, uid_validity, uid);
    if (!seq) return {boost::system::in_place_error, seq.error()};
    const auto acked = acknowledged((*here)->folder.mailbox);
    if (!acked) return {boost::system::in_place_error, acked.error()};
    if (*seq <= 0 || *seq > *acked) return false;
    const auto aside = first<std::int64_t>(sql_->is_set_aside, read_number, (*here)->folder.mailbox, *seq);
    if (!aside) return {boost::system::in_place_error, aside.error()};
    return !*aside;
}

Result<std::vector<Message>> SqliteStore::messages(MailboxNumber mailbox, Seq after, std::size_t limit) {
    auto found = all<Message>(sql_->messages, read_message, mailbox, after, whole(limit));
    if (!found) return found.error();
    const auto fresh = recent_.messages.find(mailbox);
    if (fresh == recent_.messages.end()) return found;
    const Seq oldest = fresh->second.front().seq;
    for (Seq seq = std::max(after + 1, oldest); found->size() < limit; ++seq) {
        const Message* message = recent(mailbox, seq);
        if (message == nullptr) break;
        found->push_back(*message);
    }
    return found;
}

Result<std::optional<Message>> SqliteStore::message_by_id(const Digest& id) {
    const auto fresh = recent_.ids.find(id);
    if (fresh != recent_.ids.end()) return std::optional(*recent(fresh->second.first, fresh->second.second));
    return first<Message>(sql_->message_by_id, read_message, Blob(id));
}

Result<std::optional<Message>> SqliteStore::message_at(FolderNumber folder, std::uint32_t uid_validity,
                                                       std::uint32_t uid) {
    const auto here = cached(folder);
    if (!here) return here.error();
    const auto seq = seq_of(folder, uid_validity, uid);
    if (!seq) return seq.error();
    if (*seq <= 0) return std::optional<Message>();
    auto found = messages((*here)->folder.mailbox, *seq - 1, 1);
    if (!found) return found.error();
    if (found->empty() || found->front().seq != *seq) return std::optional<Message>();
    return std::optional(found->front());
}

Result<void> SqliteStore::put_pending(const Pending& pending) {
    const auto folder = cached(pending.folder);
    if (!folder) return folder.error();
    (*folder)->has_pending = true;
    return write(sql_->put_pending, pending.folder, number(pending.uid_validity), number(pending.uid),
                 number(pending.attempts), millis(pending.first_seen), std::string_view(pending.reason));
}

Result<void> SqliteStore::remove_pending(FolderNumber folder, std::uint32_t uid_validity, std::uint32_t uid) {
    return write(sql_->remove_pending, folder, number(uid_validity), number(uid));
}

Result<std::vector<Pending>> SqliteStore::pending(FolderNumber folder) {
    return all<Pending>(sql_->pending, read_pending, folder);
}

}  // namespace store

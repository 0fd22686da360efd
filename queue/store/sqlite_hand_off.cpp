// SqliteStore: subscriptions, acknowledgements, and which segments nobody needs any more.

#include <fmt/format.h>

#include <algorithm>

#include "queue/store/sqlite_statements.hpp"
#include "queue/store/sqlite_store.hpp"

namespace store {
namespace {

SetAside read_set_aside(const Statement::Rows& row) {
    return {.consumer = row.text(0),
            .mailbox = row.number(1),
            .seq = row.number(2),
            .at = time_of(row.number(3)),
            .reason = row.text(4)};
}

HandOff read_hand_off(const Statement::Rows& row) {
    return {.consumer = row.text(0), .mailbox = row.number(1), .acked = row.number(2), .last_seq = row.number(3)};
}

}  // namespace

Result<void> SqliteStore::subscribe(std::string_view consumer, MailboxNumber mailbox) {
    const auto has = has_mailbox(mailbox);
    if (!has) return has.error();
    if (!*has) return errc::unknown_id;
    needed_by_.clear();
    return write(sql_->subscribe, consumer, mailbox);
}

Result<void> SqliteStore::unsubscribe(std::string_view consumer, MailboxNumber mailbox) {
    const auto written = write(sql_->unsubscribe, consumer, mailbox);
    if (!written) return written.error();
    if (database().changes() == 0) return errc::unknown_id;
    needed_by_.clear();
    return write(sql_->forget_set_aside, consumer, mailbox);
}

Result<void> SqliteStore::acknowledge(std::string_view consumer, MailboxNumber mailbox, Seq seq) {
    const auto before = first<std::int64_t>(sql_->acked, read_number, consumer, mailbox);
    if (!before) return before.error();
    const auto& acked = *before;
    if (!acked) return errc::unknown_id;
    const auto last = last_seq_of(mailbox);
    if (!last) return last.error();
    if (seq > *last) return errc::out_of_order;
    if (seq <= *acked) return {};
    return write(sql_->acknowledge, consumer, mailbox, seq);
}

Result<void> SqliteStore::set_aside(const SetAside& what) {
    const std::string_view consumer = what.consumer;
    const auto subscribed = first<std::int64_t>(sql_->acked, read_number, consumer, what.mailbox);
    if (!subscribed) return subscribed.error();
    const auto message = messages(what.mailbox, what.seq - 1, 1);
    if (!message) return message.error();
    if (!*subscribed || message->empty() || message->front().seq != what.seq) return errc::unknown_id;
    return write(sql_->set_aside, consumer, what.mailbox, what.seq, whole(message->front().body.segment),
                 millis(what.at), std::string_view(what.reason));
}

Result<std::vector<SetAside>> SqliteStore::all_set_aside(MailboxNumber mailbox, std::size_t limit) {
    return all<SetAside>(sql_->all_set_aside, read_set_aside, mailbox, whole(limit));
}

Result<std::vector<SetAside>> SqliteStore::set_aside_after(const SetAside& after, std::size_t limit) {
    return all<SetAside>(sql_->set_aside_after, read_set_aside, std::string_view(after.consumer), after.mailbox,
                         after.seq, whole(limit));
}

Result<void> SqliteStore::forget_set_aside(std::string_view consumer, MailboxNumber mailbox, Seq seq) {
    const auto written = write(sql_->forget_one_set_aside, consumer, mailbox, seq);
    if (!written) return written.error();
    if (database().changes() == 0) return errc::unknown_id;
    return {};
}

Result<Seq> SqliteStore::rewind(std::string_view consumer, MailboxNumber mailbox, Seq seq) {
    const auto written = write(sql_->rewind, consumer, mailbox, std::max<Seq>(seq, 0));
    if (!written) return {boost::system::in_place_error, written.error()};
    needed_by_.clear();  // those that had acknowledged may need segments again
    const auto acked = first<std::int64_t>(sql_->acked, read_number, consumer, mailbox);
    if (!acked) return {boost::system::in_place_error, acked.error()};
    if (!*acked) return errc::unknown_id;
    return {boost::system::in_place_value, **acked};
}

Result<std::vector<HandOff>> SqliteStore::hand_offs(std::string_view consumer, Which which, MailboxNumber after,
                                                    std::size_t limit) {
    std::vector<HandOff> found;
    while (found.size() < limit) {
        auto page = all<HandOff>(sql_->hand_offs, read_hand_off, consumer, after, whole(limit));
        if (!page) return page.error();
        for (auto& hand_off : *page) {
            after = hand_off.mailbox;
            hand_off.last_seq = std::max(hand_off.last_seq, last_recent_seq(hand_off.mailbox));
            const bool is_waiting = hand_off.acked < hand_off.last_seq;
            if (found.size() < limit && (is_waiting || which == Which::all)) found.push_back(std::move(hand_off));
        }
        if (page->size() < limit) break;
    }
    return found;
}

/// Looks on from the mailbox that needed the segment last time: those before it have acknowledged, for good.
Result<bool> SqliteStore::is_needed(std::uint64_t segment) {
    const auto kept = first<std::int64_t>(sql_->holds_set_aside, read_number, whole(segment));
    if (!kept) return {boost::system::in_place_error, kept.error()};
    if (*kept) return true;
    MailboxNumber& from = needed_by_[segment];
    const auto found = first<std::int64_t>(sql_->needed_by, read_number, whole(segment), from);
    if (!found) return {boost::system::in_place_error, found.error()};
    const auto& mailbox = *found;
    if (mailbox) from = *mailbox;
    return mailbox.has_value();
}

Result<std::vector<std::uint64_t>> SqliteStore::release_segments(const std::vector<std::uint64_t>& sealed) {
    std::vector<std::uint64_t> released;
    for (const auto segment : sealed) {
        if (recent_.segments.contains(segment)) {
            merge_wanted_ = true;  // what uses it is in the tables from the next group on
            continue;
        }
        const auto unsent = outbox_->needs(segment);
        if (!unsent) return unsent.error();
        if (*unsent) continue;
        const auto needed = is_needed(segment);
        if (!needed) return needed.error();
        if (*needed) continue;
        const auto noted_in_mailboxes = write(sql_->bodies_released, whole(segment));
        if (!noted_in_mailboxes) return noted_in_mailboxes.error();
        const auto forgotten = write(sql_->forget_segment, whole(segment));
        if (!forgotten) return forgotten.error();
        const auto let_go = outbox_->let_go(segment);
        if (!let_go) return let_go.error();
        if (segment > last_segment_) {  // no number is used twice
            last_segment_ = segment;
            const auto remembered = put_meta(last_segment_row, fmt::format_int(segment).str());
            if (!remembered) return remembered.error();
        }
        needed_by_.erase(segment);
        released.push_back(segment);
    }
    return released;
}

}  // namespace store

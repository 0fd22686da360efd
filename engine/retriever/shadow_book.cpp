#include "engine/retriever/shadow_book.hpp"

#include <algorithm>
#include <set>

#include "engine/retriever/shadow_identity.hpp"
#include "protocols/base/text.hpp"
#include "protocols/mime/headers.hpp"

namespace retriever {
namespace {

constexpr std::size_t alike_max = 100;  // copies of one mail that are told apart
constexpr std::size_t unsettled_max = 10'000;
constexpr std::chrono::minutes clocks_apart{1};  // ours and the server's; INTERNALDATE has whole seconds

/// Writes down one look. Lives in one transaction.
class Entry {
public:
    Entry(store::Store& store, store::ShadowFolder folder, const ShadowFindings& findings)
        : shadows_(store.shadows()), findings_(findings) {
        entered_.folder = folder;
    }

    Result<void> head(const ShadowHead& head) {
        auto known = shadows_.find(folder().folder, folder().uid_validity, head.uid);
        if (!known) return known.error();
        if (*known && (*known)->fingerprint == head.fingerprint) return come_back(**known, head);
        auto alike = shadows_.alike(folder().mailbox, head.fingerprint, alike_max);
        if (!alike) return alike.error();
        if (auto* moved = renumbered(*alike, head)) {
            const auto step = shadows_.renumber(moved->number, folder().uid_validity, head.uid);
            if (!step) return step;
            ++entered_.recognised;
            moved->uid = head.uid;
            return come_back(*moved, head);
        }
        return add(head, *alike);
    }

    Result<void> seen(const imap::UidSet& uids) {
        return each(uids, [this](const store::ShadowMail& mail) {
            return mail.seen ? Result<void>() : shadows_.put_seen(mail.number, since(mail));
        });
    }
    Result<void> gone(const imap::UidSet& uids) {
        return each(uids, [this](const store::ShadowMail& mail) {
            return mail.gone ? Result<void>() : shadows_.put_gone(mail.number, since(mail));
        });
    }

    /// All of the folder was looked at.
    Result<void> complete() {
        auto& now = entered_.folder;
        if (now.compares) {
            const auto lost = shadows_.lose_others(now.folder, now.uid_validity, {now.looked_at, findings_.ended});
            if (!lost) return lost.error();
            entered_.lost = *lost;
        } else if (now.looked_at != store::Millis()) {
            now.unseen += findings_.unseen;
        }
        if (now.settled != 0) {
            const auto lost = lose_unsettled();
            if (!lost) return lost;
        }
        now.compares = false;
        now.settled = findings_.settled;
        now.cursor = std::max(now.cursor, findings_.top);
        now.looked_at = findings_.began;
        return {};
    }
    Result<void> count(const config::Shadow& shadow) {
        const auto put = shadows_.put_folder(folder());
        if (!put || shadow.taken == config::Shadow::Taken::list) return put;
        const auto taken =
            shadow.taken == config::Shadow::Taken::seen ? store::Shadows::Taken::seen : store::Shadows::Taken::removed;
        const auto overdue = folder().looked_at - shadow.grace;
        const auto missed = shadows_.not_taken(folder().folder, taken, overdue);
        if (!missed) return missed.error();
        entered_.missed = *missed;
        const auto next = shadows_.next_not_taken(folder().folder, taken, overdue);
        if (!next) return next.error();
        if (*next) entered_.next_due = **next + shadow.grace;
        return {};
    }

    [[nodiscard]] ShadowEntered take() { return std::move(entered_); }

private:
    [[nodiscard]] const store::ShadowFolder& folder() const noexcept { return entered_.folder; }
    [[nodiscard]] bool is_settled(std::uint32_t uid) const noexcept {
        return folder().settled == 0 || uid < folder().settled;
    }
    /// Between the last look, or the one that saw it first, and this one.
    [[nodiscard]] store::ShadowEvent since(const store::ShadowMail& mail) const {
        return {std::max(folder().looked_at, mail.first_seen), findings_.ended};
    }

    /// The one among them that lies under this UID now.
    store::ShadowMail* renumbered(std::vector<store::ShadowMail>& alike, const ShadowHead& head) {
        store::ShadowMail* found = nullptr;
        for (auto& mail : alike) {
            const bool may_be = mail.folder == folder().folder && !mail.gone && !claimed_.contains(mail.number) &&
                                (mail.uid_validity != folder().uid_validity || !is_settled(mail.uid));
            if (!may_be) continue;
            const bool same_date = head.internal_date && mail.internal_date == *head.internal_date;
            if (same_date) {
                found = &mail;
                break;
            }
            if (found == nullptr) found = &mail;
        }
        return found;
    }

    /// It is known, and there.
    Result<void> come_back(const store::ShadowMail& mail, const ShadowHead& head) {
        claimed_.insert(mail.number);
        Result<void> step;
        if (mail.gone) step = shadows_.put_gone(mail.number, std::nullopt);
        if (step && head.seen && !mail.seen) step = shadows_.put_seen(mail.number, since(mail));
        if (step) note(head.uid, head.seen || mail.seen);
        return step;
    }

    Result<void> add(const ShadowHead& head, const std::vector<store::ShadowMail>& alike) {
        store::ShadowMail mail;
        mail.mailbox = folder().mailbox;
        mail.folder = folder().folder;
        mail.uid_validity = folder().uid_validity;
        mail.uid = head.uid;
        mail.fingerprint = head.fingerprint;
        mail.message_id = head.message_id;
        mail.bytes = head.bytes;
        mail.first_seen = findings_.ended;
        mail.internal_date = head.internal_date.value_or(mail.first_seen);
        mail.arrived_at = arrival(mail);
        const auto is_it = [&](const store::ShadowMail& other) {
            const bool elsewhere = other.folder != mail.folder || other.gone || other.uid_validity != mail.uid_validity;
            return elsewhere && other.internal_date == mail.internal_date;
        };
        // What a change of UIDVALIDITY brings to light was there before, too: nobody asked for it.
        const bool old = folder().compares && mail.internal_date < folder().looked_at - clocks_apart;
        mail.again = old || std::any_of(alike.begin(), alike.end(), is_it);
        if (old) mail.arrived_at = mail.internal_date;
        if (head.seen) mail.seen = store::ShadowEvent{mail.arrived_at, mail.first_seen};
        const auto number = shadows_.add(mail);
        if (!number) return number.error();
        claimed_.insert(*number);
        entered_.arrived += mail.again ? 0 : 1;
        const bool shown_late = !folder().compares && head.uid <= folder().cursor;
        if (shown_late && folder().unseen > 0) --entered_.folder.unseen;
        note(head.uid, head.seen);
        return {};
    }

    /// INTERNALDATE, as far as it can be when it came into this folder: mail that somebody moves keeps its own.
    [[nodiscard]] store::Millis arrival(const store::ShadowMail& mail) const {
        const bool first_contact = folder().looked_at == store::Millis();
        const bool plausible = (first_contact || mail.internal_date >= folder().looked_at - std::chrono::seconds(1)) &&
                               mail.internal_date <= mail.first_seen;
        return plausible ? mail.internal_date : mail.first_seen;
    }

    /// Mail under UIDs that were not settled, and that no head of this look stands for.
    Result<void> lose_unsettled() {
        const auto& now = folder();
        const auto there = shadows_.there(now.folder, now.uid_validity, now.settled - 1, unsettled_max);
        if (!there) return there.error();
        for (const auto& row : *there) {
            if (claimed_.contains(row.number)) continue;
            const auto step = shadows_.put_gone(row.number, store::ShadowEvent{now.looked_at, findings_.ended});
            if (!step) return step;
            ++entered_.lost;
        }
        return {};
    }

    void note(imap::Uid uid, bool seen) {
        entered_.there.add(uid);
        if (seen) entered_.seen.add(uid);
    }

    template <class Act>
    Result<void> each(const imap::UidSet& uids, Act act) {
        for (const auto& range : uids.ranges()) {
            for (std::uint64_t uid = range.first; uid <= range.last; ++uid) {
                const auto mail =
                    shadows_.find(folder().folder, folder().uid_validity, static_cast<std::uint32_t>(uid));
                if (!mail) return mail.error();
                if (!*mail) continue;
                const auto step = act(**mail);
                if (!step) return step;
            }
        }
        return {};
    }

    store::Shadows& shadows_;
    const ShadowFindings& findings_;
    ShadowEntered entered_;
    std::set<std::int64_t> claimed_;  // rows that heads of this look stand for
};

}  // namespace

imap::FetchSink::Flow ShadowHeads::body_begins(const imap::FetchItem&, std::uint64_t) {
    head_.clear();
    return Flow::go_on;
}

imap::FetchSink::Flow ShadowHeads::body_bytes(std::string_view chunk) {
    head_.append(chunk.substr(0, mime::header_bytes_max - std::min(mime::header_bytes_max, head_.size())));
    return Flow::go_on;
}

imap::FetchSink::Flow ShadowHeads::fetched(const imap::FetchItem& item) {
    if (!item.has_body) return Flow::go_on;
    auto identity = shadow_identity_of(head_);
    ShadowHead head;
    head.uid = item.uid;
    head.fingerprint = identity.fingerprint;
    head.message_id = std::move(identity.message_id);
    head.bytes = item.size;
    const auto seconds = imap::read_internal_date(item.internal_date);
    if (seconds) head.internal_date = store::Millis(std::chrono::seconds(*seconds));
    head.seen = std::any_of(item.flags.begin(), item.flags.end(),
                            [](const std::string& flag) { return text::same(flag, "\\Seen"); });
    heads_.push_back(std::move(head));
    return Flow::go_on;
}

Result<ShadowEntered> enter(store::Store& store, store::ShadowFolder folder, const ShadowFindings& findings,
                            const config::Shadow& shadow) {
    Entry entry(store, folder, findings);
    // What is gone comes first: it may be there again, under another UID.
    Result<void> step = entry.gone(findings.gone);
    for (const auto& head : findings.heads) {
        if (step) step = entry.head(head);
    }
    if (step) step = entry.seen(findings.seen);
    if (step && findings.complete) step = entry.complete();
    if (step) step = entry.count(shadow);
    if (!step) return step.error();
    return entry.take();
}

}  // namespace retriever

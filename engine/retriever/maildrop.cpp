#include "engine/retriever/maildrop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/runtime/log.hpp"
#include "protocols/pop3/errc.hpp"

namespace retriever {

namespace {

constexpr std::size_t page_rows = 5000;
constexpr std::size_t slice_messages = 256;  // a drain waits for one slice at most
constexpr std::size_t job_rows = 2000;

using Listed = store::Listed;
using Where = store::Listed::Where;
using State = store::Listed::State;

Ended broken(error_code error) { return ended_by(error, std::string()); }

/// Keeps the heads of messages, and nothing behind them.
class HeadSink final : public imap::FetchSink {
public:
    explicit HeadSink(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    Flow body_begins(const imap::FetchItem&, std::uint64_t) override {
        head_.clear();
        return Flow::go_on;
    }
    Flow body_bytes(std::string_view chunk) override {
        head_.append(chunk.substr(0, bytes_max_ - std::min(bytes_max_, head_.size())));
        return Flow::go_on;
    }
    Flow fetched(const imap::FetchItem& item) override {
        heads.insert_or_assign(item.uid, read_mail_head(head_));
        return Flow::go_on;
    }
    void body_broken() noexcept override {}
    awaitable<Result<void>> room() override { co_return Result<void>(); }

    std::map<pop3::Number, MailHead> heads;

private:
    std::size_t bytes_max_;
    std::string head_;
};

/// Message numbers in place of names (RFC 1939 section 7 forbids it) become another message's with the next visit.
bool are_numbers(const std::vector<pop3::UidlEntry>& names) {
    return std::all_of(names.begin(), names.end(),
                       [](const pop3::UidlEntry& one) { return one.uidl == std::to_string(one.number); });
}

std::vector<pop3::ListEntry> numbers_of(const std::vector<ListingEntry>& entries) {
    std::vector<pop3::ListEntry> numbers;
    numbers.reserve(entries.size());
    for (const auto& entry : entries) numbers.push_back({entry.number, entry.bytes});
    return numbers;
}

/// The row of a message that is listed now, by this key.
Listed seen_again(Listed row, const ListingEntry& entry) {
    row.key = entry.key;
    row.where = Where::there;
    row.bytes = entry.bytes;
    return row;
}

/// Whether a key that comes back stands for the message that it stood for. What we removed comes back only if the
/// server has not done so: then it is to be removed again.
bool is_same(const Listed& row, const MailHead& head) {
    return row.fingerprint == head.fingerprint && (row.where == Where::gone || head.proves);
}

using Entries = std::deque<ListingEntry>;

Entries queue_of(std::vector<ListingEntry> entries) {
    return {std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end())};
}

std::vector<ListingEntry> take_slice(Entries& from, std::size_t most) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(most, from.size()));
    std::vector<ListingEntry> slice(std::make_move_iterator(from.begin()),
                                    std::make_move_iterator(from.begin() + count));
    from.erase(from.begin(), from.begin() + count);
    return slice;
}

}  // namespace

Maildrop::Maildrop(Facts facts, Intake::Sizes sizes, IntakeHouse house)
    : facts_(std::move(facts)), sizes_(sizes), house_(house) {}

awaitable<Maildrop::Taken> Maildrop::take_new(pop3::Client& client, const bool& stop) {
    Taken taken;
    taken.ended = co_await open();
    if (!taken.ended) taken.ended = co_await read_listing(client);
    if (taken.ended) co_return taken;
    taken.listed = listing_.size();
    if (folder_.uid_validity == 0) {
        taken.ended = co_await first_contact(client);
    } else {
        taken.ended = co_await compare(client, taken);
    }
    if (!taken.ended) taken.ended = co_await fetch(client, stop, taken);
    co_return taken;
}

awaitable<std::optional<Ended>> Maildrop::open() {
    auto look_up = [mailbox = facts_.mailbox](store::Workbench bench) {
        return bench.store.folder(mailbox, folder_name);
    };
    auto known = co_await house_.committer.run(house_.inbox, std::move(look_up));
    if (!known) co_return store_ended(known.error());
    folder_ = *known;
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> Maildrop::read_listing(pop3::Client& client) {
    auto sizes = co_await client.list();
    if (!sizes) co_return broken(sizes.error());
    if (!sizes->answer.ok()) co_return ended_by(sizes->answer, Ended::How::connection, "LIST");
    const auto& offered = client.capabilities();
    std::optional<std::vector<pop3::UidlEntry>> names;
    if (offered.uidl || !offered.known) {
        auto identified = co_await client.uidl();
        if (!identified) co_return broken(identified.error());
        if (identified->answer.ok()) names = std::move(identified->entries);
        if (!identified->answer.ok() && offered.uidl)
            co_return ended_by(identified->answer, Ended::How::connection, "UIDL");
    }
    if (names && are_numbers(*names)) names.reset();
    if (names) {
        auto listing = listing_of(*names, sizes->entries);
        if (!listing) co_return broken(pop3::errc::malformed_listing);
        listing_ = std::move(*listing);
        co_return std::nullopt;
    }
    std::vector<ListingEntry> unnamed;
    for (const auto& entry : sizes->entries) unnamed.push_back({entry.number, {}, entry.bytes});
    auto heads = co_await read_heads(client, unnamed);
    if (!heads) co_return broken(heads.error());
    std::map<store::Digest, std::uint32_t> copies;
    for (auto& entry : unnamed) {
        const auto head = heads->find(entry.number);
        if (head == heads->end()) continue;  // it could not be read now: another time
        entry.key = made_key(head->second.fingerprint, copies);
        listing_.push_back(std::move(entry));
    }
    heads_ = std::move(*heads);
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> Maildrop::read_there() {
    there_.clear();
    for (;;) {
        const std::string after = there_.empty() ? std::string() : there_.back().key;
        auto read = [folder = folder_.number, after](store::Workbench bench) {
            return bench.store.listings().there(folder, after, page_rows);
        };
        auto page = co_await house_.committer.run(house_.inbox, std::move(read));
        if (!page) co_return store_ended(page.error());
        const bool last = page->size() < page_rows;
        std::move(page->begin(), page->end(), std::back_inserter(there_));
        if (last) co_return std::nullopt;
    }
}

/// Heads of messages; those that the server refuses are missing.
awaitable<Result<Maildrop::Heads>> Maildrop::read_heads(pop3::Client& client, std::vector<ListingEntry> wanted) {
    Heads heads;
    std::vector<pop3::ListEntry> numbers;
    for (const auto& entry : wanted) {
        const auto known = heads_.find(entry.number);
        if (known != heads_.end()) heads.insert(*known);
        if (known == heads_.end()) numbers.push_back({entry.number, entry.bytes});
    }
    const auto& offered = client.capabilities();
    const auto part = offered.top || !offered.known ? pop3::Client::Part::head : pop3::Client::Part::whole;
    HeadSink sink(sizes_.head_bytes_max);
    auto refused = co_await client.fetch(std::move(numbers), part, sink);
    if (!refused) co_return refused.error();
    heads.merge(sink.heads);
    co_return heads;
}

/// What is there already, and not wanted, is remembered by its head: listed under another key it is not wanted either.
awaitable<std::optional<Ended>> Maildrop::first_contact(pop3::Client& client) {
    using From = config::Start::From;
    std::vector<Listed> passed_over;
    if (facts_.start.from == From::all) {
        fetch_ = queue_of(listing_);
    } else {
        auto heads = co_await read_heads(client, listing_);
        if (!heads) co_return broken(heads.error());
        const store::Millis from{facts_.start.date};
        for (const auto& entry : listing_) {
            const auto head = heads->find(entry.number);
            const bool dated = head != heads->end() && head->second.date;
            if (facts_.start.from == From::date && (!dated || *head->second.date >= from)) {
                fetch_.push_back(entry);
                continue;
            }
            Listed row;
            row.folder = folder_.number;
            row.key = entry.key;
            row.state = State::passed_over;
            row.bytes = entry.bytes;
            if (head != heads->end()) row.fingerprint = head->second.fingerprint;
            passed_over.push_back(std::move(row));
        }
    }
    auto adopt = [folder = folder_.number, rows = std::move(passed_over)](store::Workbench bench) -> Result<void> {
        auto step = bench.store.adopt_folder(folder, own_uid_validity, 0);
        for (const auto& row : rows) {
            if (step) step = bench.store.listings().put(row);
        }
        return step;
    };
    auto adopted = co_await house_.committer.run(house_.inbox, std::move(adopt));
    if (!adopted) co_return store_ended(adopted.error());
    folder_.uid_validity = own_uid_validity;
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> Maildrop::compare(pop3::Client& client, Taken& taken) {
    auto hindered = co_await read_there();
    if (hindered) co_return hindered;
    plan_ = plan_of_listing(listing_, there_);
    for (auto& entry : plan_.fetch) {
        if (entry.bytes <= sizes_.message_bytes_max) fetch_.push_back(std::move(entry));
    }
    hindered = co_await look_up_gone(plan_.unknown);
    if (hindered) co_return hindered;
    for (const auto& row : there_) is_there(row);
    hindered = co_await recognise(client, taken);
    if (hindered) co_return hindered;
    hindered = co_await note_gone();
    co_return hindered;
}

/// Whether keys that nobody lists any more come back.
awaitable<std::optional<Ended>> Maildrop::look_up_gone(std::vector<ListingEntry> unknown) {
    auto left = queue_of(std::move(unknown));
    while (!left.empty()) {
        auto slice = take_slice(left, job_rows);
        auto look_up = [folder = folder_.number,
                        slice = std::move(slice)](store::Workbench bench) -> Result<std::vector<Listed>> {
            std::vector<Listed> found;
            for (const auto& entry : slice) {
                auto row = bench.store.listings().find(folder, entry.key);
                if (!row) return row.error();
                if (*row && (*row)->where != Where::there) found.push_back(std::move(**row));
            }
            return found;
        };
        auto found = co_await house_.committer.run(house_.inbox, std::move(look_up));
        if (!found) co_return store_ended(found.error());
        for (auto& row : *found) {
            std::string key = row.key;
            gone_before_.insert_or_assign(std::move(key), std::move(row));
        }
    }
    co_return std::nullopt;
}

/// Tells new mail from mail that has another key, came back, or only seems to have changed. The rest is fetched.
awaitable<std::optional<Ended>> Maildrop::recognise(pop3::Client& client, Taken& taken) {
    auto hindered = co_await settle_changed(client);
    if (hindered) co_return hindered;
    std::multimap<store::Digest, std::size_t> lost;  // rows whose key is another message's now, or nobody's
    for (std::size_t i = 0; i < lost_.size(); ++i) {
        if (lost_[i].state != State::pending) lost.emplace(lost_[i].fingerprint, i);
    }
    auto doubtful = queue_of(std::exchange(replaced_, {}));
    for (const auto& entry : plan_.unknown) {
        const bool comes_back = gone_before_.contains(entry.key);
        (comes_back || !lost.empty() ? doubtful : fetch_).push_back(entry);
    }
    std::set<std::size_t> found;
    while (!doubtful.empty()) {
        auto slice = take_slice(doubtful, slice_messages);
        auto heads = co_await read_heads(client, slice);
        if (!heads) co_return broken(heads.error());
        Changes changes;
        for (auto& entry : slice) {
            const auto head = heads->find(entry.number);
            const auto back = gone_before_.find(entry.key);
            if (head != heads->end() && back != gone_before_.end() && is_same(back->second, head->second)) {
                changes.put.push_back(seen_again(back->second, entry));
                ++taken.recognised;
                continue;
            }
            const bool proves = head != heads->end() && head->second.proves;
            const auto match = proves ? lost.find(head->second.fingerprint) : lost.end();
            if (match == lost.end()) {
                fetch_.push_back(std::move(entry));
                continue;
            }
            const auto& row = lost_[match->second];
            changes.renamed.emplace_back(row.key, entry.key);
            changes.put.push_back(seen_again(row, entry));
            found.insert(match->second);
            lost.erase(match);
            ++taken.recognised;
        }
        hindered = co_await keep(std::move(changes));
        if (hindered) co_return hindered;
    }
    std::sort(fetch_.begin(), fetch_.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
    // What was found has its new key; a key that is another message's has that one's row.
    std::vector<Listed> left;
    std::set<std::string_view> listed;
    for (const auto& entry : listing_) listed.insert(entry.key);
    for (std::size_t i = 0; i < lost_.size(); ++i) {
        if (found.contains(i)) continue;
        if (lost_[i].state == State::stored) known_there_->remove(lost_[i].uid);
        if (!listed.contains(lost_[i].key)) left.push_back(std::move(lost_[i]));
    }
    lost_ = std::move(left);
    co_return std::nullopt;
}

/// Of what is listed with another size than before: the same messages, whose size Exchange tells anew, and others,
/// which have taken over a key.
awaitable<std::optional<Ended>> Maildrop::settle_changed(pop3::Client& client) {
    lost_ = std::exchange(plan_.vanished, {});
    std::map<std::string_view, const Listed*> there;
    for (const auto& row : there_) there.emplace(row.key, &row);
    auto changed = queue_of(std::exchange(plan_.changed, {}));
    while (!changed.empty()) {
        auto slice = take_slice(changed, slice_messages);
        auto heads = co_await read_heads(client, slice);
        if (!heads) co_return broken(heads.error());
        Changes changes;
        for (auto& entry : slice) {
            const auto head = heads->find(entry.number);
            const Listed& row = *there.at(entry.key);
            if (head != heads->end() && head->second.fingerprint == row.fingerprint) {
                changes.put.push_back(seen_again(row, entry));
                continue;
            }
            lost_.push_back(row);
            replaced_.push_back(std::move(entry));
        }
        auto hindered = co_await keep(std::move(changes));
        if (hindered) co_return hindered;
    }
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> Maildrop::keep(Changes changes) {
    if (changes.put.empty()) co_return std::nullopt;
    for (const auto& row : changes.put) is_there(row);
    std::set<std::string_view> listed;
    for (const auto& entry : listing_) listed.insert(entry.key);
    std::erase_if(changes.renamed, [&listed](const auto& each) { return listed.contains(each.first); });
    auto note = [folder = folder_.number, changes = std::move(changes)](store::Workbench bench) -> Result<void> {
        Result<void> step;
        for (const auto& [from, to] : changes.renamed) {
            if (step) step = bench.store.listings().rename(folder, from, to);
        }
        for (const auto& row : changes.put) {
            if (step) step = bench.store.listings().put(row);
        }
        return step;
    };
    auto noted = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!noted) co_return store_ended(noted.error());
    co_return std::nullopt;
}

/// Only after all that is unknown was told apart: what vanished may have been among it.
awaitable<std::optional<Ended>> Maildrop::note_gone() {
    auto rows = std::exchange(lost_, {});
    for (std::size_t from = 0; from < rows.size(); from += job_rows) {
        const auto to = std::min(rows.size(), from + job_rows);
        std::vector<Listed> some(rows.begin() + static_cast<std::ptrdiff_t>(from),
                                 rows.begin() + static_cast<std::ptrdiff_t>(to));
        auto note = [some = std::move(some)](store::Workbench bench) -> Result<void> {
            Result<void> step;
            for (Listed row : some) {
                row.where = Where::gone;
                if (step && row.state == State::pending)
                    step = bench.store.remove_pending(row.folder, own_uid_validity, row.uid);
                if (step) step = bench.store.listings().put(row);
            }
            return step;
        };
        auto noted = co_await house_.committer.run(house_.inbox, std::move(note));
        if (!noted) co_return store_ended(noted.error());
    }
    house_.counters.messages_gone.fetch_add(rows.size(), std::memory_order_relaxed);
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> Maildrop::fetch(pop3::Client& client, const bool& stop, Taken& taken) {
    ListedIntake intake({facts_.mailbox_id, facts_.mailbox, folder_name, folder_.number, known_there_}, sizes_, house_);
    std::optional<Ended> ended;
    std::vector<ListingEntry> oversize;
    std::erase_if(fetch_, [&](const ListingEntry& entry) {
        if (entry.bytes <= sizes_.message_bytes_max) return false;
        oversize.push_back(entry);
        return true;
    });
    std::vector<ListingEntry> refused;
    std::string why;
    while (!fetch_.empty() && !stop && !ended) {
        auto slice = take_slice(fetch_, slice_messages);
        intake.expect(slice);
        auto fetched = co_await client.fetch(numbers_of(slice), pop3::Client::Part::whole, intake);
        if (!fetched) {
            ended = broken(fetched.error());
            if (fetched.error() == pop3::errc::body_too_long) {
                const auto culprit = client.unfinished();
                for (auto& entry : slice) {
                    if (culprit == entry.number) oversize.push_back(std::move(entry));
                }
            }
            break;
        }
        for (const auto& refusal : *fetched) {
            auto over = ended_by(refusal.answer, Ended::How::connection, fmt::format("RETR {}", refusal.number));
            if (over.how != Ended::How::connection) {  // throttled, token: nothing to do with the message
                ended = std::move(over);
                break;
            }
            why = "the server refused: " + refusal.answer.text;
            for (auto& entry : slice) {
                if (entry.number == refusal.number) refused.push_back(entry);
            }
        }
        for (auto& entry : intake.take_again()) fetch_.push_front(std::move(entry));
    }
    auto settled = co_await intake.settle();
    taken.stored = intake.progress().stored;
    taken.known_before = intake.progress().known_before;
    taken.bytes = intake.progress().stored_bytes;
    if (!settled) co_return store_ended(settled.error());
    for (auto& entry : intake.take_oversize()) oversize.push_back(std::move(entry));
    taken.pending = oversize.size() + refused.size();
    auto kept = co_await keep_pending(std::move(oversize), too_large());
    if (kept) co_return kept;
    kept = co_await keep_pending(std::move(refused), std::move(why));
    if (kept) co_return kept;
    co_return ended;
}

/// They are asked for again with the next visit; one that is too large is left alone until its size has changed.
awaitable<std::optional<Ended>> Maildrop::keep_pending(std::vector<ListingEntry> entries, std::string reason) {
    if (entries.empty()) co_return std::nullopt;
    const auto seen = std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall());
    auto note = [mailbox = facts_.mailbox, folder = folder_.number, entries = std::move(entries),
                 reason = std::move(reason), seen](store::Workbench bench) -> Result<void> {
        for (const auto& entry : entries) {
            const auto known = bench.store.listings().find(folder, entry.key);
            if (!known) return known.error();
            Listed row;
            row.folder = folder;
            row.key = entry.key;
            row.bytes = entry.bytes;
            const bool was_pending = *known && (*known)->state == State::pending;
            if (was_pending) {
                row.uid = (*known)->uid;
            } else {
                const auto uid = next_uid(bench.store, mailbox, folder_name);
                if (!uid) return uid.error();
                row.uid = *uid;
            }
            store::Pending pending;
            pending.folder = folder;
            pending.uid_validity = own_uid_validity;
            pending.uid = row.uid;
            pending.attempts = 1;
            pending.first_seen = seen;
            pending.reason = reason;
            auto step = bench.store.put_pending(pending);
            if (step) step = bench.store.listings().put(row);
            if (!step) return step;
        }
        return {};
    };
    auto noted = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!noted) co_return store_ended(noted.error());
    co_return std::nullopt;
}

/// Which of these may be removed now.
awaitable<Result<Maildrop::Due>> Maildrop::look_up_due_ones(std::vector<Listed> rows) {
    const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall());
    auto look_up = [mailbox = facts_.mailbox, policy = facts_.after, rows = std::move(rows),
                    now](store::Workbench bench) -> Result<Due> {
        Due due;
        const auto acknowledged = bench.store.acknowledged(mailbox);
        if (!acknowledged) return acknowledged.error();
        for (const auto& row : rows) {
            const auto message = bench.store.message_at(row.folder, own_uid_validity, row.uid);
            if (!message) return message.error();
            if (!*message) continue;
            const auto dueness = dueness_in(bench.store, policy, **message, *acknowledged, now);
            if (!dueness) return dueness.error();
            if (dueness->wait == Wait::set_aside) continue;
            if (dueness->wait == Wait::nothing) {
                due.keys.push_back(row.key);
                continue;
            }
            due.to_acknowledge += dueness->wait == Wait::acknowledgement ? 1 : 0;
            due.next = std::min(due.next, std::max(now, (*message)->received_at + policy.delay));
        }
        return due;
    };
    auto due = co_await house_.committer.run(house_.inbox, std::move(look_up));
    co_return due;
}

awaitable<std::optional<Ended>> Maildrop::remove_acknowledged(pop3::Client& client, Taken& taken) {
    if (facts_.after.after != config::After::remove) co_return std::nullopt;
    taken.nothing_due_before = facts_.nothing_due_before;
    const bool recognised = taken.recognised + taken.known_before > 0;  // it may be due at once
    if (!recognised && house_.clock.wall() < facts_.nothing_due_before) co_return std::nullopt;
    auto hindered = co_await read_there();
    if (hindered) co_return hindered;
    std::map<std::string_view, pop3::Number> numbers;
    for (const auto& entry : listing_) numbers.emplace(entry.key, entry.number);
    std::vector<pop3::Number> doomed;
    std::erase_if(there_, [&](const Listed& row) { return row.state != State::stored || !numbers.contains(row.key); });
    taken.nothing_due_before = std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall()) +
                               facts_.after.delay;  // of what comes from now on
    for (std::size_t from = 0; from < there_.size(); from += job_rows) {
        const auto to = std::min(there_.size(), from + job_rows);
        std::vector<Listed> some(there_.begin() + static_cast<std::ptrdiff_t>(from),
                                 there_.begin() + static_cast<std::ptrdiff_t>(to));
        auto due = co_await look_up_due_ones(std::move(some));
        if (!due) co_return store_ended(due.error());
        taken.to_acknowledge += due->to_acknowledge;
        taken.nothing_due_before = std::min(taken.nothing_due_before, due->next);
        for (auto& key : due->keys) {
            doomed.push_back(numbers.at(key));
            removing_.push_back(std::move(key));
        }
    }
    // What the server does not remove now is due again.
    if (!doomed.empty()) taken.nothing_due_before = {};
    if (doomed.empty()) co_return std::nullopt;
    auto refused = co_await client.remove(std::move(doomed));
    if (!refused) co_return broken(refused.error());
    for (const auto& each : *refused) {
        spdlog::debug("mailbox={} message={} not_removed={}", facts_.mailbox_id, each.number,
                      runtime::value(each.answer.text));
        std::erase_if(removing_, [&](const std::string& key) { return numbers.at(key) == each.number; });
    }
    co_return std::nullopt;
}

awaitable<std::optional<Ended>> Maildrop::removed() {
    if (removing_.empty()) co_return std::nullopt;
    auto note = [folder = folder_.number, keys = std::exchange(removing_, {})](store::Workbench bench) -> Result<void> {
        for (const auto& key : keys) {
            auto row = bench.store.listings().find(folder, key);
            if (!row) return row.error();
            if (!*row) continue;
            (*row)->where = Where::removed;
            const auto put = bench.store.listings().put(**row);
            if (!put) return put;
        }
        return {};
    };
    auto noted = co_await house_.committer.run(house_.inbox, std::move(note));
    if (!noted) co_return store_ended(noted.error());
    co_return std::nullopt;
}

void Maildrop::is_there(const Listed& row) {
    if (row.state == State::stored) known_there_->add(row.uid);
}

std::string Maildrop::too_large() const { return fmt::format("larger than {} bytes", sizes_.message_bytes_max); }

Ended Maildrop::store_ended(error_code error) const {
    Ended ended;
    ended.how = Ended::How::store;
    ended.reason = fmt::format("the store could not keep mail of {}: {}", facts_.mailbox_id, error.message());
    return ended;
}

}  // namespace retriever

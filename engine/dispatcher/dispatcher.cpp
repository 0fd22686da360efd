#include "engine/dispatcher/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/runtime/log.hpp"

namespace dispatcher {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t page_submissions = 500;
constexpr std::size_t page_mailboxes = 200;

void report(const std::string& name, const std::string& what) {
    spdlog::error("{} id=crashed reason={}", name, runtime::value(what));
}

/// What is known of these mailboxes: when they have something to do, and what they have spent.
struct LookUp {
    std::vector<store::MailboxNumber> mailboxes;
    store::Millis now{};
    struct Known {
        store::Outbox::Due due;
        std::uint64_t recipients_today = 0;
    };
    Result<std::vector<Known>> operator()(store::Workbench bench) const {
        std::vector<Known> found;
        for (const auto mailbox : mailboxes) {
            const auto due = bench.store.outbox().due_of(mailbox);
            if (!due) return due.error();
            const auto today = Purse::today(bench.store, mailbox, now);
            if (!today) return today.error();
            found.push_back({*due, *today});
        }
        return found;
    }
};

struct DoubtTaken {
    store::Millis now{};
    std::chrono::milliseconds settling_time{};
    Result<std::size_t> operator()(store::Workbench bench) const {
        const auto taken = bench.store.outbox().taken(page_submissions);
        if (!taken) return {boost::system::in_place_error, taken.error()};
        for (const auto& one : *taken) {
            const bool was_sent = one.state == store::SubmissionState::sending;
            const auto ticket = submission::ticket_from(one.envelope);
            auto progress =
                ticket ? submission::progress_from(one.progress, ticket->envelope.recipients.size()) : std::nullopt;
            if (progress && was_sent) {
                ++progress->doubts;
                progress->looks = 0;
                const bool alone = progress->waiting() == 1;
                for (auto& fate : progress->recipients) {
                    if (submission::Progress::is_open(fate))
                        fate.state = alone ? submission::Fate::State::in_doubt : submission::Fate::State::unclear;
                }
            }
            const store::Outcome outcome{.state = store::SubmissionState::in_doubt,
                                         .due = now + settling_time,
                                         .attempts = one.attempts,
                                         .at = now,
                                         .progress = progress ? encoded(*progress) : one.progress,
                                         .reason = "it was being sent when rohrpost ended"};
            const auto settled = bench.store.outbox().settle(one.id, outcome);
            if (!settled) return {boost::system::in_place_error, settled.error()};
            if (!progress || !was_sent) continue;
            const auto told = bench.store.outbox().add_event({.submission = one.id,
                                                              .mailbox = one.mailbox,
                                                              .at = now,
                                                              .kind = "in_doubt",
                                                              .detail = event_detail(*ticket, *progress, outcome)});
            if (!told) return {boost::system::in_place_error, told.error()};
        }
        return taken->size();
    }
};

}  // namespace

class Dispatcher::Arrival final : public queue::Inbox::Note {
public:
    Arrival(Dispatcher& dispatcher, store::MailboxNumber mailbox, Why why, store::Millis due = {})
        : dispatcher_(dispatcher), mailbox_(mailbox), why_(why), due_(due) {}
    void deliver() noexcept override {
        if (dispatcher_.draining_) return;
        if (why_ == Why::queued) {
            dispatcher_.arrived(mailbox_, due_);
        } else {
            dispatcher_.scope_.spawn("dispatcher", dispatcher_.look_up({mailbox_}, why_));
        }
    }

private:
    Dispatcher& dispatcher_;
    store::MailboxNumber mailbox_;
    Why why_;
    store::Millis due_;
};

Dispatcher::Dispatcher(runtime::Shard& shard, store::Committer& committer, const store::Bodies& bodies,
                       Allowances& allowances, std::unique_ptr<tokens::TokenClient> tokens, Line::Sizes sizes,
                       std::chrono::milliseconds settling_time)
    : shard_(shard),
      tokens_(std::move(tokens)),
      house_{.shard = shard.executor(),
             .seams = shard.seams(),
             .inbox = shard.inbox(),
             .committer = committer,
             .bodies = bodies,
             .tokens = *tokens_,
             .allowances = allowances,
             .sizes = std::move(sizes),
             .settling = {.first_look = settling_time},
             .looking = looking_rules(settling_time)},
      scope_(shard.executor(), report) {}

void Dispatcher::meet(Neighbours neighbours) {
    house_.bounced = std::move(neighbours.bounced);
    house_.has_consumer = std::move(neighbours.has_consumer);
    house_.moved = std::move(neighbours.moved);
}

Desk* Dispatcher::desk_of(store::MailboxNumber mailbox) {
    const auto sender = senders_.find(mailbox);
    if (sender == senders_.end()) return nullptr;
    return desks_.at(sender->second.desk).get();
}

void Dispatcher::serve(std::vector<Sender> senders) {
    std::vector<store::MailboxNumber> fresh;
    std::map<store::MailboxNumber, Entry> before = std::exchange(senders_, {});
    for (auto& sender : senders) {
        const auto number = sender.number;
        Entry entry{.desk = {sender.credential, sender.login},
                    .documents = sender.documents,
                    .sign_ins = sender.sign_ins,
                    .paused = sender.paused};
        const auto known = before.find(number);
        const bool stays = known != before.end() && known->second.desk == entry.desk;
        if (known != before.end() && !stays) desks_.at(known->second.desk)->remove(number);
        if (!stays) fresh.push_back(number);
        auto& desk = desks_[entry.desk];
        if (desk == nullptr) desk = std::make_unique<Desk>(house_);
        // Whoever is as before goes on waiting for what it waits for.
        const bool same = stays && known->second.documents == entry.documents &&
                          known->second.sign_ins == entry.sign_ins && known->second.paused == entry.paused;
        if (!same) desk->put(std::move(sender));
        if (known != before.end()) before.erase(known);
        senders_.emplace(number, std::move(entry));
    }
    for (const auto& [number, entry] : before) desks_.at(entry.desk)->remove(number);
    // A desk without mailboxes stays until the shard ends: mail may be under way from it.
    if (!fresh.empty()) scope_.spawn("dispatcher", look_up(std::move(fresh), Why::moved));
}

/// Waits while the disk is full.
awaitable<void> Dispatcher::look_up(std::vector<store::MailboxNumber> mailboxes, Why why) {
    for (std::size_t at = 0; at < mailboxes.size(); at += page_mailboxes) {
        const auto end = std::min(at + page_mailboxes, mailboxes.size());
        LookUp page;
        page.mailboxes.assign(mailboxes.begin() + static_cast<std::ptrdiff_t>(at),
                              mailboxes.begin() + static_cast<std::ptrdiff_t>(end));
        page.now = house_.wall();
        auto found = co_await once_there_is_room(house_, std::move(page));
        if (!found) {
            spdlog::error("dispatcher id=store_error reason={}", runtime::value(found.error().message()));
            co_return;
        }
        for (const auto& [due, recipients_today] : *found) {
            Desk* desk = desk_of(due.mailbox);
            if (desk == nullptr || draining_) continue;
            desk->spent(due.mailbox, recipients_today);
            if (due.queued) desk->queued(due.mailbox, *due.queued);
            if (due.doubtful) desk->doubtful(due.mailbox, *due.doubtful);
            if (why == Why::operator_said) desk->try_again(due.mailbox);
        }
    }
}

void Dispatcher::queued(store::MailboxNumber mailbox, store::Millis due) {
    shard_.inbox().put(std::make_unique<Arrival>(*this, mailbox, Why::queued, due));
}

void Dispatcher::changed(store::MailboxNumber mailbox) {
    shard_.inbox().put(std::make_unique<Arrival>(*this, mailbox, Why::operator_said));
}

void Dispatcher::look_again(store::MailboxNumber mailbox) {
    shard_.inbox().put(std::make_unique<Arrival>(*this, mailbox, Why::moved));
}

void Dispatcher::arrived(store::MailboxNumber mailbox, store::Millis due) {
    if (Desk* desk = desk_of(mailbox)) desk->queued(mailbox, due);
}

void Dispatcher::drain() {
    draining_ = true;
    for (auto& [key, desk] : desks_) desk->drain();
}

awaitable<void> Dispatcher::join() {
    for (auto& [key, desk] : desks_) co_await desk->join();
    co_await scope_.join();
}

void Dispatcher::cancel() {
    for (auto& [key, desk] : desks_) desk->cancel();
    scope_.cancel();
}

awaitable<std::vector<SenderState>> Dispatcher::states() {
    std::vector<SenderState> all;
    for (const auto& [key, desk] : desks_) {
        auto here = desk->states();
        all.insert(all.end(), std::make_move_iterator(here.begin()), std::make_move_iterator(here.end()));
    }
    co_return all;
}

awaitable<Result<std::size_t>> doubt_what_was_taken(store::Committer& committer, queue::Inbox& inbox, store::Millis now,
                                                    std::chrono::milliseconds settling_time) {
    std::size_t doubted = 0;
    for (;;) {
        DoubtTaken work{now, settling_time};
        auto page = co_await committer.run(inbox, std::move(work));
        if (!page) co_return page.error();
        doubted += *page;
        if (*page < page_submissions) co_return doubted;
    }
}

}  // namespace dispatcher

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

/// When these mailboxes have something to do.
struct LookUp {
    std::vector<store::MailboxNumber> mailboxes;
    Result<std::vector<store::Outbox::Due>> operator()(store::Workbench bench) const {
        std::vector<store::Outbox::Due> found;
        for (const auto mailbox : mailboxes) {
            const auto due = bench.store.outbox().due_of(mailbox);
            if (!due) return due.error();
            found.push_back(*due);
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
            auto progress = submission::Progress();
            if (const auto ticket = submission::ticket_from(one.envelope)) {
                auto known = submission::progress_from(one.progress, ticket->envelope.recipients.size());
                if (known) progress = std::move(*known);
            }
            if (one.state == store::SubmissionState::sending) ++progress.doubts;
            const store::Outcome outcome{.state = store::SubmissionState::in_doubt,
                                         .due = now + settling_time,
                                         .attempts = one.attempts,
                                         .at = now,
                                         .progress = encoded(progress),
                                         .reason = "it was being sent when rohrpost ended"};
            const auto settled = bench.store.outbox().settle(one.id, outcome);
            if (!settled) return {boost::system::in_place_error, settled.error()};
        }
        return taken->size();
    }
};

}  // namespace

class Dispatcher::Arrival final : public queue::Inbox::Note {
public:
    Arrival(Dispatcher& dispatcher, store::MailboxNumber mailbox, std::optional<store::Millis> due)
        : dispatcher_(dispatcher), mailbox_(mailbox), due_(due) {}
    void deliver() noexcept override {
        if (dispatcher_.draining_) return;
        if (due_) {
            dispatcher_.arrived(mailbox_, *due_);
        } else {
            dispatcher_.scope_.spawn("dispatcher", dispatcher_.look_up({mailbox_}));
        }
    }

private:
    Dispatcher& dispatcher_;
    store::MailboxNumber mailbox_;
    std::optional<store::Millis> due_;
};

Dispatcher::Dispatcher(runtime::Shard& shard, store::Committer& committer, const store::Bodies& bodies,
                       runtime::Counters& counters, std::unique_ptr<tokens::TokenClient> tokens, Line::Sizes sizes,
                       std::chrono::milliseconds settling_time)
    : shard_(shard),
      committer_(committer),
      tokens_(std::move(tokens)),
      house_{.shard = shard.executor(),
             .seams = shard.seams(),
             .inbox = shard.inbox(),
             .committer = committer,
             .bodies = bodies,
             .tokens = *tokens_,
             .counters = counters,
             .sizes = std::move(sizes),
             .settling = {.first_look = settling_time},
             .looking = looking_rules(settling_time)},
      scope_(shard.executor(), report) {}

void Dispatcher::bounces_go_to(std::function<void(store::MailboxNumber)> bounced,
                               std::function<bool(store::MailboxNumber)> has_consumer) {
    house_.bounced = std::move(bounced);
    house_.has_consumer = std::move(has_consumer);
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
        Entry entry{.desk = {sender.credential, sender.login}, .documents = sender.documents, .paused = sender.paused};
        const auto known = before.find(number);
        const bool stays = known != before.end() && known->second.desk == entry.desk;
        if (known != before.end() && !stays) desks_.at(known->second.desk)->remove(number);
        if (!stays) fresh.push_back(number);
        auto& desk = desks_[entry.desk];
        if (desk == nullptr) desk = std::make_unique<Desk>(house_);
        const bool same = stays && known->second.documents == entry.documents && known->second.paused == entry.paused;
        if (same) {
            desk->try_again();
        } else {
            desk->put(std::move(sender));
        }
        if (known != before.end()) before.erase(known);
        senders_.emplace(number, std::move(entry));
    }
    for (const auto& [number, entry] : before) desks_.at(entry.desk)->remove(number);
    // A desk without mailboxes stays until the shard ends: mail may be under way from it.
    if (!fresh.empty()) scope_.spawn("dispatcher", look_up(std::move(fresh)));
}

awaitable<void> Dispatcher::look_up(std::vector<store::MailboxNumber> mailboxes) {
    for (std::size_t at = 0; at < mailboxes.size(); at += page_mailboxes) {
        const auto end = std::min(at + page_mailboxes, mailboxes.size());
        LookUp page{{mailboxes.begin() + static_cast<std::ptrdiff_t>(at),
                     mailboxes.begin() + static_cast<std::ptrdiff_t>(end)}};
        auto found = co_await committer_.run(shard_.inbox(), std::move(page));
        if (!found) {
            spdlog::error("dispatcher id=store_error reason={}", runtime::value(found.error().message()));
            co_return;
        }
        for (const auto& due : *found) {
            Desk* desk = desk_of(due.mailbox);
            if (desk == nullptr || draining_) continue;
            if (due.queued) desk->queued(due.mailbox, *due.queued);
            if (due.doubtful) desk->doubtful(due.mailbox, *due.doubtful);
        }
    }
}

void Dispatcher::queued(store::MailboxNumber mailbox, store::Millis due) {
    shard_.inbox().put(std::make_unique<Arrival>(*this, mailbox, due));
}

void Dispatcher::changed(store::MailboxNumber mailbox) {
    shard_.inbox().put(std::make_unique<Arrival>(*this, mailbox, std::nullopt));
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

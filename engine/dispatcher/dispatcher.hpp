#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/dispatcher/desk.hpp"
#include "engine/runtime/shard.hpp"

namespace dispatcher {

/// The senders of one shard, at their desks: those that hand over as the same identity share one. All calls on the
/// shard, except where noted.
class Dispatcher {
public:
    Dispatcher(runtime::Shard& shard, store::Committer& committer, const store::Bodies& bodies, Allowances& allowances,
               std::unique_ptr<tokens::TokenClient> tokens, Line::Sizes sizes, std::chrono::milliseconds settling_time);

    /// Whom a dispatcher tells of what concerns others. Before serve().
    struct Neighbours {
        std::function<void(store::MailboxNumber)> bounced;       // a report is in the mailbox's ledger
        std::function<bool(store::MailboxNumber)> has_consumer;  // somebody takes the mailbox's mail
        std::function<void(store::MailboxNumber)> moved;         // its mail waits again, and it sends elsewhere now
    };
    void meet(Neighbours neighbours);
    /// Exactly these send from now on. What waits for them is looked up; what was being sent when the last process
    /// ended is in doubt.
    void serve(std::vector<Sender> senders);
    /// Any thread: something of this mailbox is durable and due then.
    void queued(store::MailboxNumber mailbox, store::Millis due);
    /// Any thread: an operator has changed what waits of it, and wants it to be tried.
    void changed(store::MailboxNumber mailbox);
    /// Any thread: what waits of it has changed.
    void look_again(store::MailboxNumber mailbox);

    void drain();
    awaitable<void> join();
    void cancel();
    [[nodiscard]] awaitable<std::vector<SenderState>> states();
    /// Any thread: while it stays the same, nothing but time changes the states.
    [[nodiscard]] std::uint64_t changes() const noexcept { return house_.changes; }

private:
    using Key = std::pair<std::string, std::string>;  // credential, login
    enum class Why { queued, moved, operator_said };
    class Arrival;
    Desk* desk_of(store::MailboxNumber mailbox);
    void arrived(store::MailboxNumber mailbox, store::Millis due);
    awaitable<void> look_up(std::vector<store::MailboxNumber> mailboxes, Why why);

    runtime::Shard& shard_;
    std::unique_ptr<tokens::TokenClient> tokens_;
    House house_;
    std::map<Key, std::unique_ptr<Desk>> desks_;
    struct Entry {
        Key desk;
        store::Digest documents{};
        std::uint64_t sign_ins = 0;
        std::string paused;
    };
    std::map<store::MailboxNumber, Entry> senders_;
    bool draining_ = false;
    runtime::Scope scope_;  // last
};

/// What was being sent when the last process ended may have left: it is in doubt now. At the start, before anybody
/// serves, looked for after `settling_time`; pages through the committer.
awaitable<Result<std::size_t>> doubt_what_was_taken(store::Committer& committer, queue::Inbox& inbox, store::Millis now,
                                                    std::chrono::milliseconds settling_time);

}  // namespace dispatcher

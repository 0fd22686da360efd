#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "queue/inbox.hpp"
#include "queue/store/records.hpp"

namespace retriever {

/// Calls sessions that have something to do at their server, because mail was acknowledged or an operator asked. Any
/// thread rings; a session hears it on its shard, once for any number of rings. Outlives all sessions.
class Doorbell {
public:
    /// Hears on behalf of its sessions.
    class Porter {
    public:
        virtual ~Porter() = default;
        virtual void rung(store::MailboxNumber mailbox) = 0;
    };
    struct Door {
        std::string mailbox_id;
        queue::Inbox* inbox = nullptr;  // of the porter's shard
        Porter* porter = nullptr;
        bool acknowledgements = false;  // they concern it; something is to be done at once, too
    };

    void open(store::MailboxNumber mailbox, Door door);
    void close(store::MailboxNumber mailbox);

    void ring(store::MailboxNumber mailbox);
    /// Rings where acknowledgements concern the session.
    void acknowledged(store::MailboxNumber mailbox);

    /// How often it has rung so far. Whoever has done everything that was to be done at that time says so to
    /// answered().
    [[nodiscard]] std::uint64_t rings(store::MailboxNumber mailbox) const;
    void answered(store::MailboxNumber mailbox, std::uint64_t rings);
    /// Ids of mailboxes whose last ring is not answered.
    [[nodiscard]] std::vector<std::string> unanswered() const;

private:
    class RingNote;
    struct Entry {
        Door door;
        std::uint64_t rings = 0;
        std::uint64_t answered = 0;
        bool under_way = false;  // a note is
    };
    void ring_at(store::MailboxNumber mailbox, Entry& entry);
    void hear(store::MailboxNumber mailbox);

    mutable std::mutex mutex_;
    std::map<store::MailboxNumber, Entry> entries_;
};

}  // namespace retriever

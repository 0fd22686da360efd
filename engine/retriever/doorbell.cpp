#include "engine/retriever/doorbell.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace retriever {

class Doorbell::RingNote final : public queue::Inbox::Note {
public:
    RingNote(Doorbell& bell, store::MailboxNumber mailbox) : bell_(bell), mailbox_(mailbox) {}
    void deliver() noexcept override { bell_.hear(mailbox_); }

private:
    Doorbell& bell_;
    store::MailboxNumber mailbox_;
};

void Doorbell::open(store::MailboxNumber mailbox, Door door) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[mailbox];
    if (door.acknowledgements) ++entry.rings;
    entry.door = std::move(door);
}

void Doorbell::close(store::MailboxNumber mailbox) {
    const std::lock_guard lock(mutex_);
    entries_.erase(mailbox);
}

void Doorbell::ring(store::MailboxNumber mailbox) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(mailbox);
    if (found != entries_.end()) ring_at(mailbox, found->second);
}

void Doorbell::acknowledged(store::MailboxNumber mailbox) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(mailbox);
    if (found != entries_.end() && found->second.door.acknowledgements) ring_at(mailbox, found->second);
}

void Doorbell::ring_at(store::MailboxNumber mailbox, Entry& entry) {
    ++entry.rings;
    if (std::exchange(entry.under_way, true)) return;
    entry.door.inbox->put(std::make_unique<RingNote>(*this, mailbox));
}

void Doorbell::hear(store::MailboxNumber mailbox) {
    Porter* porter = nullptr;
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(mailbox);
        if (found == entries_.end()) return;
        found->second.under_way = false;
        porter = found->second.door.porter;
    }
    porter->rung(mailbox);
}

std::uint64_t Doorbell::rings(store::MailboxNumber mailbox) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(mailbox);
    return found == entries_.end() ? 0 : found->second.rings;
}

void Doorbell::answered(store::MailboxNumber mailbox, std::uint64_t rings) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(mailbox);
    if (found != entries_.end()) found->second.answered = std::max(found->second.answered, rings);
}

std::vector<std::string> Doorbell::unanswered() const {
    std::vector<std::string> ids;
    const std::lock_guard lock(mutex_);
    for (const auto& [mailbox, entry] : entries_) {
        if (entry.answered < entry.rings) ids.push_back(entry.door.mailbox_id);
    }
    return ids;
}

}  // namespace retriever

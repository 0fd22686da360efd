#include "queue/inbox.hpp"

namespace queue {

Inbox::~Inbox() {
    Note* note = newest_.exchange(nullptr, std::memory_order_acquire);
    while (note != nullptr) {
        const std::unique_ptr<Note> ended(note);
        note = ended->next_;
    }
}

void Inbox::put(std::unique_ptr<Note> note) {
    Note* only = note.release();
    put_chain(only, only);
}

void Inbox::put(std::vector<std::unique_ptr<Note>> notes) {
    if (notes.empty()) return;
    for (std::size_t at = 1; at < notes.size(); ++at) notes[at]->next_ = notes[at - 1].get();
    Note* newest = notes.back().get();
    Note* oldest = notes.front().get();
    for (auto& note : notes) static_cast<void>(note.release());
    put_chain(newest, oldest);
}

void Inbox::put_chain(Note* newest, Note* oldest) {
    Note* before = newest_.load(std::memory_order_relaxed);
    do {
        oldest->next_ = before;
    } while (!newest_.compare_exchange_weak(before, newest, std::memory_order_release, std::memory_order_relaxed));
    if (before == nullptr) asio::post(shard_, [this] { deliver_all(); });
}

void Inbox::deliver_all() noexcept {
    Note* newest = newest_.exchange(nullptr, std::memory_order_acquire);
    Note* oldest = nullptr;
    while (newest != nullptr) {
        Note* next = newest->next_;
        newest->next_ = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != nullptr) {
        const std::unique_ptr<Note> note(oldest);
        oldest = note->next_;
        note->deliver();
    }
}

}  // namespace queue

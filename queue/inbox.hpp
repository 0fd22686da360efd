#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "protocols/wait/asio.hpp"

namespace queue {

/// How other threads hand values to a shard. Any thread puts; the shard's event loop delivers, in order per sender.
/// Lock-free; the event loop is only woken when the inbox was empty. Inbox and shard outlive the last put(): whoever
/// puts from a thread of its own, as the committer does, is stopped before them.
class Inbox {
public:
    /// What is handed over: owns its values, knows what to do with them on the shard.
    class Note {
    public:
        Note() = default;
        Note(const Note&) = delete;
        Note& operator=(const Note&) = delete;
        virtual ~Note() = default;
        /// On the shard. The note ends right after it.
        virtual void deliver() noexcept = 0;

    private:
        friend class Inbox;
        Note* next_ = nullptr;
    };

    explicit Inbox(asio::any_io_executor shard) : shard_(std::move(shard)) {}
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    /// Undelivered notes end undelivered.
    ~Inbox();

    void put(std::unique_ptr<Note> note);
    /// All of them, in their order, with at most one wake-up.
    void put(std::vector<std::unique_ptr<Note>> notes);

private:
    void put_chain(Note* newest, Note* oldest);
    void deliver_all() noexcept;

    asio::any_io_executor shard_;
    std::atomic<Note*> newest_{nullptr};
};

}  // namespace queue

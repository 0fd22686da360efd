#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "queue/store/open.hpp"
#include "tests/support/simulated_disk.hpp"

/// A store on a simulated disk, driven step by step through its committer, beside a model of what it promised.
class StoreWorld {
public:
    explicit StoreWorld(SimulatedDisk& disk) : disk_(disk) {}
    ~StoreWorld() { close(); }

    /// Opens or recovers. False when the disk did not let it.
    bool open();
    /// Ends the process without any good-bye to the disk.
    void close();
    /// A day of work: messages into two mailboxes, small and streamed, with their cursors; acknowledgements; messages
    /// handed in and sent. Goes on behind what it finds. False when something was refused.
    bool work(std::size_t rounds);
    /// Compares with the model: nothing acknowledged is missing or changed, nothing is doubled, no cursor is ahead, and
    /// whatever was handed in has left at most once, or waits with its bytes.
    void check();

    [[nodiscard]] store::Committer& committer() { return *committer_; }
    /// Messages and submissions that were done.
    [[nodiscard]] std::size_t promised() const noexcept { return promised_.size() + accepted_.size(); }
    [[nodiscard]] std::size_t damaged() const noexcept { return damaged_; }
    [[nodiscard]] const store::OpenFailure& failure() const noexcept { return failure_; }
    [[nodiscard]] const std::vector<std::string>& findings() const noexcept { return findings_; }
    /// Reads of check() may find this many damaged bodies.
    void allow_damaged(std::size_t bodies) noexcept { damaged_allowed_ = bodies; }

    static std::string body_of(int mailbox, std::uint32_t uid);
    static constexpr int mailboxes = 2;

private:
    class HandClock final : public Clock {
    public:
        Monotonic now() const noexcept override { return now_; }
        WallTime wall() const noexcept override { return WallTime(now_.time_since_epoch()); }
        Monotonic now_{std::chrono::hours(1)};
    };
    class Take;
    class Acknowledge;
    class HandIn;
    class Send;

    SimulatedDisk& disk_;
    HandClock clock_;
    asio::io_context shard_;
    std::unique_ptr<queue::Inbox> home_;
    std::unique_ptr<store::File> lock_;
    std::unique_ptr<store::Committer> committer_;
    store::OpenFailure failure_;
    std::vector<std::string> findings_;

    std::set<std::pair<int, std::uint32_t>> promised_;  // (mailbox, uid) that were done without an error
    std::map<int, store::Seq> acked_;                   // asked for, whether or not it was done
    std::map<int, std::uint32_t> next_uid_;
    std::set<std::uint32_t> accepted_;       // submissions by their key: done without an error
    std::map<std::uint32_t, int> departed_;  // how often each left
    std::uint32_t next_key_ = 1;
    std::size_t refused_ = 0;
    std::size_t damaged_ = 0;
    std::size_t damaged_allowed_ = 0;
};

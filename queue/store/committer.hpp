#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "protocols/base/clock.hpp"
#include "protocols/wait/parking.hpp"
#include "queue/inbox.hpp"
#include "queue/store/bodies.hpp"
#include "queue/store/store.hpp"

namespace store {

/// What a job may use while it is applied.
struct Workbench {
    Store& store;
    Bodies& bodies;
};

/// A piece of work for the committer: applied on its thread inside a group's transaction, then delivered back to the
/// shard it came from once the group is durable (or has failed).
class Job : public queue::Inbox::Note {
public:
    explicit Job(queue::Inbox& home) noexcept : home_(home) {}

    /// On the committer's thread. A returned error concerns this job alone (it wrote nothing).
    virtual error_code apply(Workbench bench) = 0;
    /// On the home shard. `reason` is empty when the job's effects are durable.
    virtual void done(error_code reason) noexcept = 0;

private:
    friend class Committer;
    void deliver() noexcept final { done(reason_); }

    queue::Inbox& home_;
    error_code reason_;
};

/// Groups what arrived while the last commit ran: bodies are synced, then the rows are committed, then everybody hears.
/// One thread; jobs come from any shard through the work queue and are applied in order per shard.
class Committer {
public:
    struct Options {
        std::size_t queue_capacity = 4096;  // jobs
        std::size_t group_jobs_max = 512;
        std::chrono::microseconds commit_interval{0};  // least time between two commits; 0: as fast as the disk
    };
    struct Stats {
        std::uint64_t jobs = 0, groups = 0, syncs = 0, body_bytes = 0;
        std::uint64_t queue_length = 0;
        std::chrono::nanoseconds commit_time{};  // sum
        error_code stopped_by;                   // io_failed, …: nothing is accepted any more
        bool disk_full = false;                  // intake pauses until room is there again
    };

    Committer(std::unique_ptr<Store> store, std::unique_ptr<Bodies> bodies, const Clock& clock, Options options);
    ~Committer();  // stop()

    void start();  // its thread
    void stop();   // applies what is queued, ends the thread; later jobs get errc::closed. Idempotent.
    bool step();   // without a thread: one group; false when nothing was queued (tests, simulated world)

    /// Waits while the queue is full (back-pressure). Ownership passes; done() will run.
    awaitable<void> submit(std::unique_ptr<Job> job);
    /// False, and the job stays, when the queue is full.
    [[nodiscard]] bool try_submit(std::unique_ptr<Job>& job);

    /// Runs `work(Workbench) -> Result<T>` on the committer's thread and gives its result once durable.
    /// `work` is moved there and owns what it uses.
    template <class Work>
    auto run(queue::Inbox& home, Work work) -> awaitable<std::invoke_result_t<Work, Workbench>>;

    [[nodiscard]] Stats stats() const;  // any thread

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

template <class Work>
auto Committer::run(queue::Inbox& home, Work work) -> awaitable<std::invoke_result_t<Work, Workbench>> {
    using Answer = std::invoke_result_t<Work, Workbench>;
    struct Shared {
        Parking parking;
        Answer answer{error_code(errc::closed)};
    };
    class RunJob final : public Job {
    public:
        RunJob(queue::Inbox& inbox, Work what, std::shared_ptr<Shared> to)
            : Job(inbox), work_(std::move(what)), shared_(std::move(to)) {}
        error_code apply(Workbench bench) override {
            shared_->answer = work_(bench);
            return shared_->answer.has_error() ? shared_->answer.error() : error_code{};
        }
        void done(error_code reason) noexcept override {
            if (reason) shared_->answer = Answer(reason);
            shared_->parking.wake();
        }

    private:
        Work work_;
        std::shared_ptr<Shared> shared_;  // outlives a caller that was cancelled
    };
    auto shared = std::make_shared<Shared>();
    std::unique_ptr<Job> job = std::make_unique<RunJob>(home, std::move(work), shared);
    co_await submit(std::move(job));
    co_await shared->parking.wait();
    co_return std::move(shared->answer);
}

}  // namespace store

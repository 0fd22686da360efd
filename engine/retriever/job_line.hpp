#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "engine/retriever/arrivals.hpp"
#include "engine/runtime/metrics.hpp"
#include "protocols/imap/client.hpp"
#include "protocols/wait/parking.hpp"
#include "queue/byte_budget.hpp"
#include "queue/store/committer.hpp"

namespace retriever {

/// What the jobs of one folder's intake report back to their session. On the session's shard only.
struct Progress {
    std::uint64_t outstanding = 0;
    std::uint64_t in_flight_bytes = 0;  // handed to the committer and not yet durable
    std::uint64_t stored = 0;
    std::uint64_t known_before = 0;
    std::uint64_t stored_bytes = 0;
    error_code failed;              // the first failure: the session starts over from the durable cursor
    std::uint64_t unannounced = 0;  // durable, and nobody was told yet
    Parking moved;                  // woken by each job that comes back
};

/// What an intake uses of its shard and of the engine.
struct IntakeHouse {
    store::Committer& committer;
    queue::Inbox& inbox;
    queue::ByteBudget& budget;
    const Clock& clock;
    runtime::Counters& counters;
    Arrivals* arrivals = nullptr;  // nobody listens: mail waits to be taken
};

/// The way of one intake's jobs to the committer: bytes are counted in the shard's budget, and no more of them are on
/// their way than `in_flight_bytes_max`. On the session's shard; jobs may outlive it.
class JobLine {
public:
    JobLine(IntakeHouse house, std::uint64_t in_flight_bytes_max)
        : house_(house), in_flight_bytes_max_(in_flight_bytes_max), progress_(std::make_shared<Progress>()) {}
    ~JobLine();
    JobLine(const JobLine&) = delete;
    JobLine& operator=(const JobLine&) = delete;

    void put(std::unique_ptr<store::Job> job, std::size_t bytes);
    [[nodiscard]] imap::FetchSink::Flow flow() const noexcept;
    awaitable<Result<void>> room();
    /// Waits until every job has come back. Errors: the first failure of the store.
    awaitable<Result<void>> settle();

    [[nodiscard]] const IntakeHouse& house() const noexcept { return house_; }
    [[nodiscard]] const std::shared_ptr<Progress>& progress() const noexcept { return progress_; }

private:
    IntakeHouse house_;
    std::uint64_t in_flight_bytes_max_;
    std::shared_ptr<Progress> progress_;
    std::deque<std::unique_ptr<store::Job>> overflow_;  // the work queue was full
};

}  // namespace retriever

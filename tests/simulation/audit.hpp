#pragma once

#include <functional>
#include <vector>

#include "queue/store/committer.hpp"

namespace simulation {

/// What the store says of submissions.
struct OutboxState {
    std::vector<store::OutboxEvent> events;  // after the number that was asked for
    std::int64_t after = 0;                  // that number
    std::vector<store::Submission> rows;     // only when they were asked for
    bool has_rows = false;
    store::Outbox::Counts counts;
    bool anything_due = false;  // or under way
};

/// A job that reads them, and tells once that is durable.
class Audit final : public store::Job {
public:
    enum class Depth { events, rows };
    using Tell = std::function<void(error_code failed, const OutboxState& found)>;

    Audit(queue::Inbox& home, Depth depth, std::int64_t after, Tell tell)
        : Job(home), depth_(depth), tell_(std::move(tell)) {
        found_.after = after;
    }
    error_code apply(store::Workbench bench) override;
    void done(error_code reason) noexcept override { tell_(reason, found_); }

private:
    Depth depth_;
    Tell tell_;
    OutboxState found_;
};

}  // namespace simulation

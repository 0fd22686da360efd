#pragma once

#include <functional>
#include <map>
#include <string>

#include "queue/store/committer.hpp"

namespace simulation {

/// What the store says of a mailbox.
struct LedgerState {
    store::Seq last_seq = 0;
    store::Seq acked = 0;
    std::uint32_t uid_validity = 0;
    std::uint32_t cursor = 0;
    std::uint64_t pending = 0;
};

/// A job that reads how far every mailbox is, and tells it once that is durable.
class Probe final : public store::Job {
public:
    using Tell = std::function<void(error_code failed, const std::map<std::string, LedgerState>& found)>;

    Probe(queue::Inbox& home, Tell tell) : Job(home), tell_(std::move(tell)) {}
    error_code apply(store::Workbench bench) override;
    void done(error_code reason) noexcept override { tell_(reason, found_); }

private:
    Tell tell_;
    std::map<std::string, LedgerState> found_;
};

}  // namespace simulation

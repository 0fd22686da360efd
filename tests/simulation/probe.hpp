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
    struct Position {
        std::uint32_t uid_validity = 0;
        std::uint32_t cursor = 0;
    };
    std::map<std::string, Position> folders;
    std::uint64_t pending = 0;
    bool dealt_with = true;  // nothing is due at the server, and nothing was refused
};

/// A job that reads how far every mailbox is, and tells it once that is durable.
class Probe final : public store::Job {
public:
    using Tell = std::function<void(error_code failed, const std::map<std::string, LedgerState>& found)>;

    Probe(queue::Inbox& home, WallTime now, Tell tell) : Job(home), now_(now), tell_(std::move(tell)) {}
    error_code apply(store::Workbench bench) override;
    void done(error_code reason) noexcept override { tell_(reason, found_); }

private:
    WallTime now_;
    Tell tell_;
    std::map<std::string, LedgerState> found_;
};

}  // namespace simulation

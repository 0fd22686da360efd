#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/alarming/condition.hpp"
#include "engine/control/live.hpp"
#include "engine/control/sending.hpp"
#include "engine/retriever/state.hpp"
#include "engine/tokens/token_service.hpp"

namespace alarming {

/// What the rules look at, all of one moment.
struct Facts {
    WallTime now{};
    WallTime started_at{};
    std::vector<tokens::TokenService::State> credentials{};
    std::vector<control::Live::Expiring> expiring{};
    std::vector<retriever::MailboxState> mailboxes{};
    std::map<std::string, std::string> credential_of{};  // by mailbox
    std::set<std::string> silent_before{};               // mailboxes of which the alarm stands that they are silent
    std::vector<control::Sending::State> senders{};
    /// What waits to be sent. Only filled where something does.
    struct Queue {
        std::optional<WallTime> oldest{};  // of those that are due, when it was accepted
        std::string oldest_id{};
        std::string oldest_reason{};  // why it has not left
        std::uint64_t doubts = 0;     // that wait for a person
    } queue{};
    std::vector<control::Live::ConsumerState> consumers{};
    struct Webhook {
        std::string id;
        std::string reason;  // of the newest failure; empty: it goes well
    };
    std::vector<Webhook> webhooks{};
    std::string data{};  // the directory
    bool disk_full = false;
    std::uint64_t disk_free = 0, disk_size = 0;  // bytes; size 0: not known
    std::string store_failure{};                 // empty: none
};

struct Limits {
    std::chrono::milliseconds silence{std::chrono::minutes(30)};  // since the last proof
    std::chrono::milliseconds queue_age{std::chrono::hours(1)};
};

/// Everything that is wrong by these facts, in order of rule. What follows from a dead grant is not said again for each
/// of its mailboxes.
std::vector<Condition> conditions_of(const Facts& facts, const Limits& limits);

}  // namespace alarming

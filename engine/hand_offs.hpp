#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "engine/outlet.hpp"
#include "engine/outside.hpp"
#include "engine/runtime/scope.hpp"
#include "engine/runtime/shard.hpp"

/// The hand-offs of all consumers, on a shard of their own (their file calls block). serve() and below are called on
/// that shard; outlet() and the questions on any thread after serve() has named the consumer.
class HandOffs {
public:
    HandOffs(Outside& outside, runtime::Shard& shard, store::Committer& committer, const store::Bodies& bodies,
             runtime::Counters& counters, consumers::Acknowledgements& acknowledgements);

    /// The outlet of a consumer, made when it is new. Any thread.
    Outlet& outlet(const std::string& consumer);

    /// Starts, replaces and ends hand-offs, so that these consumers are served.
    awaitable<void> serve(std::vector<config::Consumer> consumers);
    awaitable<void> drain();

    /// Any thread.
    [[nodiscard]] bool idle() const;
    struct State {
        std::string consumer;
        std::string kind;
        std::string place;
        consumers::HandOff::Stats stats;
    };
    [[nodiscard]] std::vector<State> states() const;

private:
    struct Entry {
        std::unique_ptr<Outlet> outlet;
        config::Consumer consumer;
        std::string document;  // tells whether anything has changed
    };
    Outside& outside_;
    runtime::Shard& shard_;
    store::Committer& committer_;
    const store::Bodies& bodies_;
    runtime::Counters& counters_;
    consumers::Acknowledgements& acknowledgements_;
    mutable std::mutex mutex_;
    std::map<std::string, Entry> entries_;
    std::vector<std::shared_ptr<consumers::HandOff>> retired_;  // they end with the shard
};

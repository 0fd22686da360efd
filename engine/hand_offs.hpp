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
#include "protocols/base/secret.hpp"
#include "protocols/net/reach.hpp"
#include "protocols/net/tls.hpp"

/// The hand-offs of all consumers, on two shards of their own: those whose file calls block, and those that call over
/// the network, which never block. serve() and drain() are called on the main shard; outlet() and the questions on any
/// thread after serve() has named the consumer.
class HandOffs {
public:
    struct Uses {
        Outside& outside;
        runtime::Shard& filing;
        runtime::Shard& calling;
        store::Committer& committer;
        const store::Bodies& bodies;
        runtime::Counters& counters;
        consumers::Acknowledgements& acknowledgements;
    };
    explicit HandOffs(const Uses& uses) : uses_(uses) {}

    /// The outlet of a consumer, made when it is new. Any thread.
    Outlet& outlet(const std::string& consumer);

    /// A consumer, and what it is reached with.
    struct Served {
        config::Consumer consumer;
        std::shared_ptr<const net::TlsClient> tls{};  // webhook; lmtp beyond this machine
        Secret key{};                                 // webhook: its secret
        std::shared_ptr<const net::Reach> reach{};    // webhook: where it may lead
        std::string fault{};                          // why it is not served; empty: it is
    };
    /// Starts, replaces and ends hand-offs, so that these consumers are served.
    awaitable<void> serve(std::vector<Served> consumers);
    /// What is under way at a consumer over the network has `grace` to end.
    awaitable<void> drain(std::chrono::milliseconds grace);

    /// Any thread.
    [[nodiscard]] bool idle() const;
    struct State {
        std::string consumer;
        std::string kind;
        std::string place;
        consumers::HandOff::Stats stats;
    };
    [[nodiscard]] std::vector<State> states() const;

    /// Why the mail of a mailbox waits at a consumer; empty: it does not, or goes on.
    [[nodiscard]] std::string reason_of(const std::string& consumer, std::string_view mailbox) const;

private:
    struct Entry {
        std::unique_ptr<Outlet> outlet;
        Served served;
        std::string document;  // tells whether anything has changed
        runtime::Shard* shard = nullptr;
    };
    [[nodiscard]] bool is_served_so(const std::string& id, const Served& served, const std::string& document) const;
    awaitable<void> retire(const std::string& id);
    awaitable<void> begin(const std::string& id);
    static awaitable<void> start(std::shared_ptr<consumers::HandOff> hand_off);
    /// On its shard. What calls over the network is cut off after `grace`.
    awaitable<void> begin_to_drain(std::shared_ptr<consumers::HandOff> hand_off, runtime::Shard* shard,
                                   std::chrono::milliseconds grace) const;

    Uses uses_;
    mutable std::mutex mutex_;
    std::map<std::string, Entry> entries_;
    std::vector<std::shared_ptr<consumers::HandOff>> retired_;  // they end with the shard
};

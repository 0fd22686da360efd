#pragma once

#include <memory>

#include "engine/config/model.hpp"
#include "engine/consumers/consumer.hpp"
#include "engine/runtime/shard.hpp"
#include "protocols/net/resolver.hpp"
#include "queue/store/file.hpp"

/// Everything that the engine gets from outside instead of reaching for it. The product's is the Machine; a simulated
/// world brings another. Outlives the engine.
class Outside {
public:
    virtual ~Outside() = default;
    [[nodiscard]] virtual const Clock& clock() const = 0;
    virtual Random& random() = 0;  // any thread
    virtual store::Disk& disk() = 0;
    virtual std::unique_ptr<net::Dialer> make_dialer(asio::io_context& context, Timers& timers, Random& random) = 0;
    /// For diagnosis alone: diallers resolve by themselves.
    virtual std::unique_ptr<net::Resolver> make_resolver(asio::io_context& context, Timers& timers) = 0;
    /// For a consumer that mail is handed off to. It lives on that shard.
    virtual std::unique_ptr<consumers::Consumer> make_consumer(const config::Consumer& consumer,
                                                               runtime::Shard& shard) = 0;
};

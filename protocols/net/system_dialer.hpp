#pragma once

#include "protocols/base/random.hpp"
#include "protocols/net/buffer_pool.hpp"
#include "protocols/net/dial.hpp"
#include "protocols/net/resolver.hpp"

namespace net {

/// Dials over the machine's network: resolving, happy eyeballs, proxy and TLS under the one deadline of the call. A
/// host that begins with "/" is a socket of this machine. One shard. Outlives its streams (they use its buffers) and
/// its shard's event loop outlives it.
class SystemDialer final : public Dialer {
public:
    struct Options {
        Family family = Family::any;
        std::optional<Proxy> proxy;
    };

    SystemDialer(asio::io_context& context, Timers& timers, Options options);
    SystemDialer(std::unique_ptr<Resolver> resolver, Timers& timers, Options options);

    /// As runtime::Shard wants it; `options` points to Options.
    static std::unique_ptr<Dialer> make(asio::io_context& context, Timers& timers, Random& random, const void* options);

    awaitable<Result<std::unique_ptr<Stream>>> dial(Dial to) override;

private:
    awaitable<Result<std::unique_ptr<Stream>>> dial_here(std::string path);
    awaitable<Result<asio::ip::tcp::socket>> connect(std::string host, std::uint16_t port,
                                                     std::shared_ptr<const Reach> reach, Monotonic due);

    std::unique_ptr<Resolver> resolver_;
    Timers& timers_;
    Options options_;
    BufferPool pool_;
};

}  // namespace net

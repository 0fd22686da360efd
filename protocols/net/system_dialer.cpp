#include "protocols/net/system_dialer.hpp"

#include <sys/un.h>

#include "protocols/base/ensure.hpp"
#include "protocols/net/errc.hpp"
#include "protocols/net/happy_eyeballs.hpp"
#include "protocols/net/proxy.hpp"
#include "protocols/net/reach.hpp"
#include "protocols/net/socket_stream.hpp"

namespace net {

SystemDialer::SystemDialer(asio::io_context& context, Timers& timers, Options options)
    : SystemDialer(std::make_unique<SystemResolver>(context, timers), timers, std::move(options)) {}

SystemDialer::SystemDialer(std::unique_ptr<Resolver> resolver, Timers& timers, Options options)
    : resolver_(std::move(resolver)), timers_(timers), options_(std::move(options)) {}

std::unique_ptr<Dialer> SystemDialer::make(asio::io_context& context, Timers& timers, Random&, const void* options) {
    return std::make_unique<SystemDialer>(context, timers, *static_cast<const Options*>(options));
}

awaitable<Result<std::unique_ptr<Stream>>> SystemDialer::dial(Dial to) {
    ensure(to.security == Security::plain || to.tls != nullptr, "implicit TLS needs TLS settings");
    if (to.host.starts_with('/')) {
        auto here = co_await dial_here(std::move(to.host));
        co_return here;
    }
    const Monotonic due = timers_.now() + to.within;
    const auto& proxy = options_.proxy;
    std::string host = to.host;
    std::uint16_t port = to.port;
    auto reach = to.reach;
    if (proxy) {
        boost::system::error_code is_name;
        const auto address = asio::ip::make_address(to.host, is_name);
        if (reach != nullptr && !is_name && !reach->admits(address)) co_return errc::out_of_reach;
        host = proxy->host;
        port = proxy->port;
        reach.reset();
    }
    auto connected = co_await connect(std::move(host), port, std::move(reach), due);
    if (!connected) co_return connected.error();
    auto stream = std::make_unique<SocketStream>(std::move(*connected), to.host, to.port, timers_, pool_);
    const Pace rest{.within = std::chrono::ceil<std::chrono::milliseconds>(due - timers_.now())};
    stream->allow(rest);
    if (proxy) {
        const auto passed = co_await pass_proxy(*stream, *proxy, to.host, to.port);
        if (!passed) co_return passed.error();
    }
    if (to.security == Security::implicit_tls) {
        const auto secured = co_await stream->start_tls(*to.tls, to.host);
        if (!secured) co_return secured.error();
    }
    co_return std::unique_ptr<Stream>(std::move(stream));
}

/// Which never waits: a socket of this machine takes a connection at once, or refuses it.
awaitable<Result<std::unique_ptr<Stream>>> SystemDialer::dial_here(std::string path) {
    if (path.size() >= sizeof(sockaddr_un::sun_path)) co_return errc::name_not_found;
    auto shard = co_await asio::this_coro::executor;
    asio::local::stream_protocol::socket socket(shard);
    boost::system::error_code failed;
    socket.open(asio::local::stream_protocol(), failed);
    if (!failed) socket.native_non_blocking(true, failed);
    if (!failed) socket.connect(asio::local::stream_protocol::endpoint(path), failed);
    if (failed == asio::error::connection_refused) co_return errc::refused;
    if (failed) co_return failed;
    co_return std::make_unique<SocketStream>(std::move(socket), std::move(path), timers_, pool_);
}

awaitable<Result<asio::ip::tcp::socket>> SystemDialer::connect(std::string host, std::uint16_t port,
                                                               std::shared_ptr<const Reach> reach, Monotonic due) {
    boost::system::error_code not_an_address;
    const auto address = asio::ip::make_address(host, not_an_address);
    std::vector<asio::ip::address> addresses{address};
    if (not_an_address) {
        auto resolved = co_await resolver_->resolve(std::move(host), due);
        if (!resolved) co_return resolved.error();
        addresses = std::move(*resolved);
    }
    addresses = in_order(addresses, options_.family);
    if (addresses.empty()) co_return errc::name_not_found;
    if (reach != nullptr) {
        std::erase_if(addresses, [&](const asio::ip::address& one) { return !reach->admits(one); });
        if (addresses.empty()) co_return errc::out_of_reach;
    }
    auto connected = co_await connect_first(std::move(addresses), port, timers_, due);
    co_return connected;
}

}  // namespace net

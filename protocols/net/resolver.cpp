#include "protocols/net/resolver.hpp"

#include <optional>

#include "protocols/net/errc.hpp"
#include "protocols/wait/parking.hpp"

namespace net {

namespace {

using asio::ip::tcp;

struct Lookup {
    explicit Lookup(asio::io_context& context) : resolver(context) {}
    tcp::resolver resolver;
    Parking parking;
    std::optional<Result<std::vector<asio::ip::address>>> answer;
};

Result<std::vector<asio::ip::address>> read_answer(const boost::system::error_code& failed,
                                                   const tcp::resolver::results_type& found) {
    if (failed == asio::error::host_not_found || failed == asio::error::no_data) return errc::name_not_found;
    if (failed) return errc::resolver_failed;
    std::vector<asio::ip::address> addresses;
    for (const auto& entry : found) addresses.push_back(entry.endpoint().address());
    return addresses;
}

}  // namespace

awaitable<Result<std::vector<asio::ip::address>>> SystemResolver::resolve(std::string host, Monotonic due) {
    const auto lookup = std::make_shared<Lookup>(context_);  // outlives us when the answer comes late
    lookup->resolver.async_resolve(host, "", [lookup](const auto& failed, const auto& found) {
        lookup->answer = read_answer(failed, found);
        lookup->parking.wake();
    });
    Timer timer(
        timers_, [](void* parking) { static_cast<Parking*>(parking)->wake(); }, &lookup->parking);
    timer.arm(due);
    co_await lookup->parking.wait();
    if (!lookup->answer) co_return errc::timed_out;
    co_return std::move(*lookup->answer);
}

}  // namespace net

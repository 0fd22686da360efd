#include "protocols/net/happy_eyeballs.hpp"

#include <algorithm>
#include <list>
#include <optional>

#include "protocols/net/errc.hpp"
#include "protocols/wait/parking.hpp"

namespace net {

namespace {

using asio::ip::tcp;
constexpr auto attempt_apart = std::chrono::milliseconds(250);

error_code fault_of(const boost::system::error_code& failed) {
    if (failed == asio::error::connection_refused) return errc::refused;
    if (failed == asio::error::timed_out) return errc::timed_out;
    if (failed == asio::error::connection_reset) return errc::reset;
    if (failed == asio::error::network_unreachable || failed == asio::error::host_unreachable ||
        failed == asio::error::network_down || failed == asio::error::address_family_not_supported ||
        failed == boost::system::errc::address_not_available || failed == asio::error::invalid_argument) {
        return errc::unreachable;
    }
    return failed;
}

/// Shared with the handlers of the attempts, which end after the race.
struct Race {
    Parking parking;
    std::list<tcp::socket> running;
    std::optional<tcp::socket> winner;
    error_code fault = errc::unreachable;

    void ended(std::list<tcp::socket>::iterator attempt, const boost::system::error_code& failed) {
        if (!failed && !winner) {
            winner = std::move(*attempt);
        } else if (failed && fault == errc::unreachable) {
            fault = fault_of(failed);
        }
        running.erase(attempt);
        parking.wake();
    }
    void close_all() {
        for (auto& socket : running) {
            boost::system::error_code ignored;
            socket.close(ignored);
        }
    }
};

void start(const std::shared_ptr<Race>& race, const asio::any_io_executor& shard, const tcp::endpoint& to) {
    const auto attempt = race->running.emplace(race->running.end(), shard);
    attempt->async_connect(to,
                           [race, attempt](const boost::system::error_code& failed) { race->ended(attempt, failed); });
}

/// Ends the race however its coroutine ends.
struct CloseAll {
    Race& race;
    explicit CloseAll(Race& of) : race(of) {}
    CloseAll(const CloseAll&) = delete;
    CloseAll& operator=(const CloseAll&) = delete;
    ~CloseAll() { race.close_all(); }
};

}  // namespace

std::vector<asio::ip::address> in_order(const std::vector<asio::ip::address>& addresses, Family family) {
    std::vector<asio::ip::address> first;
    std::vector<asio::ip::address> second;
    for (const auto& address : addresses) {
        if (family == Family::ipv4 && !address.is_v4()) continue;
        if (family == Family::ipv6 && !address.is_v6()) continue;
        const bool like_first = first.empty() || address.is_v6() == first.front().is_v6();
        (like_first ? first : second).push_back(address);
    }
    std::vector<asio::ip::address> ordered;
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) ordered.push_back(first[i]);
        if (i < second.size()) ordered.push_back(second[i]);
    }
    return ordered;
}

awaitable<Result<tcp::socket>> connect_first(std::vector<asio::ip::address> addresses, std::uint16_t port,
                                             Timers& timers, Monotonic due) {
    const auto shard = co_await asio::this_coro::executor;
    const auto race = std::make_shared<Race>();
    const CloseAll at_the_end(*race);
    Timer timer(
        timers, [](void* parking) { static_cast<Parking*>(parking)->wake(); }, &race->parking);
    Monotonic next_due = timers.now();
    std::size_t next = 0;
    for (;;) {
        auto& winner = race->winner;
        if (winner) co_return std::move(*winner);
        const Monotonic now = timers.now();
        if (now >= due) co_return errc::timed_out;
        if (next < addresses.size() && (race->running.empty() || now >= next_due)) {
            start(race, shard, tcp::endpoint(addresses[next++], port));
            next_due = now + attempt_apart;
        }
        if (next == addresses.size() && race->running.empty()) co_return race->fault;
        timer.arm(next < addresses.size() ? std::min(due, next_due) : due);
        co_await race->parking.wait();
    }
}

}  // namespace net

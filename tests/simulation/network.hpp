#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "protocols/net/dial.hpp"
#include "tests/simulation/dice.hpp"
#include "tests/simulation/pipe.hpp"
#include "tools/rohrpost-sim/style.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace simulation {

inline constexpr std::uint16_t submission_port = 465;
inline constexpr std::uint16_t pop3_port = 995;

/// How bad the network is, in percent of connections.
struct Weather {
    std::uint64_t refused = 0, unanswered = 0, slow = 0;
    std::uint64_t cut = 0, held = 0, deaf = 0, latent = 0, small_pieces = 0;
};

/// The way to the provider: every connection of the daemon ends at a session of the pretend provider. One thread.
class Network {
public:
    Network(asio::io_context& loop, Timers& timers, sim::World& world, const sim::Style& style, Fate& fate,
            Events& events, std::uint64_t seed);

    std::unique_ptr<net::Dialer> make_dialer(Timers& client_timers);
    void set(const Weather& weather) noexcept { weather_ = weather; }
    /// Something happens to one of the open connections.
    void strike();
    /// All connections break: the daemon's process is gone, or the provider restarts.
    void cut_all();
    [[nodiscard]] std::size_t open() const;

private:
    class Dialer;
    LineFaults faults_of_a_line();
    std::shared_ptr<Pipe> connect(const net::Dial& to);

    asio::io_context& loop_;
    Timers& timers_;
    sim::World& world_;
    const sim::Style& style_;
    Fate& fate_;
    Events& events_;
    Dice dice_;
    Weather weather_;
    std::vector<std::weak_ptr<Pipe>> pipes_;
    std::uint64_t connections_ = 0;
};

}  // namespace simulation

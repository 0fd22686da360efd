#include "tests/simulation/network.hpp"

#include "protocols/net/errc.hpp"
#include "tests/simulation/http_session.hpp"
#include "tools/rohrpost-sim/imap_session.hpp"
#include "tools/rohrpost-sim/pop3_session.hpp"
#include "tools/rohrpost-sim/smtp_session.hpp"

using namespace std::chrono_literals;

namespace simulation {

namespace {

constexpr std::uint16_t https_port = 443;

}  // namespace

class Network::Dialer final : public net::Dialer {
public:
    Dialer(Network& network, Timers& timers) : network_(network), timers_(timers) {}

    awaitable<Result<std::unique_ptr<net::Stream>>> dial(net::Dial to) override {
        auto& dice = network_.dice_;
        const auto& weather = network_.weather_;
        if (!network_.fate_.does(Fate::Act::network)) co_return net::errc::refused;
        if (dice.chance(weather.refused)) {
            constexpr net::errc reasons[]{net::errc::refused, net::errc::unreachable, net::errc::name_not_found,
                                          net::errc::resolver_failed, net::errc::tls_handshake_failed};
            const auto reason = reasons[dice.below(std::size(reasons))];
            network_.events_.note("net {}:{} refused: {}", to.host, to.port, make_error_code(reason).message());
            co_return reason;
        }
        if (dice.chance(weather.unanswered)) {
            network_.events_.note("net {}:{} does not answer", to.host, to.port);
            co_await timers_.sleep_for(to.within);
            co_return net::errc::timed_out;
        }
        if (dice.chance(weather.slow)) {
            const auto delay = dice.span(1ms, 20s);
            co_await timers_.sleep_for(delay);
        }
        if (network_.fate_.dead()) co_return net::errc::refused;
        auto pipe = network_.connect(to);
        co_return std::unique_ptr<net::Stream>(
            std::make_unique<PipeStream>(std::move(pipe), timers_, network_.fate_, to.host));
    }

private:
    Network& network_;
    Timers& timers_;
};

Network::Network(asio::io_context& loop, Timers& timers, sim::World& world, const sim::Style& style, Fate& fate,
                 Events& events, std::uint64_t seed)
    : loop_(loop), timers_(timers), world_(world), style_(style), fate_(fate), events_(events), dice_(seed) {}

std::unique_ptr<net::Dialer> Network::make_dialer(Timers& client_timers) {
    return std::make_unique<Dialer>(*this, client_timers);
}

LineFaults Network::faults_of_a_line() {
    LineFaults faults;
    // Most of what matters happens early on a line, or somewhere in a body.
    const auto somewhere = [this] { return dice_.chance(50) ? dice_.below(600) : dice_.below(60'000); };
    if (dice_.chance(weather_.cut)) {
        if (dice_.chance(70)) {
            faults.cut_after_received = somewhere();
        } else {
            faults.cut_after_sent = dice_.below(4000);
        }
    }
    if (dice_.chance(weather_.held)) {
        faults.held_after_received = somewhere();
        faults.held_for = dice_.chance(70) ? dice_.span(1ms, 50s) : std::chrono::milliseconds(1h);
    }
    if (dice_.chance(weather_.latent)) faults.latency = dice_.span(1ms, 3s);
    if (dice_.chance(weather_.small_pieces)) faults.piece_bytes_max = dice_.between(1, 200);
    faults.deaf = dice_.chance(weather_.deaf);
    return faults;
}

std::shared_ptr<Pipe> Network::connect(const net::Dial& to) {
    const auto faults = faults_of_a_line();
    events_.note("net {}:{} connected no={} cut={}/{} held={} latency={} piece={} deaf={}", to.host, to.port,
                 ++connections_, faults.cut_after_received.value_or(0), faults.cut_after_sent.value_or(0),
                 faults.held_after_received.value_or(0), faults.latency.count(), faults.piece_bytes_max, faults.deaf);
    auto pipe = std::make_shared<Pipe>(timers_, faults);
    std::erase_if(pipes_, [](const auto& known) { return known.expired(); });
    pipes_.push_back(pipe);
    if (to.port == https_port) {
        asio::co_spawn(loop_, serve_http(pipe, world_), asio::detached);
    } else if (to.port == submission_port) {
        auto session = std::make_shared<sim::SmtpSession>(world_, style_, pipe, sim::SmtpSession::Begin::encrypted);
        asio::co_spawn(loop_, sim::SmtpSession::serve(std::move(session)), asio::detached);
    } else if (to.port == pop3_port) {
        auto session = std::make_shared<sim::Pop3Session>(world_, style_, pipe);
        asio::co_spawn(loop_, sim::Pop3Session::serve(std::move(session)), asio::detached);
    } else {
        auto session = std::make_shared<sim::ImapSession>(world_, style_, pipe);
        asio::co_spawn(loop_, sim::ImapSession::serve(std::move(session)), asio::detached);
    }
    return pipe;
}

void Network::strike() {
    std::erase_if(pipes_, [](const auto& known) { return known.expired(); });
    if (pipes_.empty()) return;
    const auto pipe = pipes_[dice_.below(pipes_.size())].lock();
    switch (dice_.below(4)) {
        case 0:
            events_.note("net a connection is reset");
            return pipe->break_off(Pipe::End::reset);
        case 1:
            events_.note("net a connection ends without a word");
            return pipe->break_off(Pipe::End::truncated);
        case 2: {
            const auto span = dice_.span(1s, 20min);
            events_.note("net a connection is held ms={}", span.count());
            return pipe->hold(timers_.now() + span);
        }
        default:
            events_.note("net a connection grows deaf");
            return pipe->grow_deaf();
    }
}

void Network::cut_all() {
    for (const auto& known : pipes_) {
        if (const auto pipe = known.lock()) pipe->break_off(Pipe::End::reset);
    }
}

std::size_t Network::open() const {
    std::size_t count = 0;
    for (const auto& known : pipes_) count += known.expired() ? 0 : 1;
    return count;
}

}  // namespace simulation

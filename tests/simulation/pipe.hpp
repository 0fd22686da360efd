#pragma once

#include <optional>

#include "protocols/net/stream.hpp"
#include "protocols/net/watchdog.hpp"
#include "protocols/wait/parking.hpp"
#include "protocols/wait/timers.hpp"
#include "tests/simulation/fate.hpp"
#include "tools/rohrpost-sim/connection.hpp"

namespace simulation {

/// What goes wrong with one connection. Bytes are counted from its beginning.
struct LineFaults {
    std::optional<std::uint64_t> cut_after_received{};  // it breaks when the client has got so many
    std::optional<std::uint64_t> cut_after_sent{};      // it breaks when the server has got so many
    std::optional<std::uint64_t> held_after_received{};
    std::chrono::milliseconds held_for{0};    // nothing more comes meanwhile
    std::chrono::milliseconds latency{0};     // of each answer
    bool deaf = false;                        // nothing that the client sends arrives
    std::size_t piece_bytes_max = 16 * 1024;  // that the client gets at once
};

/// A connection in memory; itself the server's end. One thread, though the ends belong to different event loops.
class Pipe final : public sim::Connection {
public:
    Pipe(Timers& server_timers, LineFaults faults) : timers_(server_timers), faults_(std::move(faults)) {}

    awaitable<bool> handshake() override { co_return true; }
    void flush() override;
    awaitable<bool> room() override;
    awaitable<bool> sent() override;
    void end() override;
    void cut() noexcept override { break_off(End::truncated); }
    awaitable<void> pause(std::chrono::milliseconds span) override;
    void alarm_at(Monotonic when, std::function<void()> ring) override;

    // The client's end.
    enum class End { none, finished, truncated, reset };
    /// What the client gets now: at most a piece; nothing while it is held.
    std::string take(Monotonic now);
    /// From when on there is more, when take() holds bytes back.
    [[nodiscard]] std::optional<Monotonic> held_until() const noexcept { return held_until_; }
    void put(std::string_view bytes);
    void hang_up() noexcept;
    [[nodiscard]] End ended() const noexcept { return to_client_.empty() || end_ == End::reset ? end_ : End::none; }
    void wakes(Parking* client) noexcept { client_ = client; }

    // The weather.
    void break_off(End how) noexcept;
    void hold(Monotonic until) noexcept { held_until_ = until; }
    void grow_deaf() noexcept { faults_.deaf = true; }

private:
    awaitable<bool> read_some() override;
    void wake_client() noexcept;
    void ring() {
        if (const auto ring = ring_) ring();
    }

    Timers& timers_;
    LineFaults faults_;
    std::string to_client_, to_server_;
    std::uint64_t received_ = 0, sent_ = 0;
    End end_ = End::none;
    bool hung_up_ = false;
    std::optional<Monotonic> held_until_;
    Parking server_;
    Parking* client_ = nullptr;
    std::function<void()> ring_;
    Timer alarm_{timers_, [](void* pipe) { static_cast<Pipe*>(pipe)->ring(); }, this};
};

/// The client's end of a pipe, as the engine's protocols use it.
class PipeStream final : public net::Stream {
public:
    PipeStream(std::shared_ptr<Pipe> pipe, Timers& timers, Fate& fate, std::string peer);
    ~PipeStream() override { close(); }

    [[nodiscard]] std::string_view unread() const noexcept override { return std::string_view(unread_).substr(used_); }
    void consume(std::size_t bytes) override;
    awaitable<Result<void>> read_more() override;
    awaitable<Result<void>> write(std::string_view bytes) override;
    void allow(net::Pace pace) override { watchdog_.allow(pace); }
    awaitable<Result<void>> start_tls(const net::TlsClient& tls, std::string host) override;
    [[nodiscard]] bool encrypted() const noexcept override { return true; }
    void close() noexcept override;
    [[nodiscard]] std::string peer() const override { return peer_; }
    [[nodiscard]] Traffic traffic() const noexcept override { return traffic_; }

private:
    static void wake(void* stream) { static_cast<PipeStream*>(stream)->arrival_.wake(); }

    std::shared_ptr<Pipe> pipe_;
    Timers& timers_;
    Fate& fate_;
    std::string peer_;
    std::string unread_;
    std::size_t used_ = 0;
    Traffic traffic_;
    bool closed_ = false;
    Parking arrival_;
    Timer held_;
    net::Watchdog watchdog_;
};

}  // namespace simulation

#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/net/stream.hpp"
#include "protocols/wait/parking.hpp"

namespace support {

/// A net::Stream that plays the server's side of a script: what the server says becomes readable when everything the
/// client had to say before was written. Splits what it serves into pieces of `piece_bytes`. After the script: hang-up.
/// A client that reads while it is its own turn: hang-up, but timed_out when the watchdog allows no time at all.
class ScriptedStream final : public net::Stream {
public:
    struct Turn {
        enum class Who {
            server,
            client,
            silence,  // nobody says anything, until the client sets the watchdog to now (allow) or closes
            time,     // what the watchdog allows runs out: the read ends with timed_out
        } who = Who::server;
        std::string bytes{};
    };
    enum class Start { encrypted, plain };  // plain: until start_tls()
    explicit ScriptedStream(std::vector<Turn> turns, std::size_t piece_bytes = 1U << 20U,
                            Start start = Start::encrypted);

    std::string_view unread() const noexcept override { return unread_; }
    void consume(std::size_t bytes) override { unread_.erase(0, bytes); }
    awaitable<Result<void>> read_more() override;
    awaitable<Result<void>> write(std::string_view bytes) override;
    void allow(net::Pace pace) override;
    awaitable<Result<void>> start_tls(const net::TlsClient& tls, std::string host) override;
    bool encrypted() const noexcept override { return encrypted_; }
    void close() noexcept override;
    std::string peer() const override { return "scripted"; }
    Traffic traffic() const noexcept override { return {}; }

    /// What the client wrote that the script did not foresee; empty when all went as written.
    [[nodiscard]] const std::string& surprise() const noexcept { return surprise_; }
    [[nodiscard]] bool finished() const noexcept { return turns_.empty(); }
    [[nodiscard]] bool closed() const noexcept { return closed_; }
    [[nodiscard]] const std::string& written() const noexcept { return written_; }
    [[nodiscard]] const net::Pace& pace() const noexcept { return pace_; }
    /// A read_more() waits in a silence.
    [[nodiscard]] bool in_silence() const noexcept { return silence_.occupied(); }

private:
    std::deque<Turn> turns_;
    std::size_t piece_bytes_;
    std::string unread_;
    std::string written_;
    std::string surprise_;
    net::Pace pace_{std::chrono::hours(1)};
    Parking silence_;
    bool encrypted_;
    bool closed_ = false;
};

}  // namespace support

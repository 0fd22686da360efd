#pragma once
/// A peer that says what a fuzz input has it say.

#include <algorithm>
#include <string>
#include <string_view>

#include "protocols/net/errc.hpp"
#include "protocols/net/stream.hpp"
#include "protocols/wait/parking.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace fuzz {

/// A net::Stream whose other end says the bytes of an input whenever somebody reads, and hangs up behind them. A line
/// "T:" in them lets the time run out that the reader allowed. What is written goes nowhere, but is kept.
class RandomPeer final : public net::Stream {
public:
    enum class Talk { at_once, line_by_line };  // how much it says in one go, at most
    RandomPeer(std::string_view says, Arrival arrival, Talk talk = Talk::at_once)
        : says_(says), arrival_(arrival), talk_(talk), chance_(says) {}
    /// In the clear, until start_tls().
    void begin_plain() noexcept { encrypted_ = false; }

    std::string_view unread() const noexcept override { return unread_; }
    void consume(std::size_t bytes) override {
        expect(bytes <= unread_.size(), "no more is consumed than there is");
        unread_.erase(0, bytes);
    }
    awaitable<Result<void>> read_more() override {
        expect(++reads_ < 200'000, "reading ends");
        if (closed_) co_return net::errc::stopped;
        if (pace_.within.count() <= 0) co_return net::errc::timed_out;
        if (at_line_start_ && says_.starts_with("T:")) {
            take_line(says_);
            co_return net::errc::timed_out;
        }
        if (says_.empty()) co_return net::errc::closed;
        const std::string_view piece = says_.substr(0, piece_bytes());
        says_.remove_prefix(piece.size());
        at_line_start_ = piece.ends_with('\n');
        unread_ += piece;
        unread_bytes_max_ = std::max(unread_bytes_max_, unread_.size());
        traffic_.received_bytes += piece.size();
        co_return Result<void>();
    }
    awaitable<Result<void>> write(std::string_view bytes) override {
        if (closed_) co_return net::errc::stopped;
        written_ += bytes;
        traffic_.sent_bytes += bytes.size();
        co_return Result<void>();
    }
    void allow(net::Pace pace) override { pace_ = pace; }
    awaitable<Result<void>> start_tls(const net::TlsClient&, std::string) override {
        if (!unread_.empty()) co_return net::errc::bytes_before_tls;
        encrypted_ = true;
        co_return Result<void>();
    }
    bool encrypted() const noexcept override { return encrypted_; }
    void close() noexcept override { closed_ = true; }
    std::string peer() const override { return "random"; }
    Traffic traffic() const noexcept override { return traffic_; }

    [[nodiscard]] const std::string& written() const noexcept { return written_; }
    /// The most that ever lay unread at once, and what nobody took.
    [[nodiscard]] std::size_t unread_bytes_max() const noexcept { return unread_bytes_max_; }
    [[nodiscard]] std::string left() const { return unread_ + std::string(says_); }

private:
    /// Up to the next "T:" line, so that no arrival reads across one.
    [[nodiscard]] std::size_t piece_bytes() {
        std::size_t most = says_.find("\nT:");
        most = most == std::string_view::npos ? says_.size() : most + 1;
        if (talk_ == Talk::line_by_line) most = std::min(most, says_.substr(0, most).find('\n') + 1);
        if (most == 0) most = says_.size();
        if (arrival_ == Arrival::bytes) return 1;
        if (arrival_ == Arrival::pieces) return std::min(most, 1 + chance_.up_to(chance_.up_to(3) == 0 ? 400 : 12));
        return most;
    }

    std::string_view says_;
    Arrival arrival_;
    Talk talk_;
    Chance chance_;
    std::string unread_;
    std::string written_;
    net::Pace pace_{std::chrono::hours(1)};
    Traffic traffic_;
    std::size_t unread_bytes_max_ = 0;
    std::size_t reads_ = 0;
    bool at_line_start_ = true;
    bool encrypted_ = true;
    bool closed_ = false;
};

}  // namespace fuzz

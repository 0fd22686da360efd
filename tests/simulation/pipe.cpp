#include "tests/simulation/pipe.hpp"

#include "protocols/net/errc.hpp"

namespace simulation {

awaitable<bool> Pipe::read_some() {
    flush();
    for (;;) {
        if (!to_server_.empty()) {
            in_ += std::exchange(to_server_, {});
            co_return true;
        }
        over_ = over_ || hung_up_ || end_ != End::none;
        if (over_) co_return false;
        co_await server_.wait();
    }
}

void Pipe::flush() {
    if (out_.empty()) return;
    const std::string bytes = std::exchange(out_, {});
    if (end_ != End::none || hung_up_) return;
    if (to_client_.empty() && faults_.latency.count() > 0) {
        held_until_ = std::max(held_until_.value_or(Monotonic::min()), timers_.now() + faults_.latency);
    }
    to_client_ += bytes;
    wake_client();
}

awaitable<bool> Pipe::room() {
    flush();
    while (to_client_.size() > gathered_bytes_max && !over_ && !hung_up_) co_await server_.wait();
    over_ = over_ || hung_up_;
    co_return !over_;
}

awaitable<bool> Pipe::sent() {
    flush();
    while (!to_client_.empty() && !over_ && !hung_up_) co_await server_.wait();
    over_ = over_ || hung_up_;
    co_return !over_;
}

void Pipe::end() {
    flush();
    if (end_ == End::none) end_ = End::finished;
    over_ = true;
    wake_client();
    server_.wake();
}

awaitable<void> Pipe::pause(std::chrono::milliseconds span) {
    const auto due = timers_.now() + span;
    Timer timer(
        timers_, [](void* parking) { static_cast<Parking*>(parking)->wake(); }, &server_);
    timer.arm(due);
    while (timers_.now() < due && !over_ && !hung_up_) co_await server_.wait();
}

void Pipe::alarm_at(Monotonic when, std::function<void()> ring) {
    ring_ = std::move(ring);
    if (ring_) {
        alarm_.arm(when);
    } else {
        alarm_.disarm();
    }
}

std::string Pipe::take(Monotonic now) {
    if (end_ == End::reset) return {};
    if (held_until_ && now < *held_until_) return {};
    held_until_.reset();
    if (faults_.held_after_received && received_ >= *faults_.held_after_received) {
        faults_.held_after_received.reset();
        held_until_ = now + faults_.held_for;
        return {};
    }
    auto bytes = std::min(faults_.piece_bytes_max, to_client_.size());
    for (const auto& limit : {faults_.cut_after_received, faults_.held_after_received}) {
        if (limit) bytes = std::min<std::size_t>(bytes, *limit - std::min(*limit, received_));
    }
    std::string piece = to_client_.substr(0, bytes);
    to_client_.erase(0, bytes);
    received_ += bytes;
    if (faults_.cut_after_received && received_ >= *faults_.cut_after_received) break_off(End::reset);
    if (to_client_.size() <= gathered_bytes_max) server_.wake();
    return piece;
}

void Pipe::put(std::string_view bytes) {
    if (faults_.deaf || end_ != End::none) return;
    if (faults_.cut_after_sent)
        bytes = bytes.substr(0, *faults_.cut_after_sent - std::min(*faults_.cut_after_sent, sent_));
    sent_ += bytes.size();
    to_server_ += bytes;
    if (faults_.cut_after_sent && sent_ >= *faults_.cut_after_sent) break_off(End::reset);
    server_.wake();
}

void Pipe::hang_up() noexcept {
    hung_up_ = true;
    client_ = nullptr;
    server_.wake();
}

/// A reset takes what is under way with it; a truncated connection delivers it first.
void Pipe::break_off(End how) noexcept {
    over_ = true;
    if (end_ == End::none || how == End::reset) end_ = how;
    wake_client();
    server_.wake();
}

void Pipe::wake_client() noexcept {
    if (client_ != nullptr) client_->wake();
}

PipeStream::PipeStream(std::shared_ptr<Pipe> pipe, Timers& timers, Fate& fate, std::string peer)
    : pipe_(std::move(pipe)),
      timers_(timers),
      fate_(fate),
      peer_(std::move(peer)),
      held_(timers, wake, this),
      watchdog_(timers, wake, this) {
    pipe_->wakes(&arrival_);
}

void PipeStream::consume(std::size_t bytes) {
    used_ += bytes;
    if (used_ < unread_.size()) return;
    unread_.clear();
    used_ = 0;
}

awaitable<Result<void>> PipeStream::read_more() {
    unread_.erase(0, std::exchange(used_, 0));
    for (;;) {
        if (closed_) co_return net::errc::stopped;
        if (!fate_.does(Fate::Act::network)) co_return net::errc::reset;
        const auto now = timers_.now();
        const auto piece = pipe_->take(now);
        if (!piece.empty()) {
            unread_ += piece;
            traffic_.received_bytes += piece.size();
            watchdog_.moved(piece.size());
            co_return Result<void>();
        }
        switch (pipe_->ended()) {
            case Pipe::End::finished:
                co_return net::errc::closed;
            case Pipe::End::truncated:
                co_return net::errc::truncated;
            case Pipe::End::reset:
                co_return net::errc::reset;
            case Pipe::End::none:
                break;
        }
        if (watchdog_.over()) co_return watchdog_.verdict();
        watchdog_.watch();
        if (const auto until = pipe_->held_until()) held_.arm(*until);
        co_await arrival_.wait();
    }
}

awaitable<Result<void>> PipeStream::write(std::string_view bytes) {
    if (closed_) co_return net::errc::stopped;
    if (!fate_.does(Fate::Act::network)) co_return net::errc::reset;
    if (pipe_->ended() == Pipe::End::reset) co_return net::errc::reset;
    pipe_->put(bytes);
    traffic_.sent_bytes += bytes.size();
    watchdog_.moved(bytes.size());
    co_return Result<void>();
}

awaitable<Result<void>> PipeStream::start_tls(const net::TlsClient&, std::string) {
    co_return net::errc::tls_handshake_failed;  // these pipes are born encrypted
}

void PipeStream::close() noexcept {
    if (closed_) return;
    closed_ = true;
    watchdog_.rest();
    held_.disarm();
    pipe_->hang_up();
    if (arrival_.occupied()) arrival_.wake();
}

}  // namespace simulation

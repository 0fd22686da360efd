#include "protocols/smtp/handover.hpp"

#include <algorithm>
#include <utility>

#include "protocols/net/errc.hpp"
#include "protocols/smtp/command.hpp"
#include "protocols/smtp/data.hpp"

namespace smtp {
namespace {

constexpr std::size_t write_bytes_max = 64 * 1024;

}  // namespace

awaitable<Result<void>> Client::Handover::run() {
    impl_.phase = Phase::mail;
    auto done = co_await send_envelope();
    const bool chunks = impl_.offered.chunking;
    if (done && chunks && !lost()) done = co_await send_in_chunks();
    if (done && go_ahead_) done = co_await send_after_data();
    if (done && impl_.usable) done = co_await settle();
    if (!done) co_return done.error();
    const auto ready = impl_.usable ? impl_.ready() : Result<void>();
    // One reply too many: then none is known to answer what it seems to. A farewell is not in the way.
    if (!ready && ready.error() != errc::goodbye) co_return ready.error();
    impl_.phase = Phase::replied;
    impl_.needs_reset = submission_.sender.accepted() && !submission_.body.accepted();
    co_return Result<void>();
}

/// MAIL, RCPT and DATA: in flights or step by step. With BDAT the last flight stays in `out_` when the body may follow
/// at once.
awaitable<Result<void>> Client::Handover::send_envelope() {
    const Capabilities& offered = impl_.offered;
    const std::size_t in_flight_max =
        offered.pipelining ? std::max<std::size_t>(impl_.limits.recipients_in_flight_max, 1) : 1;
    const bool waits = !offered.pipelining;
    if (impl_.needs_reset) put({Owed::reset}, "RSET\r\n");
    if (impl_.needs_reset && waits) {
        auto settled = co_await settle();
        if (!settled) co_return settled.error();
    }
    put({Owed::sender}, mail_command(envelope_, body_.size_bytes(), offered));
    if (waits) {
        auto settled = co_await settle();
        if (!settled) co_return settled.error();
        if (lost()) co_return Result<void>();
    }
    for (std::size_t at = 0; at < envelope_.recipients.size(); ++at) {
        const bool full = at > 0 && at % in_flight_max == 0;
        if (full) {
            auto settled = co_await settle();
            if (!settled) co_return settled.error();
            if (submission_.sender.refused()) co_return Result<void>();
        }
        put({Owed::recipient, at}, recipient_command(envelope_.recipients[at], offered));
        impl_.phase = Phase::rcpt;
    }
    const bool at_once = offered.pipelining && body_.size_bytes() <= impl_.limits.one_flight_bytes_max;
    if (offered.chunking && at_once) co_return Result<void>();
    if (!offered.chunking && offered.pipelining) put({Owed::data}, "DATA\r\n");
    auto settled = co_await settle();
    if (!settled) co_return settled.error();
    if (offered.chunking || offered.pipelining || lost()) co_return Result<void>();
    put({Owed::data}, "DATA\r\n");
    settled = co_await settle();
    co_return settled;
}

/// RFC 2920 §3.1: DATA was accepted, perhaps for nobody.
awaitable<Result<void>> Client::Handover::send_after_data() {
    if (lost()) {
        put({Owed::lone_dot}, ".\r\n");
        co_return Result<void>();
    }
    impl_.phase = Phase::body_started;
    owed_.push_back({Owed::end});
    DotStuffing stuffing;
    std::uint64_t left_bytes = body_.size_bytes();
    for (;;) {
        auto chunk = co_await body_.next();
        if (!chunk) co_return chunk.error();
        if (chunk->empty()) break;
        if (chunk->size() > left_bytes) co_return errc::body_size_wrong;
        left_bytes -= chunk->size();
        for (std::string_view rest = *chunk; !rest.empty();) {
            const std::string_view piece = rest.substr(0, write_bytes_max);
            rest.remove_prefix(piece.size());
            const auto stuffed = stuffing.put(piece, out_);
            if (!stuffed) co_return stuffed.error();
            if (out_.size() < write_bytes_max) continue;
            auto flushed = co_await flush();
            if (!flushed) co_return flushed.error();
            auto looked = co_await look();
            if (!looked) co_return looked.error();
            if (lost()) co_return Result<void>();  // refused early: the rest is not sent
        }
    }
    if (left_bytes > 0) co_return errc::body_size_wrong;
    const auto finished = stuffing.finish(out_);
    if (!finished) co_return finished.error();
    auto flushed = co_await flush_last();
    co_return flushed;
}

awaitable<Result<void>> Client::Handover::send_in_chunks() {
    std::uint64_t left_bytes = body_.size_bytes();
    std::uint64_t chunk_bytes = put_chunk(left_bytes);  // of it that have not come
    for (;;) {
        auto piece = co_await body_.next();
        if (!piece) co_return piece.error();
        if (piece->empty()) break;
        if (piece->size() > left_bytes) co_return errc::body_size_wrong;
        for (std::string_view rest = *piece; !rest.empty();) {
            if (chunk_bytes == 0) {
                auto looked = co_await end_chunk();
                if (!looked) co_return looked.error();
                if (lost()) co_return Result<void>();
                chunk_bytes = put_chunk(left_bytes);
            }
            const std::string_view taken = rest.substr(0, std::min<std::uint64_t>(chunk_bytes, write_bytes_max));
            rest.remove_prefix(taken.size());
            out_ += taken;
            chunk_bytes -= taken.size();
            left_bytes -= taken.size();
            if (out_.size() < write_bytes_max || left_bytes == 0) continue;
            auto flushed = co_await flush();
            if (!flushed) co_return flushed.error();
            if (!impl_.usable) co_return Result<void>();
        }
    }
    if (left_bytes > 0) co_return errc::body_size_wrong;
    auto flushed = co_await flush_last();
    co_return flushed;
}

void Client::Handover::put(Expected owed, const std::string& command) {
    unasked_ = unasked_ || (owed_.empty() && !stream_.unread().empty());
    impl_.dialogue.sent(command);
    out_ += command;
    owed_.push_back(owed);
}

std::uint64_t Client::Handover::put_chunk(std::uint64_t left_bytes) {
    const bool whole = left_bytes <= impl_.limits.one_flight_bytes_max || left_bytes <= impl_.limits.chunk_bytes_max;
    const std::uint64_t bytes = whole ? left_bytes : std::max<std::uint64_t>(impl_.limits.chunk_bytes_max, 1);
    put({whole ? Owed::end : Owed::chunk}, chunk_command(bytes, whole ? Chunk::last : Chunk::more_follow));
    impl_.phase = Phase::body_started;
    return bytes;
}

awaitable<Result<void>> Client::Handover::flush() {
    if (out_.empty()) co_return Result<void>();
    if (unasked_) co_return impl_.ready();
    stream_.allow(impl_.paces.body);
    auto written = co_await stream_.write(out_);
    out_.clear();
    if (written) co_return Result<void>();
    impl_.usable = false;
    // A write that fails has left its last bytes behind.
    if (impl_.phase == Phase::final_sent) impl_.phase = Phase::body_started;
    for (;;) {  // what it said before it stopped listening
        const auto taken = take_arrived();
        if (!taken || lost()) break;
        stream_.allow(net::Pace{});
        auto read = co_await stream_.read_more();
        if (!read) break;
    }
    if (lost()) co_return Result<void>();
    co_return written.error();
}

awaitable<Result<void>> Client::Handover::flush_last() {
    if (unasked_) co_return impl_.ready();
    impl_.phase = Phase::final_sent;
    auto flushed = co_await flush();
    co_return flushed;
}

awaitable<Result<void>> Client::Handover::settle() {
    auto flushed = co_await flush();
    if (!flushed) co_return flushed.error();
    if (!impl_.usable) owed_.clear();
    while (!owed_.empty()) {
        stream_.allow(pace_of(owed_.front().what));
        auto reply = co_await impl_.next_reply();
        if (!reply && lost() && reply.error().category() == net::category()) {
            owed_.clear();  // it refused and went
            co_return Result<void>();
        }
        if (!reply) co_return reply.error();
        const auto taken = take(std::move(*reply));
        if (!taken) co_return taken.error();
    }
    co_return Result<void>();
}

awaitable<Result<void>> Client::Handover::end_chunk() {
    if (!impl_.offered.pipelining) {
        auto settled = co_await settle();
        co_return settled;
    }
    auto looked = co_await look();
    co_return looked;
}

awaitable<Result<void>> Client::Handover::look() {
    auto flushed = co_await flush();
    if (!flushed || !impl_.usable) co_return flushed;
    stream_.allow(net::Pace{});  // the read ends at once
    auto read = co_await stream_.read_more();
    const auto taken = take_arrived();
    if (!taken) co_return taken.error();
    if (read || read.error() == net::errc::timed_out) co_return Result<void>();
    impl_.usable = false;
    if (!lost()) co_return read.error();
    co_return Result<void>();
}

Result<void> Client::Handover::take_arrived() {
    while (!owed_.empty()) {
        auto arrived = impl_.take_reply();
        if (!arrived) return arrived.error();
        auto& reply = *arrived;
        if (!reply) break;
        const auto taken = take(std::move(*reply));
        if (!taken) return taken;
    }
    return {};
}

Result<void> Client::Handover::take(Reply reply) {
    const Expected expected = owed_.front();
    owed_.pop_front();
    const bool goes_on = expected.what == Owed::data && reply.code == 354;
    if (reply.asks_for_more() && !goes_on) return errc::unexpected_reply;
    const Reply goodbye = reply.says_goodbye() ? reply : Reply();
    switch (expected.what) {
        case Owed::reset:
            if (!reply.accepted() && !reply.says_goodbye()) return errc::unexpected_reply;
            break;
        case Owed::sender:
            submission_.sender = std::move(reply);
            break;
        case Owed::recipient:
            if (reply.accepted() && submission_.sender.refused()) return errc::unexpected_reply;
            submission_.recipients[expected.recipient] = std::move(reply);
            break;
        case Owed::data:
            if (reply.accepted()) return errc::unexpected_reply;
            go_ahead_ = goes_on;
            if (!goes_on && !lost()) submission_.body = std::move(reply);
            break;
        case Owed::chunk:
            if (reply.refused() && !submission_.refused_before_body()) submission_.body = std::move(reply);
            break;
        case Owed::end: {
            const auto taken = take_end(std::move(reply));
            if (!taken) return taken;
            break;
        }
        case Owed::lone_dot:
            break;
    }
    if (!goodbye.came()) return {};
    // It answers everything that is owed.
    while (!owed_.empty()) {
        const auto taken = take(goodbye);
        if (!taken) return taken;
    }
    return {};
}

Result<void> Client::Handover::take_end(Reply reply) {
    const bool early = impl_.phase != Phase::final_sent;
    if (reply.accepted() && (early || submission_.body.refused())) return errc::unexpected_reply;
    if (submission_.refused_before_body()) {
        if (reply.accepted()) impl_.usable = false;  // a mail for nobody
    } else if (submission_.body.refused()) {
        if (impl_.lmtp) impl_.usable = false;  // whether the rest is answered once or for each recipient, nobody says
    } else if (impl_.lmtp && !early) {
        take_delivery(std::move(reply));
    } else {
        submission_.body = std::move(reply);
    }
    if (early) impl_.usable = false;
    return {};
}

void Client::Handover::take_delivery(Reply reply) {
    auto& deliveries = submission_.deliveries;
    deliveries.resize(submission_.recipients.size());
    const auto is_owed = [this, &deliveries](std::size_t at) {
        return submission_.recipients[at].accepted() && !deliveries[at].came();
    };
    std::size_t at = 0;
    while (!is_owed(at)) ++at;
    deliveries[at] = std::move(reply);
    while (at < deliveries.size() && !is_owed(at)) ++at;
    if (at < deliveries.size()) {
        owed_.push_front({Owed::end});
        return;
    }
    const auto accepts =
        std::find_if(deliveries.begin(), deliveries.end(), [](const Reply& one) { return one.accepted(); });
    const auto came = std::find_if(deliveries.begin(), deliveries.end(), [](const Reply& one) { return one.came(); });
    submission_.body = accepts != deliveries.end() ? *accepts : *came;
}

net::Pace Client::Handover::pace_of(Owed owed) const noexcept {
    if (owed == Owed::data) return impl_.paces.data;
    if (owed == Owed::chunk || owed == Owed::end || owed == Owed::lone_dot) return impl_.paces.final_reply;
    return impl_.paces.command;
}

bool Client::Handover::lost() const noexcept { return submission_.refused_before_body() || submission_.body.refused(); }

}  // namespace smtp

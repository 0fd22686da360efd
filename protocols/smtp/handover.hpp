#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "protocols/smtp/client_impl.hpp"

namespace smtp {

/// One mail on its way over one connection: what was sent, and which replies are owed for it, in order. Used by
/// Client::submit() alone, for as long as that runs.
class Client::Handover {
public:
    Handover(Impl& impl, const Envelope& envelope, Body& body)
        : impl_(impl), stream_(impl.stream), envelope_(envelope), body_(body), submission_(impl.submission) {}

    /// Errors end the connection; Client::Impl::phase tells how far it came.
    awaitable<Result<void>> run();

private:
    enum class Owed { reset, sender, recipient, data, chunk, end, lone_dot };
    struct Expected {
        Owed what;
        std::size_t recipient = 0;
    };

    awaitable<Result<void>> send_envelope();
    awaitable<Result<void>> send_after_data();
    awaitable<Result<void>> send_in_chunks();
    void put(Expected owed, const std::string& command);
    /// Begins a chunk of what is left; its size.
    std::uint64_t put_chunk(std::uint64_t left_bytes);

    /// Writes what was put. When that fails because the server refused and went, its refusal stands.
    awaitable<Result<void>> flush();
    /// The same with the last bytes of the mail.
    awaitable<Result<void>> flush_last();
    /// Writes what was put and reads all replies that are owed.
    awaitable<Result<void>> settle();
    /// Writes what was put and takes the replies that have arrived, without waiting.
    awaitable<Result<void>> look();
    /// look(), or settle() without PIPELINING.
    awaitable<Result<void>> end_chunk();
    Result<void> take_arrived();
    Result<void> take(Reply reply);
    Result<void> take_end(Reply reply);
    /// RFC 2033 §4.2: one reply for each recipient that was accepted.
    void take_delivery(Reply reply);
    [[nodiscard]] net::Pace pace_of(Owed owed) const noexcept;

    /// Nobody will get this mail, whatever else comes.
    [[nodiscard]] bool lost() const noexcept;

    Impl& impl_;
    net::Stream& stream_;
    const Envelope& envelope_;
    Body& body_;
    Submission& submission_;
    std::string out_;  // put, not written
    std::deque<Expected> owed_;
    bool unasked_ = false;   // something was unread when nothing was owed
    bool go_ahead_ = false;  // 354 came
};

}  // namespace smtp

#pragma once

#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "protocols/wait/asio.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

namespace bench {

/// A submission server on loopback with TLS from the first byte that takes every mail and forgets it, on a thread of
/// its own. Its certificate is for "localhost". Any thread.
class Sink {
public:
    explicit Sink(const sim::Authority& authority);
    ~Sink();
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    struct Seen {
        std::uint64_t mails = 0;
        std::uint64_t round_trips = 0;  // after the log-in: how often somebody waited for its answers
        std::uint64_t handshakes = 0;   // resumed ones included
        std::uint64_t resumed = 0;
    };
    /// Since it began.
    [[nodiscard]] Seen seen() const;
    /// Waits for so many mails, and tells when the last of them had come; throws std::runtime_error when none comes
    /// for a while.
    std::chrono::steady_clock::time_point wait_for(std::uint64_t mails) const;

private:
    awaitable<void> accept();
    awaitable<void> serve(asio::ip::tcp::socket socket);

    asio::ssl::context tls_;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    mutable std::condition_variable came_;
    mutable std::uint64_t wanted_ = 0;
    Seen seen_;
    asio::io_context context_{1};
    asio::ip::tcp::acceptor listener_;
    std::thread thread_;
};

}  // namespace bench

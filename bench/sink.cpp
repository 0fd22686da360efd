#include "bench/sink.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/sink_dialogue.hpp"

namespace bench {
namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes_max = 128 * 1024;
constexpr int waiting_connections_max = 4096;
constexpr auto comes_within = std::chrono::minutes(3);

void end(std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

Sink::Sink(const sim::Authority& authority)
    : tls_(asio::ssl::context::tls_server), listener_(context_, asio::ip::tcp::v4()) {
    const sim::Identity identity = authority.issue({});
    tls_.use_certificate_chain(asio::buffer(identity.chain_pem));
    tls_.use_private_key(asio::buffer(identity.key_pem), asio::ssl::context::pem);
    SSL_CTX_set_mode(tls_.native_handle(), SSL_MODE_RELEASE_BUFFERS);
    listener_.set_option(asio::socket_base::reuse_address(true));
    listener_.bind({asio::ip::address_v4::loopback(), 0});
    listener_.listen(waiting_connections_max);
    port_ = listener_.local_endpoint().port();
    asio::co_spawn(context_, accept(), end);
    thread_ = std::thread([this] { context_.run(); });
}

Sink::~Sink() {
    context_.stop();
    thread_.join();
}

Sink::Seen Sink::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

std::chrono::steady_clock::time_point Sink::wait_for(std::uint64_t mails) const {
    std::unique_lock lock(mutex_);
    wanted_ = mails;
    while (seen_.mails < mails) {
        const auto before = seen_.mails;
        const auto woken = came_.wait_for(lock, comes_within);
        if (woken == std::cv_status::timeout && seen_.mails == before)
            throw std::runtime_error("the sink has " + std::to_string(before) + " mails, and no more come");
    }
    return std::chrono::steady_clock::now();
}

awaitable<void> Sink::accept() {
    for (;;) {
        auto [error, socket] = co_await listener_.async_accept(as_values);
        if (error) co_return;
        asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
    }
}

awaitable<void> Sink::serve(asio::ip::tcp::socket socket) {
    socket.set_option(asio::ip::tcp::no_delay(true));
    asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), tls_);
    const auto [refused] = co_await stream.async_handshake(asio::ssl::stream_base::server, as_values);
    if (refused) co_return;
    {
        const std::lock_guard lock(mutex_);
        ++seen_.handshakes;
        if (SSL_session_reused(stream.native_handle()) == 1) ++seen_.resumed;
    }
    std::vector<char> buffer(read_bytes_max);
    std::string replies = "220 localhost ESMTP\r\n";
    SinkDialogue dialogue;
    while (!dialogue.leaving()) {
        if (!replies.empty()) {
            const auto [lost, written] = co_await asio::async_write(stream, asio::buffer(replies), as_values);
            if (lost) co_return;
            replies.clear();
        }
        const auto [error, bytes] = co_await stream.async_read_some(asio::buffer(buffer), as_values);
        if (error) co_return;
        const bool was_in = dialogue.logged_in();
        const auto before = dialogue.mails();
        dialogue.take({buffer.data(), bytes}, replies);
        const std::lock_guard lock(mutex_);
        if (was_in && !replies.empty() && dialogue.awaited() && !dialogue.leaving()) ++seen_.round_trips;
        seen_.mails += dialogue.mails() - before;
        if (wanted_ > 0 && seen_.mails >= wanted_) came_.notify_all();
    }
    const auto [lost, written] = co_await asio::async_write(stream, asio::buffer(replies), as_values);
    static_cast<void>(lost);
    static_cast<void>(written);
}

}  // namespace bench

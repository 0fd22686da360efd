#pragma once

#include <set>
#include <string>

#include "engine/inlets/smtp_inlet.hpp"
#include "protocols/net/socket_stream.hpp"

namespace inlets {

/// Addresses that a mailbox may send from, as of the configuration's last change, so that a mail does not wait for the
/// committer twice. Whether it may is asked again when the mail is accepted.
class KnownSenders {
public:
    explicit KnownSenders(const submission::Senders& senders) : senders_(senders) {}
    [[nodiscard]] bool contains(const std::string& address);
    void add(std::string address, std::uint64_t generation);

private:
    static constexpr std::size_t addresses_max = 10'000;
    const submission::Senders& senders_;
    std::uint64_t generation_ = 0;
    std::set<std::string> addresses_;
};

/// One connection of the inlet: gives its dialogue bytes and answers.
class SmtpSession {
public:
    struct Around {
        const SmtpInlet::Uses& uses;
        const SmtpInlet::Options& options;  // may change
        KnownSenders& known;
    };
    SmtpSession(Around around, asio::ip::tcp::socket socket, asio::ip::address peer, net::BufferPool& pool);
    SmtpSession(const SmtpSession&) = delete;
    SmtpSession& operator=(const SmtpSession&) = delete;
    ~SmtpSession();

    awaitable<void> run();
    /// It ends after the mail that it is in.
    void drain();

private:
    smtp::ServerSession::Wants next();
    void count(std::size_t held_bytes);
    /// Sends what was answered, waits for more; false: the session is over.
    awaitable<bool> exchange();
    awaitable<bool> flush();
    awaitable<void> end(std::string_view why);
    awaitable<void> linger();
    awaitable<bool> start_tls();
    awaitable<void> log_in();
    awaitable<void> judge_sender();
    awaitable<void> accept_mail();
    [[nodiscard]] submission::Order order();

    Around around_;
    std::string peer_;          // address
    std::string peer_literal_;  // "[127.0.0.1]", "[IPv6:::1]"
    net::SocketStream stream_;
    smtp::ServerSession dialogue_;
    std::string out_;
    std::size_t counted_bytes_ = 0;  // of the shard's budget
    enum class Clock { none, command, message } clock_ = Clock::none;
    bool draining_ = false;
    bool waiting_ = false;
};

}  // namespace inlets

#include "bench/bare_client.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/measure.hpp"
#include "protocols/wait/asio.hpp"

namespace bench {
namespace {

constexpr std::string_view envelope = "MAIL FROM:<box0001@sim.test>\r\nRCPT TO:<someone@elsewhere.test>\r\n";

struct Free {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};

double cpu_seconds_of_this_thread() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class Connection {
public:
    Connection(SSL_CTX* tls, std::uint16_t port) : socket_(context_), ssl_(SSL_new(tls)) {
        socket_.connect({asio::ip::address_v4::loopback(), port});
        socket_.set_option(asio::ip::tcp::no_delay(true));
        SSL_set_fd(ssl_.get(), socket_.native_handle());
        if (SSL_connect(ssl_.get()) != 1) throw std::runtime_error("a bare client: no TLS");
        read_replies(1);
        ask("EHLO bench.test\r\n", 1);
        ask("AUTH XOAUTH2 dXNlcj1iZW5jaAE=\r\n", 1);
    }
    void ask(std::string_view bytes, std::size_t replies) {
        const auto size = static_cast<int>(bytes.size());
        if (SSL_write(ssl_.get(), bytes.data(), size) != size) throw std::runtime_error("a bare client: cannot write");
        read_replies(replies);
    }

private:
    void read_replies(std::size_t count) {
        while (count > 0) {
            const int got = SSL_read(ssl_.get(), buffer_.data(), static_cast<int>(buffer_.size()));
            if (got <= 0) throw std::runtime_error("a bare client: cannot read");
            std::string_view here(buffer_.data(), static_cast<std::size_t>(got));
            while (!here.empty()) {
                const auto end = here.find("\r\n");
                if (end == std::string_view::npos) throw std::runtime_error("a bare client: half a line");
                if (here[0] != '2' && here[0] != '3') throw std::runtime_error("a bare client: refused");
                if (here[3] != '-') --count;
                here.remove_prefix(end + 2);
            }
        }
    }

    asio::io_context context_{1};
    asio::ip::tcp::socket socket_;
    std::unique_ptr<SSL, Free> ssl_;
    std::array<char, 4096> buffer_{};
};

double hand_over(Bare how, SSL_CTX* tls, std::uint16_t port, std::size_t messages, const std::string& mail) {
    Connection connection(tls, port);
    const double before = cpu_seconds_of_this_thread();
    std::string flight;
    for (std::size_t each = 0; each < messages; ++each) {
        flight = envelope;
        if (how == Bare::chunks) {
            flight += "BDAT " + std::to_string(mail.size()) + " LAST\r\n";
            flight += mail;
            connection.ask(flight, 3);
        } else {
            flight += "DATA\r\n";
            connection.ask(flight, 3);
            flight = mail;
            flight += ".\r\n";
            connection.ask(flight, 1);
        }
    }
    return cpu_seconds_of_this_thread() - before;
}

}  // namespace

BareSpent hand_over_bare(Bare how, std::uint16_t port, std::size_t sessions, std::size_t messages, std::size_t bytes) {
    const std::unique_ptr<SSL_CTX, Free> tls(SSL_CTX_new(TLS_client_method()));
    const std::string mail = mail_of("box0001@sim.test", bytes);
    const std::size_t each = messages / sessions;
    std::vector<double> spent(sessions);
    std::vector<std::exception_ptr> failures(sessions);
    const Stopwatch watch;
    {
        std::vector<std::jthread> threads;
        for (std::size_t at = 0; at < sessions; ++at) {
            threads.emplace_back([&, at] {
                try {
                    spent[at] = hand_over(how, tls.get(), port, each, mail);
                } catch (...) {
                    failures[at] = std::current_exception();
                }
            });
        }
    }
    double cpu = 0;
    for (std::size_t at = 0; at < sessions; ++at) {
        if (failures[at]) std::rethrow_exception(failures[at]);
        cpu += spent[at];
    }
    const auto count = static_cast<double>(each * sessions);
    return {cpu * 1e6 / count, count / watch.seconds()};
}

std::string mail_of(const std::string& from, std::size_t bytes) {
    constexpr std::string_view line = "A line of a mail, as long as lines of mails are.\r\n";
    std::string mail = "From: " + from + "\r\nTo: someone@elsewhere.test\r\nSubject: bench\r\n\r\n";
    while (mail.size() + line.size() <= bytes) mail += line;
    return mail;
}

}  // namespace bench

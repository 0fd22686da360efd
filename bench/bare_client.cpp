#include "bench/bare_client.hpp"

#include <exception>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/bare_connection.hpp"
#include "bench/measure.hpp"

namespace bench {
namespace {

constexpr std::string_view envelope = "MAIL FROM:<box0001@sim.test>\r\nRCPT TO:<someone@elsewhere.test>\r\n";

class Dialogue {
public:
    Dialogue(SSL_CTX* tls, std::uint16_t port) : server_(tls, port) {
        read_replies(1);
        ask("EHLO bench.test\r\n", 1);
        ask("AUTH XOAUTH2 dXNlcj1iZW5jaAE=\r\n", 1);
    }
    void ask(std::string_view bytes, std::size_t replies) {
        server_.write(bytes);
        read_replies(replies);
    }

private:
    void read_replies(std::size_t count) {
        while (count > 0) {
            auto here = server_.read();
            while (!here.empty()) {
                const auto end = here.find("\r\n");
                if (end == std::string_view::npos) throw std::runtime_error("a bare client: half a line");
                if (here[0] != '2' && here[0] != '3') throw std::runtime_error("a bare client: refused");
                if (here[3] != '-') --count;
                here.remove_prefix(end + 2);
            }
        }
    }

    BareConnection server_;
};

double hand_over(Bare how, SSL_CTX* tls, std::uint16_t port, std::size_t messages, const std::string& mail) {
    Dialogue dialogue(tls, port);
    const auto before = thread_cpu_time();
    std::string flight;
    for (std::size_t each = 0; each < messages; ++each) {
        flight = envelope;
        if (how == Bare::chunks) {
            flight += "BDAT " + std::to_string(mail.size()) + " LAST\r\n";
            flight += mail;
            dialogue.ask(flight, 3);
        } else {
            flight += "DATA\r\n";
            dialogue.ask(flight, 3);
            flight = mail;
            flight += ".\r\n";
            dialogue.ask(flight, 1);
        }
    }
    return std::chrono::duration<double>(thread_cpu_time() - before).count();
}

}  // namespace

BareSpent hand_over_bare(Bare how, std::uint16_t port, std::size_t sessions, std::size_t messages, std::size_t bytes) {
    const auto tls = make_bare_tls();
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

#include "bench/bare_fetch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bench/bare_connection.hpp"
#include "bench/measure.hpp"

namespace bench {
namespace {

void ask(BareConnection& server, const std::string& line, std::string_view answer) {
    server.write(line + "\r\n");
    server.read_past(answer);
}

void fetch_over_pop3(BareConnection& server, std::size_t messages) {
    constexpr std::size_t in_flight = 64;
    for (std::size_t done = 0; done < messages;) {
        const auto count = std::min(in_flight, messages - done);
        std::string commands;
        for (std::size_t each = 1; each <= count; ++each) commands += fmt::format("RETR {}\r\n", done + each);
        server.write(commands);
        server.read_past("\r\n.\r\n", count);
        done += count;
    }
}

}  // namespace

double fetch_bare(BareFetch how, std::uint16_t port, const std::string& user, const std::string& password,
                  std::size_t messages) {
    const auto tls = make_bare_tls();
    BareConnection server(tls.get(), port);
    server.read_past("\r\n");
    const bool pop3 = how == BareFetch::pop3;
    if (pop3) {
        ask(server, "USER " + user, "+OK");
        ask(server, "PASS " + password, "+OK");
    } else {
        ask(server, fmt::format("a LOGIN {} {}", user, password), "a OK");
        ask(server, "b EXAMINE INBOX", "\r\nb OK");
    }
    const auto before = thread_cpu_time();
    if (pop3) fetch_over_pop3(server, messages);
    if (!pop3) ask(server, "c UID FETCH 1:* (UID BODY.PEEK[])", "\r\nc OK");
    return std::chrono::duration<double, std::micro>(thread_cpu_time() - before).count() /
           static_cast<double>(messages);
}

}  // namespace bench

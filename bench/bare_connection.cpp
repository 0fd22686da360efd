#include "bench/bare_connection.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <stdexcept>

namespace bench {

BareTls make_bare_tls() {
    BareTls tls(SSL_CTX_new(TLS_client_method()));
    if (!tls) throw std::runtime_error("a bare client: no TLS context");
    return tls;
}

BareConnection::BareConnection(SSL_CTX* tls, std::uint16_t port) : socket_(context_), ssl_(SSL_new(tls)) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    socket_.set_option(asio::ip::tcp::no_delay(true));
    const timeval longest{.tv_sec = 30, .tv_usec = 0};  // nobody waits for ever for words that never come
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    SSL_set_fd(ssl_.get(), socket_.native_handle());
    if (SSL_connect(ssl_.get()) != 1) throw std::runtime_error("a bare client: no TLS");
}

void BareConnection::write(std::string_view bytes) {
    const auto size = static_cast<int>(bytes.size());
    if (SSL_write(ssl_.get(), bytes.data(), size) != size) throw std::runtime_error("a bare client: cannot write");
}

std::string_view BareConnection::read() { return read_behind(0); }

std::string_view BareConnection::read_behind(std::size_t kept) {
    const int got = SSL_read(ssl_.get(), buffer_.data() + kept, static_cast<int>(buffer_.size() - kept));
    if (got <= 0) throw std::runtime_error("a bare client: cannot read");
    return {buffer_.data(), kept + static_cast<std::size_t>(got)};
}

void BareConnection::read_past(std::string_view end, std::size_t times) {
    std::size_t kept = 0;
    while (times > 0) {
        auto here = read_behind(kept);
        for (auto found = here.find(end); found != std::string_view::npos && times > 0; found = here.find(end)) {
            here.remove_prefix(found + end.size());
            --times;
        }
        kept = std::min(here.size(), end.size() - 1);
        std::copy(here.end() - static_cast<std::ptrdiff_t>(kept), here.end(), buffer_.begin());
    }
}

}  // namespace bench

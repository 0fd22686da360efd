#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "protocols/wait/asio.hpp"

namespace bench {

struct FreeTls {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using BareTls = std::unique_ptr<SSL_CTX, FreeTls>;
/// A client's that trusts everybody.
BareTls make_bare_tls();

/// A blocking TLS connection to a port of loopback, as plain as OpenSSL has it. Everything throws std::runtime_error.
class BareConnection {
public:
    BareConnection(SSL_CTX* tls, std::uint16_t port);
    void write(std::string_view bytes);
    /// What comes next, one byte at least; until the next read.
    std::string_view read();
    /// Until `end` has come so often, also across what is read at once. What stands behind it is lost.
    void read_past(std::string_view end, std::size_t times = 1);

private:
    std::string_view read_behind(std::size_t kept);

    asio::io_context context_{1};
    asio::ip::tcp::socket socket_;
    std::unique_ptr<SSL, FreeTls> ssl_;
    std::array<char, 64 * 1024> buffer_{};
};

}  // namespace bench

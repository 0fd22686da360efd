#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "protocols/base/secret.hpp"
#include "protocols/net/stream.hpp"

namespace net {

class Reach;

enum class Family { any, ipv4, ipv6 };
enum class Security { plain, implicit_tls };  // STARTTLS dials plain and upgrades the stream

/// How to reach the outside: `http://[user:pass@]host:port` (CONNECT) or `socks5://…` (names resolved by the proxy).
struct Proxy {
    enum class Kind { http_connect, socks5 } kind = Kind::http_connect;
    std::string host;
    std::uint16_t port = 0;
    std::string user;
    Secret password;
};
/// Errors name what was expected. Accepts the forms above.
Result<Proxy> read_proxy(std::string_view url);

/// Whom to call. A value: it is moved into the dialling coroutine.
struct Dial {
    std::string host;
    std::uint16_t port = 0;
    Security security = Security::implicit_tls;
    std::shared_ptr<const TlsClient> tls;                         // needed for implicit_tls
    std::chrono::milliseconds within = std::chrono::seconds(30);  // resolving, connecting, proxy and TLS together
    std::shared_ptr<const Reach>
        reach{};  // where it may lead; nullptr: anywhere. What a proxy resolves, the proxy judges
};

/// Opens connections. The seam between the engine and the network: a simulated world hands down its own.
class Dialer {
public:
    virtual ~Dialer() = default;
    virtual awaitable<Result<std::unique_ptr<Stream>>> dial(Dial to) = 0;
};

}  // namespace net

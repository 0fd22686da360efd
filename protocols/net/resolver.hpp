#pragma once

#include <string>
#include <vector>

#include "protocols/net/dial.hpp"
#include "protocols/wait/timers.hpp"

namespace net {

/// Names to addresses. A seam: tests answer themselves.
class Resolver {
public:
    virtual ~Resolver() = default;
    /// The addresses of `host` in the order of preference. Errors: name_not_found, resolver_failed, timed_out.
    virtual awaitable<Result<std::vector<asio::ip::address>>> resolve(std::string host, Monotonic due) = 0;
};

/// getaddrinfo() on Asio's resolver thread. It cannot be interrupted: at `due` its late answer is left to itself.
class SystemResolver final : public Resolver {
public:
    SystemResolver(asio::io_context& context, Timers& timers) : context_(context), timers_(timers) {}
    awaitable<Result<std::vector<asio::ip::address>>> resolve(std::string host, Monotonic due) override;

private:
    asio::io_context& context_;
    Timers& timers_;
};

}  // namespace net

#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>

#include "protocols/wait/asio.hpp"
#include "protocols/wait/parking.hpp"

namespace tokens {

/// How many may be busy with one host at once. One shard; outlives its permits.
class Limiter {
    struct Host {
        std::size_t busy = 0;
        std::deque<Parking*> waiting;
    };

public:
    explicit Limiter(std::size_t per_host_max) noexcept : per_host_max_(per_host_max) {}

    /// Given back when it ends.
    class Permit {
    public:
        explicit Permit(Host& host) noexcept : host_(&host) {}
        Permit(Permit&& other) noexcept : host_(other.host_) { other.host_ = nullptr; }
        Permit& operator=(Permit&&) = delete;
        ~Permit();

    private:
        Host* host_;
    };
    awaitable<Permit> permit(std::string host);

private:
    std::size_t per_host_max_;
    std::map<std::string, Host> hosts_;
};

}  // namespace tokens

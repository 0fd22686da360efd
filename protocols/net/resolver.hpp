#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocols/net/dial.hpp"
#include "protocols/wait/timers.hpp"

namespace net {

using Addresses = std::vector<asio::ip::address>;

/// Names to addresses. A seam: tests answer themselves.
class Resolver {
public:
    virtual ~Resolver() = default;
    /// The addresses of `host` in the order of preference. Errors: name_not_found, resolver_failed, timed_out.
    virtual awaitable<Result<std::vector<asio::ip::address>>> resolve(std::string host, Monotonic due) = 0;
};

/// getaddrinfo() on threads of its own: it blocks, and cannot be interrupted. All who ask for a name while it is being
/// looked up share that answer, so that a name whose servers are silent holds one thread only and other names go on.
/// Nothing is kept: the next one who asks has it looked up anew. One shard. Ends after the lookups under way.
/// Errors also: resolver_failed when the system has no thread for it.
class SystemResolver final : public Resolver {
public:
    using LookUp = std::function<Result<Addresses>(const std::string& host)>;  // blocks; any thread
    static Result<Addresses> ask_system(const std::string& host);

    SystemResolver(asio::io_context& context, Timers& timers, LookUp ask = ask_system);
    ~SystemResolver() override;

    awaitable<Result<Addresses>> resolve(std::string host, Monotonic due) override;

private:
    static constexpr std::size_t lookups_at_once_max = 8;
    struct Asked;
    void start();
    void look_up(const std::string& host, Asked& asked);
    void answer(const std::string& host, Result<Addresses> found);

    asio::io_context& context_;
    Timers& timers_;
    const LookUp ask_;
    std::map<std::string, std::shared_ptr<Asked>> asked_;
    std::deque<std::string> queue_;  // those of them that nobody looks up yet
    std::size_t running_ = 0;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // late answers look here, on the shard
};

}  // namespace net

#include "protocols/net/resolver.hpp"

#include <netdb.h>

#include <algorithm>
#include <list>
#include <optional>
#include <system_error>
#include <thread>

#include "protocols/net/errc.hpp"
#include "protocols/wait/parking.hpp"

namespace net {

/// One name that is being looked up, and who waits for it.
struct SystemResolver::Asked {
    std::optional<Result<Addresses>> answer;
    std::list<Parking> waiting;
    std::thread thread;
};

namespace {

struct FreeAddresses {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

std::optional<asio::ip::address> address_of(const sockaddr* from) {
    if (from->sa_family == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(from);
        return asio::ip::address_v4(ntohl(v4->sin_addr.s_addr));
    }
    if (from->sa_family != AF_INET6) return std::nullopt;
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(from);
    asio::ip::address_v6::bytes_type bytes{};
    std::copy_n(v6->sin6_addr.s6_addr, bytes.size(), bytes.begin());
    return asio::ip::address_v6(bytes, v6->sin6_scope_id);
}

}  // namespace

Result<Addresses> SystemResolver::ask_system(const std::string& host) {
    addrinfo wish{};
    wish.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), nullptr, &wish, &first);
    const std::unique_ptr<addrinfo, FreeAddresses> list(first);
    if (failed == EAI_NONAME || failed == EAI_NODATA || failed == EAI_ADDRFAMILY) return errc::name_not_found;
    if (failed != 0) return errc::resolver_failed;
    Addresses addresses;
    for (const addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
        const auto address = address_of(each->ai_addr);
        if (address) addresses.push_back(*address);
    }
    return addresses;
}

SystemResolver::SystemResolver(asio::io_context& context, Timers& timers, LookUp ask)
    : context_(context), timers_(timers), ask_(std::move(ask)) {}

SystemResolver::~SystemResolver() {
    *alive_ = false;
    for (auto& [host, asked] : asked_) {
        if (asked->thread.joinable()) asked->thread.join();
    }
}

awaitable<Result<Addresses>> SystemResolver::resolve(std::string host, Monotonic due) {
    auto& place = asked_[host];
    if (!place) {
        place = std::make_shared<Asked>();
        queue_.push_back(host);
    }
    const auto asked = place;  // outlives the place in the map
    Parking& parking = asked->waiting.emplace_back();
    start();
    Timer timer(
        timers_, [](void* waiting) { static_cast<Parking*>(waiting)->wake(); }, &parking);
    timer.arm(due);
    co_await parking.wait();
    const auto& answer = asked->answer;
    if (!answer) co_return errc::timed_out;
    co_return *answer;
}

/// As many of those in the queue as may run.
void SystemResolver::start() {
    while (running_ < lookups_at_once_max && !queue_.empty()) {
        const std::string host = std::move(queue_.front());
        queue_.pop_front();
        ++running_;
        look_up(host, *asked_.at(host));
    }
}

/// The answer comes back to the shard, which has work until then.
void SystemResolver::look_up(const std::string& host, Asked& asked) {
    const auto work = asio::make_work_guard(context_);
    try {
        asked.thread = std::thread([this, host, work, alive = alive_, ask = ask_] {
            auto found = ask(host);
            asio::post(work.get_executor(), [this, host, alive, found = std::move(found)]() mutable {
                if (*alive) answer(host, std::move(found));
            });
        });
    } catch (const std::system_error&) {  // the limit of threads, or of memory
        asio::post(context_, [this, host, alive = alive_] {
            if (*alive) answer(host, errc::resolver_failed);
        });
    }
}

void SystemResolver::answer(const std::string& host, Result<Addresses> found) {
    const auto asked = std::move(asked_.extract(host).mapped());
    if (asked->thread.joinable()) asked->thread.join();  // it has nothing left to do
    --running_;
    asked->answer = std::move(found);
    for (Parking& each : asked->waiting) each.wake();
    start();
}

}  // namespace net

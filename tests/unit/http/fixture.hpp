#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "protocols/http/client.hpp"
#include "protocols/http/server.hpp"
#include "protocols/wait/timers.hpp"

namespace http_test {

/// A shard with the machine's clock, run until a fact holds or ten seconds are over.
struct Shard {
    asio::io_context context;
    SystemClock clock;
    Timers timers{clock};
    TimersDriver driver{context, timers};

    bool run_until(const std::function<bool()>& fact) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!fact() && std::chrono::steady_clock::now() < until) {
            context.restart();
            context.run_one_for(std::chrono::milliseconds(100));
        }
        return fact();
    }

    /// What `coroutine` returns.
    template <class T>
    T result_of(awaitable<T> coroutine) {
        std::optional<T> result;
        std::exception_ptr failure;
        asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr thrown, T value) {
            failure = thrown;
            result.emplace(std::move(value));
        });
        REQUIRE(run_until([&] { return result.has_value(); }));
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }

    /// Closes and joins, so that no coroutine outlives the test.
    void end(http::Server& server) {
        bool joined = false;
        server.close();
        asio::co_spawn(context, server.join(), [&](const std::exception_ptr&) { joined = true; });
        REQUIRE(run_until([&] { return joined; }));
        CHECK(server.connections() == 0);
    }
};

inline constexpr std::chrono::seconds soon{10};

}  // namespace http_test

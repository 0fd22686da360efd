#pragma once

#include <optional>
#include <stdexcept>
#include <utility>

#include "protocols/wait/asio.hpp"

namespace support {

/// Runs a coroutine on a loop of its own to its end. What it throws, this throws.
/// Throws std::logic_error when the loop has nothing left to do and the coroutine still waits.
template <class T>
T run_coroutine(awaitable<T> coroutine) {
    asio::io_context context(1);
    std::optional<T> result;
    std::exception_ptr failure;
    asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr thrown, T value) {
        failure = thrown;
        if (!thrown) result = std::move(value);
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    if (!result) throw std::logic_error("the coroutine waits for what never comes");
    return std::move(*result);
}

}  // namespace support

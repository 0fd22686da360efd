#pragma once

#include <utility>

#include "protocols/wait/asio.hpp"

namespace runtime {

/// Runs a coroutine on another shard; its result, or what it threw, arrives here. Whoever is cancelled meanwhile still
/// waits for its end, and is stopped at the next co_await: a cancellation that travels from one event loop to another
/// may come after the end of what it was meant for, whose signal is gone by then.
template <typename T>
awaitable<T> run_on(asio::any_io_executor shard, awaitable<T> coroutine) {
    return asio::co_spawn(std::move(shard), std::move(coroutine),
                          asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
}

}  // namespace runtime

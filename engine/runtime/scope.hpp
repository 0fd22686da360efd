#pragma once

#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "protocols/wait/asio.hpp"
#include "protocols/wait/parking.hpp"

namespace runtime {

/// Owns the coroutines that a class starts. Declared last in its class, so that it ends before what they use.
/// Cancel is terminal: the next co_await of each coroutine throws. (Draining is a flag of the owner.)
class Scope {
public:
    /// Called with the name and the text of an exception that ended a coroutine (cancellation is none).
    using Report = std::function<void(const std::string& name, const std::string& what)>;

    Scope(asio::any_io_executor shard, Report report);
    ~Scope();  // cancels what is left; it ends with the event loop, so join() comes first wherever order matters

    /// Starts a coroutine that owns what it uses. On the shard only.
    void spawn(std::string name, awaitable<void> coroutine);
    void cancel();           // all of them
    awaitable<void> join();  // until all have ended
    [[nodiscard]] std::size_t running() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace runtime

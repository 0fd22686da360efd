#pragma once

#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "protocols/base/result.hpp"
#include "protocols/wait/asio.hpp"
#include "protocols/wait/parking.hpp"

namespace queue {

/// One flight for all who want the same thing at the same time: the first caller of a key starts it, the others wait,
/// everybody gets its result. Whoever asks after it has landed starts another. The flight runs on its own and goes on
/// when callers are cancelled; it keeps what it shares alive. One shard, not thread-safe.
template <class Key, class T>
class SingleFlight {
public:
    explicit SingleFlight(asio::any_io_executor shard)
        : shard_(std::move(shard)), flights_(std::make_shared<Flights>()) {}

    /// `fly` makes the flight's coroutine, `awaitable<Result<T>>`, which owns what it uses; it is only called when
    /// none is under way. An exception of the flight reaches every caller.
    template <class Fly>
    awaitable<Result<T>> share(Key key, Fly fly) {
        std::shared_ptr<Flight> flight;
        const auto under_way = flights_->find(key);
        if (under_way != flights_->end()) {
            flight = under_way->second;
        } else {
            flight = std::make_shared<Flight>();
            flights_->emplace(key, flight);
            asio::co_spawn(shard_, land(flights_, std::move(key), flight, fly()), asio::detached);
        }
        if (!flight->result && !flight->broken) {
            const auto parking = std::make_shared<Parking>();
            flight->waiting.push_back(parking);
            co_await parking->wait();
        }
        if (flight->broken) std::rethrow_exception(flight->broken);
        co_return *flight->result;
    }

    [[nodiscard]] std::size_t flying() const noexcept { return flights_->size(); }

private:
    struct Flight {
        std::optional<Result<T>> result;
        std::exception_ptr broken;
        std::deque<std::shared_ptr<Parking>> waiting;
    };
    using Flights = std::map<Key, std::shared_ptr<Flight>>;

    static awaitable<void> land(std::shared_ptr<Flights> flights, Key key, std::shared_ptr<Flight> flight,
                                awaitable<Result<T>> flying) {
        try {
            Result<T> result = co_await std::move(flying);
            flight->result.emplace(std::move(result));
        } catch (...) {
            flight->broken = std::current_exception();
        }
        flights->erase(key);
        for (const auto& parking : flight->waiting) parking->wake();
    }

    asio::any_io_executor shard_;
    std::shared_ptr<Flights> flights_;
};

}  // namespace queue

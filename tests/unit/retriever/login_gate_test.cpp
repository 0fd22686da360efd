#include <catch2/catch.hpp>

#include "engine/retriever/login_gate.hpp"

namespace {

awaitable<void> pass(retriever::LoginGate& gate, Parking& inside, std::vector<int>& order, int name) {
    auto place = co_await gate.enter();
    order.push_back(name);
    co_await inside.wait();
}

void turn(asio::io_context& context) {
    context.restart();
    context.poll();
}

}  // namespace

TEST_CASE("a gate lets as many in as it has places, in order, and passes a cancelled turn on", "[retriever]") {
    asio::io_context context;
    retriever::LoginGate gate(2);
    std::vector<int> order;
    std::array<Parking, 6> inside;
    std::array<asio::cancellation_signal, 6> stop;
    const auto ignore = [](std::exception_ptr) {};
    for (int i = 0; i < 6; ++i) {
        const auto at = static_cast<std::size_t>(i);
        asio::co_spawn(context, pass(gate, inside[at], order, i),
                       asio::bind_cancellation_slot(stop[at].slot(), ignore));
    }
    turn(context);
    CHECK(order == std::vector<int>{0, 1});
    stop[3].emit(asio::cancellation_type::terminal);
    inside[1].wake();
    turn(context);
    CHECK(order == std::vector<int>{0, 1, 2});
    inside[0].wake();
    inside[2].wake();
    turn(context);
    CHECK(order == std::vector<int>{0, 1, 2, 4, 5});
    inside[4].wake();
    inside[5].wake();
    turn(context);
}

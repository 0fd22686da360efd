#include "protocols/wait/parking.hpp"

#include "protocols/base/ensure.hpp"

awaitable<void> Parking::wait() {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(boost::system::error_code)>(
        [this](auto handler) {
            if (permit_) {
                permit_ = false;
                auto executor = asio::get_associated_executor(handler);
                asio::post(executor,
                           [handler = std::move(handler)]() mutable { handler(boost::system::error_code{}); });
                return;
            }
            ensure(!waiter_, "one coroutine waits at a parking at a time");
            auto slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected()) {
                slot.assign([this](asio::cancellation_type) { finish(asio::error::operation_aborted); });
            }
            waiter_.emplace(std::move(handler));
        },
        asio::use_awaitable);
}

void Parking::wake() {
    if (waiter_) {
        finish({});
    } else {
        permit_ = true;
    }
}

void Parking::finish(boost::system::error_code reason) {
    if (!waiter_) return;
    auto handler = std::move(*waiter_);
    waiter_.reset();
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.clear();
    auto executor = asio::get_associated_executor(handler);
    asio::post(executor, [handler = std::move(handler), reason]() mutable { handler(reason); });
}

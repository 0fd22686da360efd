#pragma once

#include <memory>
#include <mutex>

#include "engine/consumers/hand_off.hpp"
#include "engine/retriever/arrivals.hpp"

/// The place of a consumer in the engine: stays when its configuration changes, so that sessions can hold on to it.
/// Any thread. A pull consumer has no hand-off: its mail waits to be taken.
class Outlet final : public retriever::Arrivals {
public:
    void arrived(store::MailboxNumber mailbox) override {
        if (const auto now = current()) now->arrived(mailbox);
    }
    void put(std::shared_ptr<consumers::HandOff> hand_off) {
        const std::lock_guard lock(mutex_);
        hand_off_ = std::move(hand_off);
    }
    [[nodiscard]] std::shared_ptr<consumers::HandOff> current() const {
        const std::lock_guard lock(mutex_);
        return hand_off_;
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<consumers::HandOff> hand_off_;
};

#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "protocols/wait/parking.hpp"

namespace retriever {

/// Lets only so many sessions of a shard connect and log in at once, first come, first served: a start with thousands
/// of mailboxes is no storm. One shard.
class LoginGate {
public:
    explicit LoginGate(std::size_t places) noexcept : free_(places) {}
    LoginGate(const LoginGate&) = delete;
    LoginGate& operator=(const LoginGate&) = delete;

    /// A place in the gate; leaves when it ends.
    class Place {
    public:
        Place() = default;
        explicit Place(LoginGate& gate) noexcept : gate_(&gate) {}
        Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
        Place& operator=(Place&& other) noexcept {
            leave();
            gate_ = std::exchange(other.gate_, nullptr);
            return *this;
        }
        ~Place() { leave(); }
        void leave() noexcept {
            if (auto* gate = std::exchange(gate_, nullptr)) gate->give_back();
        }

    private:
        LoginGate* gate_ = nullptr;
    };

    awaitable<Place> enter();

private:
    struct InLine;
    void give_back() noexcept;
    void call_next() noexcept;

    std::size_t free_;
    std::deque<Parking*> waiting_;
};

}  // namespace retriever

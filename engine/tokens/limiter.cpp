#include "engine/tokens/limiter.hpp"

#include <algorithm>

namespace tokens {

Limiter::Permit::~Permit() {
    if (host_ == nullptr) return;
    --host_->busy;
    if (!host_->waiting.empty()) host_->waiting.front()->wake();
}

awaitable<Limiter::Permit> Limiter::permit(std::string host) {
    /// A place in the line, left however the wait ends.
    struct Place {
        explicit Place(Host& at) : host(at) { host.waiting.push_back(&parking); }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        ~Place() { host.waiting.erase(std::find(host.waiting.begin(), host.waiting.end(), &parking)); }
        Host& host;
        Parking parking;
    };
    Host& at = hosts_[host];
    if (at.busy >= per_host_max_) {
        Place place(at);
        while (at.busy >= per_host_max_) {
            co_await place.parking.wait();
        }
    }
    ++at.busy;
    co_return Permit(at);
}

}  // namespace tokens

#include "engine/tokens/token_client.hpp"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "protocols/wait/parking.hpp"

namespace tokens {

/// What the shard knows, and who waits to know more.
struct TokenClient::Desk {
    struct Waiter {
        Parking parking;
        std::optional<TokenAnswer> answer;
    };
    /// Of one credential.
    struct Place {
        explicit Place(std::shared_ptr<Published> published) : reader(std::move(published)) {}

        PublishedReader reader;
        std::uint64_t refused = 0;        // this generation and those before it, as this shard knows already
        std::uint64_t accepted_told = 0;  // generation
        Monotonic accepted_told_at{};
        std::vector<std::shared_ptr<Waiter>> waiting;  // one question is under way for them
    };

    Place& place_of(TokenService& service, const std::string& credential) {
        const auto known = places.find(credential);
        if (known != places.end()) return known->second;
        return places.try_emplace(credential, service.published(credential)).first->second;
    }
    void take(const std::string& credential, const TokenAnswer& answer) {
        const auto asked = places.find(credential);
        for (const auto& waiter : std::exchange(asked->second.waiting, {})) {
            waiter->answer = answer;
            waiter->parking.wake();
        }
    }

    std::map<std::string, Place> places;  // each stays where it is
};

TokenClient::TokenClient(TokenService& service, queue::Inbox& home, const Clock& clock)
    : service_(service), home_(home), clock_(clock), desk_(std::make_shared<Desk>()) {}

awaitable<TokenAnswer> TokenClient::token_for(std::string credential) {
    auto& place = desk_->place_of(service_, credential);
    const Token* known = place.reader.current();
    // The clock of the machine may have jumped, or the service's shard be busy.
    const bool good = known != nullptr && known->generation > place.refused && clock_.wall() < known->expires_at;
    if (good) co_return TokenAnswer(*known);
    auto waiter = std::make_shared<Desk::Waiter>();
    place.waiting.push_back(waiter);
    if (place.waiting.size() == 1) {
        ReplyTo reply_to;
        reply_to.inbox = &home_;
        reply_to.take = [desk = desk_, credential](const TokenAnswer& answer) { desk->take(credential, answer); };
        service_.ask(credential, std::move(reply_to));
    }
    co_await waiter->parking.wait();
    co_return std::move(*waiter->answer);
}

void TokenClient::rejected(const std::string& credential, std::uint64_t generation) {
    auto& place = desk_->place_of(service_, credential);
    place.refused = std::max(place.refused, generation);
    service_.rejected(credential, generation);
}

void TokenClient::expired(const std::string& credential, std::uint64_t generation) {
    auto& place = desk_->place_of(service_, credential);
    place.refused = std::max(place.refused, generation);
    service_.expired(credential, generation);
}

void TokenClient::accepted(const std::string& credential, std::uint64_t generation) {
    constexpr std::chrono::minutes between_reports(1);
    auto& place = desk_->place_of(service_, credential);
    const auto now = clock_.now();
    if (place.accepted_told == generation && now - place.accepted_told_at < between_reports) return;
    place.accepted_told = generation;
    place.accepted_told_at = now;
    service_.accepted(credential, generation);
}

}  // namespace tokens

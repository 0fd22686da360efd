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
    struct Snapshot {
        Token token;
        std::optional<Monotonic> accepted_told_at;
    };

    void take(const std::string& credential, const TokenAnswer& answer) {
        const auto* token = std::get_if<Token>(&answer);
        if (token != nullptr) snapshots[credential] = {.token = *token, .accepted_told_at = std::nullopt};
        const auto asked = waiting.extract(credential);
        if (asked.empty()) return;
        for (const auto& waiter : asked.mapped()) {
            waiter->answer = answer;
            waiter->parking.wake();
        }
    }

    std::uint64_t version = 0;
    std::map<std::string, Snapshot> snapshots;
    std::map<std::string, std::vector<std::shared_ptr<Waiter>>> waiting;  // one question is under way for them
};

TokenClient::TokenClient(TokenService& service, queue::Inbox& home, const Clock& clock)
    : service_(service), home_(home), clock_(clock), desk_(std::make_shared<Desk>()) {}

awaitable<TokenAnswer> TokenClient::token_for(std::string credential) {
    const auto version = service_.version();
    if (desk_->version != version) desk_->snapshots.clear();
    desk_->version = version;
    const auto known = desk_->snapshots.find(credential);
    if (known != desk_->snapshots.end()) {
        const Token& token = known->second.token;
        const auto now = clock_.wall();
        if (now < token.ask_again_at && now < token.expires_at) co_return TokenAnswer(token);
    }
    auto waiter = std::make_shared<Desk::Waiter>();
    auto& waiting = desk_->waiting[credential];
    waiting.push_back(waiter);
    if (waiting.size() == 1) {
        ReplyTo reply_to;
        reply_to.inbox = &home_;
        reply_to.take = [desk = desk_, credential](const TokenAnswer& answer) { desk->take(credential, answer); };
        service_.ask(credential, std::move(reply_to));
    }
    co_await waiter->parking.wait();
    co_return std::move(*waiter->answer);
}

void TokenClient::rejected(const std::string& credential, std::uint64_t generation) {
    forget(credential, generation);
    service_.rejected(credential, generation);
}

void TokenClient::expired(const std::string& credential, std::uint64_t generation) {
    forget(credential, generation);
    service_.expired(credential, generation);
}

void TokenClient::forget(const std::string& credential, std::uint64_t generation) {
    const auto known = desk_->snapshots.find(credential);
    if (known != desk_->snapshots.end() && known->second.token.generation <= generation) desk_->snapshots.erase(known);
}

void TokenClient::accepted(const std::string& credential, std::uint64_t generation) {
    constexpr std::chrono::minutes between_reports(1);
    const auto known = desk_->snapshots.find(credential);
    if (known == desk_->snapshots.end() || known->second.token.generation != generation) return;
    const auto now = clock_.now();
    auto& told_at = known->second.accepted_told_at;
    if (told_at && now - *told_at < between_reports) return;
    told_at = now;
    service_.accepted(credential, generation);
}

}  // namespace tokens

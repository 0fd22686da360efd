#include "tools/rohrpost-sim/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/message.hpp"

namespace sim {

std::string TokenBook::refresh_token(std::string_view user, std::uint64_t generation) const {
    const std::string facts = fmt::format("{}|{}", user, generation);
    return fmt::format("0.{}.{}", base64url_encoded(facts), sha256_hex("rohrpost-sim " + facts).substr(0, 32));
}

std::optional<TokenBook::Facts> TokenBook::facts_of(std::string_view token) const {
    const auto parts = text::split(token, '.');
    if (parts.size() != 3) return std::nullopt;
    const auto facts = base64url_decoded(parts[1]);
    if (!facts) return std::nullopt;
    const auto words = text::split(*facts, '|');
    const auto generation = words.size() == 2 ? text::number<std::uint64_t>(words[1]) : std::nullopt;
    if (!generation || refresh_token(words[0], *generation) != token) return std::nullopt;
    return Facts{std::string(words[0]), *generation};
}

std::string TokenBook::user_of(std::string_view token) const {
    const auto facts = facts_of(token);
    return facts ? facts->user : std::string();
}

bool TokenBook::revoked(const Facts& facts) const {
    const auto mark = revoked_.find(facts.user);
    if (mark == revoked_.end()) return false;
    const auto latest = generations_.find(facts.user);
    // One of an earlier run counts as old, however high its number.
    return facts.generation <= mark->second || latest == generations_.end() || facts.generation > latest->second;
}

std::optional<TokenBook::Pair> TokenBook::refresh(std::string_view token) {
    const auto facts = facts_of(token);
    if (!facts || revoked(*facts) || ended_.contains(token)) return std::nullopt;
    const auto oldest = oldest_.find(facts->user);
    if (oldest != oldest_.end() && facts->generation < oldest->second) return std::nullopt;
    if (rules_.refresh_once && !used_.insert(std::string(token)).second) return std::nullopt;
    std::uint64_t& latest = generations_[facts->user];
    latest = std::max(latest, facts->generation);
    return begin(facts->user);
}

TokenBook::Pair TokenBook::begin(std::string_view user) {
    const std::uint64_t latest = ++generations_[std::string(user)];
    Pair pair{issue(user), refresh_token(user, latest), rules_.lives_for};
    access_.at(pair.access_token).generation = latest;
    return pair;
}

void TokenBook::end(std::string_view token) {
    if (const auto found = access_.find(token); found != access_.end()) access_.erase(found);
    if (facts_of(token)) ended_.emplace(token);
}

void TokenBook::used(std::string_view access_token) {
    const auto found = access_.find(access_token);
    if (!rules_.superseded || found == access_.end()) return;
    auto& oldest = oldest_[found->second.user];
    oldest = std::max(oldest, found->second.generation);
}

std::string TokenBook::issue(std::string_view user) {
    forget_expired();
    std::string bytes(rules_.access_token_bytes * 3 / 4, '\0');
    random_.fill(std::as_writable_bytes(std::span(bytes)));
    std::string token = base64url_encoded(bytes);
    access_[token] = Holder{std::string(user), clock_.now() + rules_.lives_for, 0};
    ++issued_;
    return token;
}

std::optional<TokenBook::Holder> TokenBook::holder_of(std::string_view access_token) const {
    const auto found = access_.find(access_token);
    if (found == access_.end() || found->second.expires <= clock_.now()) return std::nullopt;
    return found->second;
}

std::vector<std::string> TokenBook::access_tokens_of(std::string_view user) const {
    std::vector<std::string> tokens;
    for (const auto& [token, holder] : access_)
        if (holder.user == user) tokens.push_back(token);
    return tokens;
}

void TokenBook::expire(std::string_view user) {
    std::erase_if(access_, [&](const auto& held) { return user.empty() || text::same(held.second.user, user); });
}

void TokenBook::forget_expired() {
    if (access_.size() < forget_at_) return;
    const Monotonic now = clock_.now();
    std::erase_if(access_, [now](const auto& held) { return held.second.expires <= now; });
    forget_at_ = std::max<std::size_t>(1024, access_.size() * 2);
}

}  // namespace sim

#include "tools/rohrpost-sim/identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/message.hpp"

namespace sim {

namespace {

constexpr std::size_t flows_max = 4096;

std::string with_dashes(std::string hex) {
    hex[12] = '4';
    hex[16] = '8';
    return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                       hex.substr(20, 12));
}

/// A URI in two: before and after the port. Without a port they meet.
struct Portless {
    std::string_view before, after;
    bool had_port = false;
    friend bool operator==(const Portless& a, const Portless& b) { return a.before == b.before && a.after == b.after; }
};

Portless without_port(std::string_view uri, std::string_view origin) {
    if (!uri.starts_with(origin)) return {uri, {}};
    const std::string_view rest = uri.substr(origin.size());
    if (!rest.starts_with(':')) return {origin, rest};
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end == 1) return {uri, {}};
    return {origin, rest.substr(end), true};
}

bool same_but_for_port(std::string_view registered, std::string_view asked, Manner manner) {
    for (const std::string_view origin : {"http://localhost", "http://127.0.0.1"}) {
        const bool ours = registered.starts_with(origin) && asked.starts_with(origin);
        if (!ours) continue;
        const Portless left = without_port(registered, origin), right = without_port(asked, origin);
        // Whatever follows the host must begin a path or end the URI: no "http://localhost.evil.example".
        const bool whole = right.after.empty() || right.after.starts_with('/') || right.after.starts_with('?');
        const bool port_is_free = manner == Manner::entra ? origin == "http://localhost" : !left.had_port;
        if (whole && port_is_free && left == right) return true;
    }
    return false;
}

}  // namespace

std::string uuid_of(std::string_view name) { return with_dashes(sha256_hex(name).substr(0, 32)); }

std::vector<std::string> scopes_in(std::string_view given) {
    std::vector<std::string> scopes;
    for (const std::string_view word : text::split(given, ' '))
        if (!word.empty() && !holds(scopes, word)) scopes.emplace_back(word);
    return scopes;
}

std::string joined(const std::vector<std::string>& scopes) { return fmt::format("{}", fmt::join(scopes, " ")); }

bool holds(const std::vector<std::string>& scopes, std::string_view scope) {
    return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

bool redirect_registered(const Client& client, std::string_view asked, Manner manner) {
    constexpr std::size_t uri_bytes_max = 256;
    if (asked.size() > uri_bytes_max) return false;
    return std::any_of(client.redirect_uris.begin(), client.redirect_uris.end(), [&](const std::string& registered) {
        return registered == asked || same_but_for_port(registered, asked, manner);
    });
}

std::int64_t IdentityProvider::seconds_now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
}

std::string IdentityProvider::drawn(std::size_t count) {
    std::string bytes(count, '\0');
    random_.fill(std::as_writable_bytes(std::span(bytes)));
    return base64url_encoded(bytes);
}

std::string IdentityProvider::uuid() { return uuid_of(drawn(16)); }

std::string IdentityProvider::drawn_user_code() {
    constexpr std::string_view letters = "BCDFGHJKLMNPQRSTVWXZ";  // RFC 8628 §6.1
    std::string code;
    for (int at = 0; at < 8; ++at) {
        if (at == 4) code += '-';
        code += letters[random_.next() % letters.size()];
    }
    return code;
}

const RsaKey& IdentityProvider::signing_key() {
    if (!key_) key_ = RsaKey::drawn_from(random_);
    return *key_;
}

std::vector<RsaKey> IdentityProvider::served_keys() {
    std::vector<RsaKey> keys{signing_key()};
    for (const OldKey& old : old_keys_)
        if (clock_.now() < old.until) keys.push_back(old.key);
    return keys;
}

void IdentityProvider::rotate_keys(std::chrono::seconds old_one_served_for) {
    old_keys_.push_back({signing_key(), clock_.now() + old_one_served_for});
    key_ = RsaKey::drawn_from(random_);
}

bool IdentityProvider::consented(std::string_view client, std::string_view user,
                                 const std::vector<std::string>& scopes) const {
    const auto found = consents_.find({std::string(client), text::lowered(user)});
    return found != consents_.end() && std::all_of(scopes.begin(), scopes.end(), [&](const std::string& scope) {
               return found->second.contains(scope);
           });
}

void IdentityProvider::consent(std::string_view client, std::string_view user, const std::vector<std::string>& scopes) {
    consents_[{std::string(client), text::lowered(user)}].insert(scopes.begin(), scopes.end());
}

void IdentityProvider::forget_consent(std::string_view client, std::string_view user) {
    consents_.erase({std::string(client), text::lowered(user)});
}

std::vector<std::string> IdentityProvider::end_family(std::uint64_t family) {
    ended_.insert(family);
    std::vector<std::string> tokens = std::move(given_[family]);
    given_.erase(family);
    return tokens;
}

void IdentityProvider::forget_old() {
    const Monotonic now = clock_.now();
    constexpr auto kept_for = std::chrono::hours(1);  // a used or stale code is told apart from an unknown one
    const auto over = [now, kept_for](const auto& one) { return one.second.until + kept_for < now; };
    if (flows.size() >= flows_max) std::erase_if(flows, [now](const auto& one) { return one.second.until < now; });
    if (codes.size() >= flows_max) std::erase_if(codes, over);
    if (devices.size() >= flows_max) std::erase_if(devices, over);
    if (assertions.size() >= flows_max) std::erase_if(assertions, [now](const auto& one) { return one.second < now; });
}

}  // namespace sim

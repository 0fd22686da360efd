#include "engine/console/attempts.hpp"

#include <boost/asio/ip/address.hpp>

namespace console {

namespace {

constexpr std::chrono::minutes minute{1};
constexpr std::chrono::hours trusted_for{24};

}  // namespace

void Attempts::begin_minute() {
    const auto now = clock_.now();
    if (now - minute_ < minute) return;
    minute_ = now;
    failures_ = 0;
    for (auto& [key, known] : peers_) known.failures = 0;
    std::erase_if(peers_, [now](const auto& peer) {
        return !peer.second.got_in_at || now - *peer.second.got_in_at > trusted_for;
    });
}

std::optional<std::chrono::seconds> Attempts::must_wait(const std::string& peer) {
    begin_minute();
    if (!is_over_limit(peer)) return std::nullopt;
    ++turned_away_;
    return std::chrono::ceil<std::chrono::seconds>(minute_ + minute - clock_.now());
}

bool Attempts::is_over_limit(const std::string& peer) const {
    const auto known = peers_.find(peer);
    if (known != peers_.end() && known->second.failures >= limits_.of_peer) return true;
    const bool trusted = known != peers_.end() && known->second.got_in_at;
    return !trusted && failures_ >= limits_.of_all;
}

void Attempts::failed(const std::string& peer) {
    begin_minute();
    ++failures_;
    ++wrong_tokens_;
    if (peer.empty() || (peers_.size() >= limits_.peers_max && !peers_.contains(peer))) return;
    ++peers_[peer].failures;
}

void Attempts::succeeded(const std::string& peer) {
    begin_minute();
    if (peer.empty() || (peers_.size() >= limits_.peers_max && !peers_.contains(peer))) return;
    peers_[peer].got_in_at = clock_.now();
}

std::string peer_key(std::string_view address) {
    boost::system::error_code unknown;
    const auto parsed = boost::asio::ip::make_address(std::string(address), unknown);
    if (unknown || !parsed.is_v6() || parsed.to_v6().is_v4_mapped()) return std::string(address);
    auto bytes = parsed.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace console

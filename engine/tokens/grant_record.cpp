#include "engine/tokens/grant_record.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "protocols/base/text.hpp"

namespace tokens {

namespace {

constexpr std::string_view format_1 = "grant 1\n", format_2 = "grant 2\n";
constexpr std::size_t length_bytes_max = 21;

void append(std::string& to, std::string_view field) {
    fmt::format_to(std::back_inserter(to), "{}\n", field.size());
    to += field;
}

std::optional<std::string_view> take(std::string_view& from) {
    const auto end = from.find('\n');
    const auto length = text::number<std::size_t>(from.substr(0, end));
    if (end == std::string_view::npos || !length || *length > from.size() - end - 1) return std::nullopt;
    const auto field = from.substr(end + 1, *length);
    from.remove_prefix(end + 1 + *length);
    return field;
}

std::string seconds_of(WallTime time) {
    return std::to_string(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
}

std::optional<WallTime> time_in(std::string_view text) {
    const auto seconds = text::number<std::uint32_t>(text);
    if (!seconds) return std::nullopt;
    return WallTime(std::chrono::seconds(*seconds));
}

}  // namespace

Secret encoded(const GrantRecord& grant) {
    const std::string expires = seconds_of(grant.life.expires_at), refresh = seconds_of(grant.life.refresh_at);
    const std::string signed_in = seconds_of(grant.signed_in_at), token_at = seconds_of(grant.refresh_token_at);
    const std::array<std::string_view, 11> fields{grant.refresh_token.reveal(),
                                                  grant.previous.reveal(),
                                                  grant.access_token.reveal(),
                                                  grant.seed,
                                                  expires,
                                                  refresh,
                                                  grant.owner.tenant,
                                                  grant.owner.object_id,
                                                  grant.owner.user,
                                                  signed_in,
                                                  token_at};
    std::string bytes(format_2);
    std::size_t size = bytes.size();
    for (const auto field : fields) size += field.size() + length_bytes_max;
    bytes.reserve(size);  // so that no copy is left unwiped
    for (const auto field : fields) append(bytes, field);
    return Secret(std::move(bytes));
}

std::optional<GrantRecord> decoded(const Secret& bytes) {
    std::string_view rest = bytes.reveal();
    const bool old = rest.starts_with(format_1);
    if (!old && !rest.starts_with(format_2)) return std::nullopt;
    rest.remove_prefix(format_2.size());
    std::array<std::string_view, 11> fields;
    const std::size_t count = old ? 6 : fields.size();
    for (std::size_t at = 0; at < count; ++at) {
        const auto taken = take(rest);
        if (!taken) return std::nullopt;
        fields[at] = *taken;
    }
    if (old) fields[9] = fields[10] = "0";
    const auto expires = time_in(fields[4]), refresh = time_in(fields[5]);
    const auto signed_in = time_in(fields[9]), token_at = time_in(fields[10]);
    if (!rest.empty() || !expires || !refresh || !signed_in || !token_at) return std::nullopt;
    GrantRecord grant;
    grant.refresh_token = Secret(std::string(fields[0]));
    grant.previous = Secret(std::string(fields[1]));
    grant.access_token = Secret(std::string(fields[2]));
    grant.seed = fields[3];
    grant.life = {.expires_at = *expires, .refresh_at = *refresh};
    grant.owner = {std::string(fields[6]), std::string(fields[7]), std::string(fields[8])};
    grant.signed_in_at = *signed_in;
    grant.refresh_token_at = *token_at;
    return grant;
}

std::string seed_of(const Secret& refresh_token) {
    if (refresh_token.empty()) return {};
    const auto bytes = refresh_token.reveal();
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
    std::string seed;
    for (const unsigned char byte : digest) fmt::format_to(std::back_inserter(seed), "{:02x}", byte);
    return seed;
}

bool goes_on(const GrantRecord& grant, const Secret& imported) {
    return grant.seed == seed_of(imported) || (!imported.empty() && imported == grant.refresh_token);
}

std::optional<WallTime> refresh_token_used_at(const GrantRecord& grant) {
    // The access token was made then; no provider gives one that lives longer.
    constexpr std::chrono::hours access_life_max{28};
    const auto used_at = std::max(grant.refresh_token_at, grant.life.expires_at - access_life_max);
    if (grant.refresh_token.empty() || used_at <= WallTime()) return std::nullopt;
    return used_at;
}

}  // namespace tokens

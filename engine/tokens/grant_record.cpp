#include "engine/tokens/grant_record.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <charconv>

#include "protocols/base/text.hpp"

namespace tokens {

namespace {

constexpr std::string_view format_mark = "grant 1\n";

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

}  // namespace

Secret encoded(const GrantRecord& grant) {
    const std::string expires = seconds_of(grant.life.expires_at), refresh = seconds_of(grant.life.refresh_at);
    std::string bytes(format_mark);
    bytes.reserve(bytes.size() + grant.refresh_token.reveal().size() + grant.previous.reveal().size() +
                  grant.access_token.reveal().size() + grant.seed.size() + 100);  // so that no copy is left unwiped
    for (const std::string_view field :
         {grant.refresh_token.reveal(), grant.previous.reveal(), grant.access_token.reveal(),
          std::string_view(grant.seed), std::string_view(expires), std::string_view(refresh)})
        append(bytes, field);
    return Secret(std::move(bytes));
}

std::optional<GrantRecord> decoded(const Secret& bytes) {
    std::string_view rest = bytes.reveal();
    if (!rest.starts_with(format_mark)) return std::nullopt;
    rest.remove_prefix(format_mark.size());
    std::array<std::string_view, 6> fields;
    for (auto& field : fields) {
        const auto taken = take(rest);
        if (!taken) return std::nullopt;
        field = *taken;
    }
    const auto expires = text::number<std::uint32_t>(fields[4]), refresh = text::number<std::uint32_t>(fields[5]);
    if (!rest.empty() || !expires || !refresh) return std::nullopt;
    return GrantRecord{.refresh_token = Secret(std::string(fields[0])),
                       .previous = Secret(std::string(fields[1])),
                       .access_token = Secret(std::string(fields[2])),
                       .seed = std::string(fields[3]),
                       .life = {.expires_at = WallTime(std::chrono::seconds(*expires)),
                                .refresh_at = WallTime(std::chrono::seconds(*refresh))}};
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

}  // namespace tokens

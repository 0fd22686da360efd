#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mime {

/// Somebody in an address field.
struct Party {
    std::string name{};     // UTF-8; empty: none
    std::string address{};  // bare, as written; empty: what stood there is no address, and is the name
    std::string group{};    // that it is named in; empty: none
    bool operator==(const Party&) const = default;
};

/// The parties of an address field, in their order, whatever it is: what is broken is read as far as it goes, and no
/// more than parties_max are. A comment behind an address without a name is its name. Names are decoded (RFC 2047).
/// `likely`: as in decoded_words(). For lists that must be right there is addresses_in().
std::vector<Party> parties_in(std::string_view value, std::string_view likely = {});
inline constexpr std::size_t parties_max = 5000;

/// Message ids with their brackets, in their order: of Message-ID, In-Reply-To and References. What stands between
/// them (old phrases) is left out; an id without brackets is one when it has an "@". At most ids_max.
std::vector<std::string> message_ids_in(std::string_view value);
inline constexpr std::size_t ids_max = 1000;

}  // namespace mime

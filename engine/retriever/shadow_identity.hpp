#pragma once

#include <string>
#include <string_view>

#include "queue/store/records.hpp"

namespace retriever {

/// What tells a mail from others wherever it lies: on the server, and where another product has put it.
struct ShadowIdentity {
    std::string message_id;  // as plain_message_id() has it; empty: none
    store::Digest fingerprint{};
};

/// Of a header section, or of those fields of it that fetch_heads() asks for. Both line ends will do. Pure.
ShadowIdentity shadow_identity_of(std::string_view head);

/// What stands between the angle brackets, or else the whole field: printable, without blanks, cut to so many bytes.
inline constexpr std::size_t message_id_bytes_max = 300;
std::string plain_message_id(std::string_view field);

}  // namespace retriever

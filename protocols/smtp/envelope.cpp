#include "protocols/smtp/envelope.hpp"

#include <algorithm>

namespace smtp {

bool Envelope::needs_smtputf8() const noexcept {
    if (headers == Headers::utf8 || (sender && sender->needs_smtputf8())) return true;
    return std::any_of(recipients.begin(), recipients.end(),
                       [](const Recipient& recipient) { return recipient.address.needs_smtputf8(); });
}

std::string_view words_of(Obstacle obstacle) noexcept {
    switch (obstacle) {
        case Obstacle::too_large:
            return "the mail is larger than the server takes (SIZE)";
        case Obstacle::eightbitmime_missing:
            return "the mail has 8-bit bytes and the server does not offer 8BITMIME";
        case Obstacle::binarymime_missing:
            return "the mail is binary and the server does not offer BINARYMIME with CHUNKING";
        case Obstacle::smtputf8_missing:
            return "an address or header has characters beyond ASCII and the server does not offer SMTPUTF8";
    }
    return "unknown obstacle";
}

std::optional<Obstacle> obstacle_to(const Envelope& envelope, std::uint64_t size_bytes, const Capabilities& offered) {
    if (offered.size_bytes_max && size_bytes > *offered.size_bytes_max) return Obstacle::too_large;
    if (envelope.needs_smtputf8() && !offered.smtputf8) return Obstacle::smtputf8_missing;
    if (envelope.body_kind == BodyKind::eight_bit && !offered.eightbitmime) return Obstacle::eightbitmime_missing;
    const bool takes_binary = offered.binarymime && offered.chunking;
    if (envelope.body_kind == BodyKind::binary && !takes_binary) return Obstacle::binarymime_missing;
    return std::nullopt;
}

}  // namespace smtp

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/smtp/address.hpp"
#include "protocols/smtp/capabilities.hpp"

namespace smtp {

/// When a recipient's server tells the sender. RFC 3461 §4.1. None of them: NOTIFY is not sent.
struct Notify {
    bool never = false;  // excludes the others
    bool success = false;
    bool failure = false;
    bool delay = false;
    [[nodiscard]] bool operator==(const Notify&) const = default;
};

struct Recipient {
    Address address;
    Notify notify{};
    std::string original{};  // ORCPT as "rfc822;someone@example.org", before xtext; empty: not sent. RFC 3461 §4.2
};

enum class BodyKind {
    seven_bit,
    eight_bit,  // RFC 6152
    binary,     // RFC 3030
};

/// What of a mail comes back with a report. RFC 3461 §4.3.
enum class Returned { unsaid, full, headers };

struct Envelope {
    std::optional<Address> sender{};  // none: the null sender
    std::vector<Recipient> recipients{};
    BodyKind body_kind = BodyKind::seven_bit;
    enum class Headers { ascii, utf8 } headers = Headers::ascii;  // UTF-8 in headers needs SMTPUTF8, as in addresses
    std::string id{};                                             // ENVID, before xtext; empty: not sent
    Returned returned = Returned::unsaid;

    [[nodiscard]] bool needs_smtputf8() const noexcept;
};

/// Why this server cannot be given a mail: it did not offer what the mail needs. For good, on this route.
enum class Obstacle { too_large, eightbitmime_missing, binarymime_missing, smtputf8_missing };
std::string_view words_of(Obstacle obstacle) noexcept;

/// nullopt: none.
std::optional<Obstacle> obstacle_to(const Envelope& envelope, std::uint64_t size_bytes, const Capabilities& offered);

}  // namespace smtp

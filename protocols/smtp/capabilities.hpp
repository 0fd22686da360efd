#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/smtp/reply.hpp"

namespace smtp {

/// What a server's reply to EHLO offers. RFC 5321 §4.1.1.1.
struct Capabilities {
    std::string server_name{};                      // that it greets with; may be empty
    bool pipelining = false;                        // RFC 2920
    bool chunking = false;                          // RFC 3030
    bool binarymime = false;                        // RFC 3030
    bool eightbitmime = false;                      // RFC 6152
    bool smtputf8 = false;                          // RFC 6531
    bool dsn = false;                               // RFC 3461
    bool enhanced_status_codes = false;             // RFC 2034
    bool starttls = false;                          // RFC 3207
    bool size = false;                              // RFC 1870: MAIL takes SIZE=
    std::optional<std::uint64_t> size_bytes_max{};  // none: not told, or no fixed limit
    std::vector<std::string> auth{};                // RFC 4954, upper case, each once; also from the old form "AUTH="
    struct Limits {                                 // RFC 9422
        std::optional<std::uint64_t> mails_max{};
        std::optional<std::uint64_t> recipients_max{};
        std::optional<std::uint64_t> recipient_domains_max{};
        [[nodiscard]] bool operator==(const Limits&) const = default;
    } limits{};

    /// `mechanism` in upper case.
    [[nodiscard]] bool offers_login(std::string_view mechanism) const noexcept;
    [[nodiscard]] bool operator==(const Capabilities&) const = default;
};

constexpr std::size_t auth_mechanisms_max = 64;

/// Of a reply that accepts EHLO. What is not understood is skipped; mechanisms beyond auth_mechanisms_max, too.
Capabilities read_capabilities(const Reply& reply);

}  // namespace smtp

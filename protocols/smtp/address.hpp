#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/smtp/errc.hpp"

namespace smtp {

/// A mailbox's address as it stands in MAIL and RCPT, checked once: whoever holds one can put it on a line. RFC 5321
/// §4.1.2 and RFC 6531 §3.3: dot-string or quoted local part; domain of letters, digits and hyphens (or UTF-8), or an
/// address literal. No control bytes, also not within quotes.
class Address {
public:
    static constexpr std::size_t local_part_bytes_max = 64;
    static constexpr std::size_t domain_bytes_max = 255;
    static constexpr std::size_t bytes_max = 254;

    /// Without angle brackets, comments and blanks around it. Errors: bad_address, address_too_long.
    static Result<Address> of(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] std::string_view local_part() const noexcept { return std::string_view(text_).substr(0, at_); }
    [[nodiscard]] std::string_view domain() const noexcept { return std::string_view(text_).substr(at_ + 1); }
    [[nodiscard]] bool needs_smtputf8() const noexcept { return needs_smtputf8_; }
    /// The same bytes.
    [[nodiscard]] bool operator==(const Address&) const = default;

private:
    Address(std::string_view text, std::size_t at, bool needs_smtputf8)
        : text_(text), at_(at), needs_smtputf8_(needs_smtputf8) {}

    std::string text_;
    std::size_t at_;  // of the "@" between both
    bool needs_smtputf8_;
};

/// RFC 5321 §4.1.2 Domain, or RFC 6531 §3.3 with UTF-8 in it: at most 255 bytes, labels of 1 to 63.
bool is_domain(std::string_view text) noexcept;
/// "[127.0.0.1]", "[IPv6:::1]". RFC 5321 §4.1.3.
bool is_address_literal(std::string_view text) noexcept;

}  // namespace smtp

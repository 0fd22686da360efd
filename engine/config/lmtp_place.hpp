#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace config {

/// Where an LMTP server listens: a host and a port, or the path of a socket of this machine.
struct LmtpPlace {
    std::string host;  // a path begins with "/"
    std::uint16_t port = 0;

    [[nodiscard]] bool is_socket() const noexcept { return host.starts_with('/'); }
    /// Nothing leaves this machine on the way there.
    [[nodiscard]] bool on_this_machine() const noexcept;
};

/// Reads "HOST:PORT", "[::1]:24", "unix:/PATH" or "/PATH"; nullopt: none of these.
std::optional<LmtpPlace> lmtp_place_of(std::string_view address);

/// "localhost", ::1 or 127.0.0.0/8.
bool names_this_machine(std::string_view host) noexcept;

}  // namespace config

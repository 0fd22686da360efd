#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/server_root.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

namespace support {

/// Debian's Postfix on loopback, in a root of its own. SMTP submission as "localhost", for whom a Dovecot vouches; mail
/// to anybody at `domain` lands in one Maildir.
///
/// Throws std::runtime_error with Postfix's own words when it does not start. See server_roots_work().
class Postfix {
public:
    struct Wish {
        std::uint16_t auth_port = 0;                // of Dovecot's auth service
        const sim::Authority* authority = nullptr;  // issues its certificate
        std::string settings{};                     // more lines for main.cf
    };
    static constexpr std::string_view domain = "rig.example";
    static constexpr std::uint64_t size_bytes_max = 20'000'000;

    explicit Postfix(Wish wish);

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }          // STARTTLS
    [[nodiscard]] std::uint16_t tls_port() const noexcept { return tls_port_; }  // TLS from the first byte
    [[nodiscard]] pid_t pid() const noexcept { return process_->pid(); }
    [[nodiscard]] std::string log() const { return root_.log(); }
    /// What was delivered, as Postfix wrote it: lines end in LF, its own header lines come first.
    [[nodiscard]] std::vector<std::string> mails() const;

private:
    void write_configuration(std::uint16_t port) const;

    Wish wish_;
    TemporaryDirectory directory_;
    ServerRoot root_;
    std::uint16_t tls_port_ = 0;
    std::uint16_t port_ = 0;
    std::unique_ptr<Process> process_;
};

}  // namespace support

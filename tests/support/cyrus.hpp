#pragma once

#include <set>

#include "tests/support/imap_user.hpp"
#include "tests/support/server_root.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

namespace support {

/// Debian's Cyrus IMAP on loopback, run as "nobody" from a root of its own. IMAP with TLS as "localhost"; everybody
/// who was put mail to, or add()ed, logs in with `password` (PLAIN, LOGIN). Its SASL library speaks no OAuth.
///
/// Throws std::runtime_error with Cyrus's own words when it does not start. See server_roots_work().
class Cyrus {
public:
    struct Wish {
        std::string settings{};  // more lines for imapd.conf
    };
    static constexpr std::string_view password = "cyrus-password";

    explicit Cyrus(Wish wish);
    Cyrus();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::filesystem::path ca_file() const { return directory_ / "ca.pem"; }
    /// What it said to syslog so far.
    [[nodiscard]] std::string log() const { return root_.log(); }

    /// The user has an INBOX from the first login on.
    void add(const std::string& user);
    [[nodiscard]] ImapUser user(const std::string& user);
    /// Adds messages to the INBOX, in this order; Cyrus refuses NUL, bare LF and messages without a header.
    void put(const std::string& user, const std::vector<std::string>& messages);
    /// Another UIDVALIDITY for the INBOX, which then holds just these messages; those that it held with their dates.
    void renew(const std::string& user, const std::vector<std::string>& messages);

    /// What is said with the user's sessions from now on is recorded.
    void record(const std::string& user) const;
    [[nodiscard]] std::string recorded(const std::string& user) const;

    /// SIGKILL to every process that serves an IMAP session; how many there were.
    std::size_t kill_sessions();
    /// SIGKILL to all of Cyrus.
    void kill();
    /// Runs again, after kill() or from running, on the same port.
    void restart();

private:
    void write_configuration(std::uint16_t port) const;
    void start();

    Wish wish_;
    TemporaryDirectory directory_;
    ServerRoot root_;
    std::uint16_t port_ = 0;
    std::set<std::string> users_;
    std::unique_ptr<Process> process_;
};

}  // namespace support

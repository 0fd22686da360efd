#pragma once

#include <map>

#include "tests/support/imap_user.hpp"
#include "tests/support/server_root.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

namespace support {

/// Debian's Courier IMAP or POP3 on loopback, run from a root of its own; mail belongs to "nobody". TLS as
/// "localhost"; everybody who was put mail to, or add()ed, logs in with `password` (PLAIN, LOGIN). Courier speaks no
/// OAuth.
///
/// Throws std::runtime_error with Courier's own words when it does not start. See server_roots_work().
class Courier {
public:
    enum class Serves { imap, pop3 };
    struct Wish {
        Serves serves = Serves::imap;
        std::string capabilities = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE SORT QUOTA IDLE";  // Debian's, in short
        std::string sasl = "AUTH=PLAIN";
        bool watches_files = true;  // IDLE tells of mail at once; otherwise when Courier looks, each `looks_every`
        std::chrono::seconds looks_every{60};
        std::string password{Courier::password};
    };
    static constexpr std::string_view password = "courier-password";

    explicit Courier(Wish wish);
    Courier();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::filesystem::path ca_file() const { return directory_ / "ca.pem"; }
    /// What it said to syslog and to standard error so far.
    [[nodiscard]] std::string log() const;

    void add(const std::string& user);
    [[nodiscard]] ImapUser user(const std::string& user);
    /// Adds messages to the INBOX's Maildir, whatever they are made of; CRLF becomes LF in its files.
    void put(const std::string& user, const std::vector<std::string>& messages);
    /// One, in a file whose name begins so: Courier numbers new messages in the order of their names.
    void put_as(const std::string& name, const std::string& user, const std::string& message);
    /// Another UIDVALIDITY for the INBOX, which holds the first of these messages and then all of them.
    void renew(const std::string& user, const std::vector<std::string>& messages);

    /// SIGKILL to every process that serves an IMAP session; how many there were.
    std::size_t kill_sessions();
    /// How many messages the INBOX has.
    [[nodiscard]] std::size_t count(const std::string& user) const;
    /// SIGKILL to all of Courier.
    void kill();
    /// Runs again, after kill() or from running, on the same port.
    void restart();

private:
    void start();
    void write_users() const;
    [[nodiscard]] std::filesystem::path maildir(const std::string& user) const;

    Wish wish_;
    TemporaryDirectory directory_;
    ServerRoot root_;
    std::uint16_t port_ = 0;
    std::uint64_t put_ = 0;
    std::map<std::string, std::string> users_;  // and the hash of their password
    std::unique_ptr<Process> passwords_, process_;
};

}  // namespace support

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/directory.hpp"
#include "tests/support/process.hpp"
#include "tests/support/running.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

namespace support {

/// Debian's Dovecot on loopback, as an ordinary foreground process with everything it needs in a temporary directory.
/// IMAP with TLS as "localhost". Logs in whom the provider's token endpoint vouches for
/// (XOAUTH2, OAUTHBEARER) and everybody with `password` (PLAIN). Any user name has a mailbox.
///
/// Runs as "nobody" when the test runs as root. Throws std::runtime_error with Dovecot's own words when it is not
/// installed or does not start.
class Dovecot {
public:
    enum class Storage { maildir, sdbox, mdbox };
    struct Wish {
        std::uint16_t introspection_port = 0;       // sim::Ports::http; 0: no OAuth
        const sim::Authority* authority = nullptr;  // issues its certificate; nullptr: one of its own
        sim::CertificateWish certificate{};
        Storage storage = Storage::maildir;
        std::uint16_t port = 0;  // 0: any
        std::string settings{};  // more lines for dovecot.conf
    };
    static constexpr std::string_view password = "dovecot-password";

    /// For Wish::settings: POP3 with TLS on this port, too. Needs the package dovecot-pop3d.
    static std::string pop3_settings(std::uint16_t port);

    /// For Wish::settings: LMTP on this port, and at lmtp_socket(). Needs the package dovecot-lmtpd.
    static std::string lmtp_settings(std::uint16_t port);
    [[nodiscard]] std::filesystem::path lmtp_socket() const { return directory_ / "run" / "lmtp"; }

    explicit Dovecot(Wish wish);
    ~Dovecot();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::filesystem::path ca_file() const { return directory_ / "ca.pem"; }
    /// What it logged so far.
    [[nodiscard]] std::string log() const;

    /// Where a user's mail lies, as maildir; whatever is put there must be given away to Dovecot's account.
    [[nodiscard]] std::filesystem::path maildir(const std::string& user) const { return directory_ / "mail" / user; }
    void give_away(const std::filesystem::path& path) const;

    /// Adds messages to the INBOX, in this order. Thousands a second.
    void put(const std::string& user, const std::vector<std::string>& messages);
    /// Removes messages by UID set ("3", "1:10", "ALL" is a UID set of its own).
    void remove(const std::string& user, const std::string& uids);
    /// As after a crash of its disk: what numbers the messages of the INBOX is gone, and made anew from the files.
    void lose_index(const std::string& user);
    void set_uid_validity(const std::string& user, std::uint32_t uid_validity);
    /// What `doveadm` says with these arguments for this user. Throws when it fails.
    std::string doveadm(const std::string& user, std::vector<std::string> arguments);

    /// SIGKILL to every process that serves an IMAP session; how many there were.
    std::size_t kill_sessions();
    /// SIGKILL to all of Dovecot.
    void kill();
    /// Runs again, after kill() or from running, on the same port.
    void restart();

private:
    void write_configuration() const;
    void start();
    [[nodiscard]] std::string mail_location(const std::string& user) const;
    [[nodiscard]] Process::Start command(std::vector<std::string> words) const;

    Wish wish_;
    TemporaryDirectory directory_;
    Process::Account account_;
    std::string account_name_, group_name_;
    std::uint16_t port_ = 0;
    std::uint64_t put_ = 0;
    std::unique_ptr<Process> process_;
};

}  // namespace support

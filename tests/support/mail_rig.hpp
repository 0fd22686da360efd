#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/daemon.hpp"
#include "tests/support/dovecot.hpp"
#include "tools/rohrpost-sim/provider.hpp"

namespace support {

/// Mail by who it is: "box0001@sim.test 7" for a message of the pretend provider that is there byte for byte, the name
/// of the file for any other.
using Mails = std::multiset<std::string>;

/// What a Maildir holds in new/.
Mails mails_in(const std::filesystem::path& maildir);
std::size_t count_in(const std::filesystem::path& maildir);
/// In words what is missing and what is too much, a few of each; empty: nothing.
std::string difference(const Mails& expected, const Mails& found);

/// A daemon, mailboxes box0001 and on for it to serve, and the provider whose tokens open them: at Dovecot, or at the
/// pretend provider itself. Remembers what was put into them.
class MailRig {
public:
    enum class Server { dovecot, sim };
    struct Wish {
        Server server = Server::dovecot;
        std::uint32_t mailboxes = 1;
        std::string consumer{};  // empty: the daemon's Maildir
        sim::TokenRules rules{};
        /// How credentials get their tokens; not empty: the provider is an identity provider, too.
        std::string flow{};
        std::vector<std::string> signed_in{};  // at the workstation
        sim::Client application{};             // how the registered one differs from the usual
        std::string style = "exchange";        // or gmail: the provider's manner
        std::uint32_t submit_per_minute = 0;   // not 0: the mailboxes send, at this pace
        bool smtp_starts_tls = false;
        bool shared_credential = false;  // one, with access to every mailbox
    };
    explicit MailRig(Wish wish);
    /// Mailboxes at the pretend provider that send, as fast as they can.
    static Wish senders(std::uint32_t mailboxes = 1);

    static std::string id(std::uint32_t box) { return address(box).substr(0, 7); }
    static std::string address(std::uint32_t box) { return sim::World::address_of(box); }

    /// Messages of that size arrive in the mailbox.
    void put(std::uint32_t box, std::uint32_t count, std::size_t bytes = 4096);
    /// What has been put and not taken back: what is to arrive.
    [[nodiscard]] const Mails& expected() const noexcept { return expected_; }
    /// The message with this UID will not be there to fetch.
    void expect_not(std::uint32_t box, std::uint32_t uid);

    /// The import document that serves all mailboxes.
    [[nodiscard]] boost::json::object document() const;
    void import() const;
    void fault(const std::string& words);
    void clear_faults();
    [[nodiscard]] sim::Counters counters();

    [[nodiscard]] bool all_arrived() const { return count_in(daemon.maildir()) >= expected_.size(); }
    /// Empty: the Maildir holds exactly what was put, each once, byte for byte.
    [[nodiscard]] std::string amiss() const { return difference(expected_, mails_in(daemon.maildir())); }

    Daemon daemon;
    sim::Provider provider;
    std::unique_ptr<Dovecot> dovecot;  // nullptr: the mailboxes are the pretend provider's own

private:
    std::map<std::uint32_t, std::uint32_t> last_number_;
    Mails expected_;
};

}  // namespace support

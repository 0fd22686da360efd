#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/mail_rig.hpp"
#include "tests/support/smtp_talk.hpp"

namespace support {

/// A daemon that takes mail of applications over SMTP, before a provider that records what is sent. Its mailboxes are
/// box0001@sim.test and on.
class InletRig {
public:
    explicit InletRig(std::uint32_t mailboxes = 1);

    /// With these flags beside those of the listener; where it listens stays the same.
    void start(std::vector<std::string> flags = {});
    /// Once the daemon is not the first one on its data: a command that found none may have the store for a moment.
    void start_again(const std::vector<std::string>& flags = {});
    /// The flags that make it offer STARTTLS as "localhost"; its certificate is of the provider's authority.
    [[nodiscard]] std::vector<std::string> tls_flags() const;
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// A new API token, which is the password of applications.
    [[nodiscard]] std::string new_token() const;
    /// A value of /metrics: "rohrpost_inlet_refusals_total{reason=\"size\"}".
    [[nodiscard]] double metric(const std::string& name) const;

    [[nodiscard]] std::vector<sim::SentMail> sent();
    /// How often the server took each mail, by subject.
    [[nodiscard]] std::map<std::string, int> taken();
    /// Waits until that many were taken.
    [[nodiscard]] bool arrive(std::size_t count);

    MailRig rig;

private:
    std::uint16_t port_;
};

/// Subjects "0" to count - 1, each once.
std::map<std::string, int> each_once(std::size_t count);
/// A short mail, canonical and without dots: From, Subject, and a line of text.
std::string short_mail(const std::string& subject);

}  // namespace support

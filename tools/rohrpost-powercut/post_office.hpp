#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/dovecot.hpp"

namespace powercut {

/// A mail by who it is: address and number, as in its Message-ID.
struct MailName {
    std::string address;
    std::uint32_t number = 0;
    auto operator<=>(const MailName&) const = default;
};
using MailNames = std::set<MailName>;
std::string words_of(const MailNames& names);

/// What the server has of one mailbox: enough to put it up again elsewhere, with the same UIDs.
struct Mailbox {
    std::string uid_list;
    struct File {
        std::string place;  // "new/…" or "cur/…", flags in its name
        MailName mail;
    };
    std::vector<File> files;
};
using Mailboxes = std::map<std::string, Mailbox>;  // by address

/// A real server (Dovecot), and a copy of every mail that was ever put into it. One thread at a time.
class PostOffice {
public:
    struct Wish {
        std::filesystem::path store;  // the copies; on the file system of temporary directories
        const sim::Authority* authority = nullptr;
        std::uint16_t imap_port = 0, pop3_port = 0;  // 0: any for IMAP, no POP3
    };
    explicit PostOffice(Wish wish);

    [[nodiscard]] std::uint16_t imap_port() const noexcept { return dovecot_->port(); }
    [[nodiscard]] std::uint16_t pop3_port() const noexcept { return wish_.pop3_port; }
    [[nodiscard]] std::filesystem::path ca_file() const { return dovecot_->ca_file(); }
    [[nodiscard]] std::string log() const { return dovecot_->log(); }

    /// A mailbox without mail, if there is none yet.
    void open(const std::string& address);
    /// The next mail of that mailbox arrives.
    MailName put(const std::string& address, std::size_t bytes);
    /// What is there now.
    [[nodiscard]] Mailboxes mailboxes() const;
    [[nodiscard]] const MailNames& put_so_far() const noexcept { return put_; }
    /// Nothing is there any more, and nothing was ever put.
    void clear();
    /// Replaces everything by these mailboxes, whose mails have their copies in the same `store`.
    void put_up(const Mailboxes& mailboxes);

private:
    Wish wish_;
    std::unique_ptr<support::Dovecot> dovecot_;
    std::map<std::string, std::uint32_t> last_number_;
    MailNames put_;
};

}  // namespace powercut

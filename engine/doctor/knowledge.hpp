#pragma once
/// What is known of faults, as rows: what they are called, which texts show them, where they come from, what helps.
/// What identity providers say is known in engine/tokens/advice.

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "engine/doctor/finding.hpp"

namespace doctor {

struct Knowledge {
    std::string_view id;     // stable, unique
    std::string_view about;  // whose words, or which step: "Exchange Online, IMAP"
    Severity severity = Severity::fault;
    Owner owner = Owner::nobody;
    std::string_view cause;
    std::string_view remedy;  // to be filled(); empty: nothing is to be done
    /// Stable parts of the texts that show it, any of them; `*` stands for anything between two parts.
    std::array<std::string_view, 8> texts{};
};

/// The row of that id; nullptr: none.
const Knowledge* known(std::string_view id) noexcept;
/// The first row, the special ones before the general ones, with a text that is in `says`, whatever the case of its
/// letters; nullptr: none.
const Knowledge* known_by(std::string_view says) noexcept;
/// Only what is said in one table: "Exchange Online, IMAP" and the like begin with `about`.
const Knowledge* known_by(std::string_view says, std::string_view about) noexcept;
/// All tables, in that order.
std::span<const std::span<const Knowledge>> knowledge() noexcept;

/// What stands for the {names} in a remedy. What is empty shows as a word in capitals to be replaced by hand.
struct Names {
    std::string id;          // of the mailbox
    std::string mailbox;     // whose mail: the user name of the log-in
    std::string user;        // who signs in
    std::string credential;  // its id
    std::string client_id, tenant;
    std::string principal;  // object id of the application in the tenant
    std::string provider;   // its id
    std::string host;       // host:port
    std::string host_name;  // without the port
    std::string folder;
    std::string redirect_uri;
};
std::string filled(std::string_view text, const Names& names);

/// A finding of that row, which there is.
Finding found(std::string_view id, Subject subject, std::string did, std::string got, const Names& names = {});
/// All is well here.
Finding fine(std::string id, Subject subject, std::string did, std::string got);

// The tables, each in a file of its own.
std::span<const Knowledge> exchange_imap_texts() noexcept;
std::span<const Knowledge> exchange_pop3_texts() noexcept;
std::span<const Knowledge> exchange_smtp_texts() noexcept;
std::span<const Knowledge> gmail_texts() noexcept;
std::span<const Knowledge> imap_codes() noexcept;
std::span<const Knowledge> pop3_codes() noexcept;
std::span<const Knowledge> way_knowledge() noexcept;
std::span<const Knowledge> account_knowledge() noexcept;
std::span<const Knowledge> own_texts() noexcept;

}  // namespace doctor

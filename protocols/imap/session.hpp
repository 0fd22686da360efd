#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/imap/command.hpp"
#include "protocols/imap/parse.hpp"
#include "protocols/imap/types.hpp"

namespace imap {

/// What one connection knows of itself, without I/O: tags, capabilities, the selected mailbox, the server's BYE.
class Session {
public:
    std::string next_tag();

    /// Learns from an untagged response or from the code of a tagged one.
    void take_in(const Response& response);
    /// A SELECT or EXAMINE begins: the mailbox selected before is no longer.
    void forget_selected() noexcept { selected_ = {}; }
    void selected_read_only() noexcept { selected_.read_only = true; }
    void forget_capabilities() noexcept { capabilities_.clear(); }
    void enable_utf8() noexcept { coding_ = NameCoding::utf8; }

    [[nodiscard]] bool knows_capabilities() const noexcept { return !capabilities_.empty(); }
    [[nodiscard]] bool can(std::string_view capability) const noexcept;
    [[nodiscard]] std::vector<std::string> capabilities() const;
    [[nodiscard]] const Selected& selected() const noexcept { return selected_; }
    [[nodiscard]] std::uint32_t arrivals() const noexcept { return arrivals_; }
    [[nodiscard]] const std::string& bye() const noexcept { return bye_; }
    [[nodiscard]] bool said_bye() const noexcept { return said_bye_; }
    [[nodiscard]] NameCoding coding() const noexcept { return coding_; }
    [[nodiscard]] Syntax syntax() const noexcept;
    /// A UTF-8 mailbox name as it goes over this connection.
    [[nodiscard]] std::string wire_name(std::string_view name) const;

private:
    std::uint64_t tags_ = 0;
    std::string capabilities_;  // with spaces between: an idle connection keeps little
    Selected selected_;
    std::uint32_t arrivals_ = 0;
    std::string bye_;
    bool said_bye_ = false;
    NameCoding coding_ = NameCoding::utf7;
};

}  // namespace imap

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sim {

/// How a provider's IMAP server presents itself: its words, not its deeds.
struct Style {
    std::string_view name;
    std::string_view greeting;
    std::string_view before_login;  // capabilities
    std::string_view after_login;
    std::string_view login_refused;  // text of the tagged NO
    std::string_view challenge;      // JSON sent before an OAuth refusal; empty: none
    std::string_view token_expired;  // text of the BYE
    std::string_view idle_accepted;
};

/// "exchange", "gmail", "dovecot"; nullptr: unknown.
const Style* style_of(std::string_view name);
/// `capabilities` without `gone`.
std::string without(std::string_view capabilities, std::string_view gone);

}  // namespace sim

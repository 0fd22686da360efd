#include "engine/doctor/finding.hpp"

#include <array>

namespace doctor {

std::string_view word_of(Severity severity) noexcept {
    constexpr std::array<std::string_view, 4> words{"ok", "note", "warning", "fault"};
    return words[static_cast<std::size_t>(severity)];
}

std::string_view word_of(Subject::Kind kind) noexcept {
    constexpr std::array<std::string_view, 4> words{"mailbox", "credential", "provider", "host"};
    return words[static_cast<std::size_t>(kind)];
}

std::string_view word_of(Owner owner) noexcept {
    constexpr std::array<std::string_view, 4> words{"configuration", "account", "network", "nobody"};
    return words[static_cast<std::size_t>(owner)];
}

}  // namespace doctor

#pragma once
/// What the store keeps of a submission and does not look into.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/smtp/envelope.hpp"

namespace submission {

/// Whom a message goes to and as what, fixed when it is accepted.
struct Ticket {
    smtp::Envelope envelope{};
    std::string message_id{};  // with its angle brackets, as it stands in the message
    std::string mark{};        // the value of its private header, by which it is found where ids are rewritten
    std::string subject{};     // unfolded, bounded; for people
};

/// The private header that carries Ticket::mark.
inline constexpr std::string_view mark_header = "X-Rohrpost-Submission";

/// What has become of one recipient.
struct Fate {
    enum class State : std::uint8_t {
        waiting,
        delivered,
        failed,
        in_doubt,  // has it if the mail has left
        unclear,   // may have been refused even if the mail has left: others were asked with it, and no reply came
    } state = State::waiting;
    std::string said{};  // the reply that decided, in one line; empty: none yet
    [[nodiscard]] bool operator==(const Fate&) const = default;
};

/// What has become of a submission so far.
struct Progress {
    std::vector<Fate> recipients{};  // in the envelope's order
    std::uint32_t looks = 0;         // for it where it may have arrived, since it came in doubt
    std::uint32_t doubts = 0;        // attempts that ended in doubt
    std::uint32_t copies = 0;        // that left for some of the recipients: so many are in Sent Items already

    /// Those that the next attempt asks for.
    [[nodiscard]] std::uint32_t waiting() const {
        return static_cast<std::uint32_t>(std::count_if(recipients.begin(), recipients.end(), is_open));
    }
    static bool is_open(const Fate& fate) {
        return fate.state != Fate::State::delivered && fate.state != Fate::State::failed;
    }
    [[nodiscard]] bool operator==(const Progress&) const = default;
};

/// Fields with their lengths in front; the first tells the format.
std::string encoded(const Ticket& ticket);
std::string encoded(const Progress& progress);
/// nullopt: not of a format that is known here.
std::optional<Ticket> ticket_from(std::string_view bytes);
/// Empty bytes: nothing has happened to `recipients` recipients yet. nullopt: unknown format, or another number.
std::optional<Progress> progress_from(std::string_view bytes, std::size_t recipients);

}  // namespace submission

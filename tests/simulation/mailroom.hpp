#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocols/base/clock.hpp"
#include "tests/simulation/dice.hpp"
#include "tests/simulation/events.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace simulation {

/// The provider's mailboxes as people see them: what came, what they deleted. The truth that the application's mail is
/// compared with.
class Mailroom {
public:
    struct Letter {
        std::uint32_t number = 0;  // of the message, in no other folder of the mailbox the same
        std::uint32_t uid = 0;     // as the folder is numbered now
        std::string sha256;
        bool removed = false;
        std::string folder = "INBOX";
        bool renumbered = false;  // or moved elsewhere: what was not done with it by then is not done
        std::string message_id;   // in angle brackets
        WallTime arrived_at{};
        std::optional<WallTime> seen_at{}, removed_at{};
        bool displaced = false;  // moved, or marked as unread again: how long it was where, only who looked knows
    };
    /// Beside INBOX, in mailboxes that have one.
    static constexpr const char* second_folder = "Team";

    Mailroom(sim::World& world, Events& events, const Clock& clock) : world_(world), events_(events), clock_(clock) {}

    /// "box0002" for 2.
    static std::string id_of(std::uint32_t number);
    void make_second_folder(std::uint32_t number);
    void arrive(std::uint32_t number, std::size_t bytes, std::chrono::milliseconds hidden_for,
                const std::string& folder = "INBOX");
    void read(std::uint32_t number, Dice& dice);
    void remove(std::uint32_t number, Dice& dice);      // any one
    void bring_back(std::uint32_t number, Dice& dice);  // any one, from where it was for a moment
    void move_over(std::uint32_t number, Dice& dice);   // any one, from one folder to the other
    void remove_letter(std::uint32_t number, std::uint32_t letter);
    /// Another product takes it: flags it, or removes it.
    enum class Taking { flags, removes };
    void take(std::uint32_t number, const std::string& message_id, Taking how);
    /// The provider rebuilds the folder: another UIDVALIDITY, and other UIDs.
    void renumber(std::uint32_t number, sim::Folder::NewUids uids, const std::string& folder = "INBOX");
    [[nodiscard]] bool has_second_folder(std::uint32_t number) const;
    /// INBOX first.
    [[nodiscard]] std::vector<sim::Folder*> folders(std::uint32_t number) const;
    [[nodiscard]] std::size_t count(std::uint32_t number) const;  // of what is there
    [[nodiscard]] const std::vector<Letter>& letters(const std::string& id) { return letters_[id]; }
    [[nodiscard]] std::uint32_t mailboxes() const { return world_.population().mailboxes; }

private:
    [[nodiscard]] sim::Folder& folder(std::uint32_t number, std::string_view name) const;
    void flagged(std::uint32_t number, std::uint32_t letter, bool seen);
    [[nodiscard]] sim::Folder& any_folder(std::uint32_t number, Dice& dice) const;

    sim::World& world_;
    Events& events_;
    const Clock& clock_;
    std::map<std::string, std::vector<Letter>> letters_;
};

}  // namespace simulation

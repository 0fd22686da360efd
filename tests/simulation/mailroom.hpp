#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/simulation/dice.hpp"
#include "tests/simulation/events.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace simulation {

/// The provider's mailboxes as people see them: what came, what they deleted. The truth that the application's mail is
/// compared with.
class Mailroom {
public:
    struct Letter {
        std::uint32_t number = 0;  // of the message, for ever
        std::uint32_t uid = 0;     // as the folder is numbered now
        std::string sha256;
        bool removed = false;
        bool renumbered = false;  // or moved out and back: what was not done with it by then is not done
    };

    Mailroom(sim::World& world, Events& events) : world_(world), events_(events) {}

    /// "box0002" for 2.
    static std::string id_of(std::uint32_t number);
    void arrive(std::uint32_t number, std::size_t bytes, std::chrono::milliseconds hidden_for);
    void read(std::uint32_t number, Dice& dice);
    void remove(std::uint32_t number, Dice& dice);      // any one
    void bring_back(std::uint32_t number, Dice& dice);  // any one, from where it was for a moment
    void remove_letter(std::uint32_t number, std::uint32_t letter);
    /// The provider rebuilds the folder: another UIDVALIDITY, and other UIDs.
    void renumber(std::uint32_t number, sim::Folder::NewUids uids);
    [[nodiscard]] std::size_t count(std::uint32_t number) const;  // of what is there
    [[nodiscard]] const std::vector<Letter>& letters(const std::string& id) { return letters_[id]; }
    [[nodiscard]] std::uint32_t mailboxes() const { return world_.population().mailboxes; }

private:
    [[nodiscard]] sim::Folder& inbox(std::uint32_t number) const;

    sim::World& world_;
    Events& events_;
    std::map<std::string, std::vector<Letter>> letters_;
};

}  // namespace simulation

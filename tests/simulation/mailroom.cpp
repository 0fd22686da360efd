#include "tests/simulation/mailroom.hpp"

#include "tools/rohrpost-sim/message.hpp"

namespace simulation {

std::string Mailroom::id_of(std::uint32_t number) { return fmt::format("box{:04}", number); }

sim::Folder& Mailroom::inbox(std::uint32_t number) const {
    return *world_.folder(sim::World::address_of(number), "INBOX");
}

std::size_t Mailroom::count(std::uint32_t number) const { return inbox(number).entries.size(); }

void Mailroom::arrive(std::uint32_t number, std::size_t bytes, std::chrono::milliseconds hidden_for) {
    auto& folder = inbox(number);
    const auto letter = folder.number_next;
    auto message = sim::message_of(folder.mailbox, letter, bytes);
    auto sha256 = sim::sha256_hex(message);
    const auto size = message.size();
    const auto uid = world_.arrive(folder, std::move(message), hidden_for);
    letters_[id_of(number)].push_back({letter, uid, std::move(sha256)});
    events_.note("mail arrives mailbox={} uid={} bytes={} hidden_ms={}", id_of(number), uid, size, hidden_for.count());
}

void Mailroom::read(std::uint32_t number, Dice& dice) {
    auto& entries = inbox(number).entries;
    if (entries.empty()) return;
    auto& entry = entries[dice.below(entries.size())];
    entry.flags ^= sim::Flag::seen;
    events_.note("somebody reads mailbox={} uid={}", id_of(number), entry.uid);
}

void Mailroom::remove(std::uint32_t number, Dice& dice) {
    const auto& folder = inbox(number);
    if (folder.entries.empty()) return;
    remove_letter(number, folder.entries[dice.below(folder.entries.size())].number);
}

void Mailroom::remove_letter(std::uint32_t number, std::uint32_t letter) {
    for (auto& each : letters_[id_of(number)]) {
        if (each.number != letter || each.removed) continue;
        inbox(number).remove(each.uid);
        each.removed = true;
        events_.note("somebody deletes mailbox={} uid={}", id_of(number), each.uid);
    }
}

void Mailroom::bring_back(std::uint32_t number, Dice& dice) {
    auto& folder = inbox(number);
    if (folder.entries.empty()) return;
    const auto entry = folder.entries[dice.below(folder.entries.size())];
    if (entry.hidden) return;
    for (auto& letter : letters_[id_of(number)]) {
        if (letter.number != entry.number) continue;
        letter.uid = folder.bring_back(entry.uid);
        letter.renumbered = true;
        events_.note("somebody moves a mail out and back mailbox={} uid={} now={}", id_of(number), entry.uid,
                     letter.uid);
    }
}

void Mailroom::renumber(std::uint32_t number, sim::Folder::NewUids uids) {
    auto& folder = inbox(number);
    folder.renumber(uids);
    std::map<std::uint32_t, std::uint32_t> by_number;
    for (const auto& entry : folder.entries) by_number.emplace(entry.number, entry.uid);
    for (auto& letter : letters_[id_of(number)]) {
        const auto found = by_number.find(letter.number);
        if (found == by_number.end()) continue;
        letter.uid = found->second;
        letter.renumbered = true;
    }
    events_.note("the provider renumbers mailbox={} uid_validity={} uid_next={}", id_of(number), folder.uid_validity,
                 folder.uid_next);
}

}  // namespace simulation

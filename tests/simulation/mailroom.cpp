#include "tests/simulation/mailroom.hpp"

#include "tools/rohrpost-sim/message.hpp"

namespace simulation {
namespace {

std::string message_id_in(const std::string& message) {
    constexpr std::string_view name = "Message-ID: ";
    const auto begin = message.find(name) + name.size();
    return message.substr(begin, message.find("\r\n", begin) - begin);
}

}  // namespace

std::string Mailroom::id_of(std::uint32_t number) { return fmt::format("box{:04}", number); }

sim::Folder& Mailroom::folder(std::uint32_t number, std::string_view name) const {
    return *world_.folder(sim::World::address_of(number), name);
}

bool Mailroom::has_second_folder(std::uint32_t number) const {
    return world_.folder(sim::World::address_of(number), second_folder) != nullptr;
}

std::vector<sim::Folder*> Mailroom::folders(std::uint32_t number) const {
    std::vector<sim::Folder*> all{&folder(number, "INBOX")};
    if (has_second_folder(number)) all.push_back(&folder(number, second_folder));
    return all;
}

sim::Folder& Mailroom::any_folder(std::uint32_t number, Dice& dice) const {
    return folder(number, has_second_folder(number) && dice.chance(40) ? second_folder : "INBOX");
}

void Mailroom::make_second_folder(std::uint32_t number) {
    world_.make_folder(sim::World::address_of(number), second_folder);
    folder(number, second_folder).number_next = 100'001;  // the bytes of a message follow from its number
}

std::size_t Mailroom::count(std::uint32_t number) const { return folder(number, "INBOX").entries.size(); }

void Mailroom::arrive(std::uint32_t number, std::size_t bytes, std::chrono::milliseconds hidden_for,
                      const std::string& name) {
    auto& into = folder(number, name);
    const auto letter = into.number_next;
    auto message = sim::message_of(into.mailbox, letter, bytes);
    auto sha256 = sim::sha256_hex(message);
    const auto size = message.size();
    auto message_id = message_id_in(message);
    const auto uid = world_.arrive(into, std::move(message), hidden_for);
    letters_[id_of(number)].push_back({.number = letter,
                                       .uid = uid,
                                       .sha256 = std::move(sha256),
                                       .folder = name,
                                       .message_id = std::move(message_id),
                                       .arrived_at = clock_.wall()});
    events_.note("mail arrives mailbox={} folder={} uid={} bytes={} hidden_ms={}", id_of(number), name, uid, size,
                 hidden_for.count());
}

void Mailroom::read(std::uint32_t number, Dice& dice) {
    auto& from = any_folder(number, dice);
    if (from.entries.empty()) return;
    auto& entry = from.entries[dice.below(from.entries.size())];
    entry.flags ^= sim::Flag::seen;
    flagged(number, entry.number, (entry.flags & sim::Flag::seen) != 0);
    events_.note("somebody reads mailbox={} folder={} uid={}", id_of(number), from.name, entry.uid);
}

void Mailroom::flagged(std::uint32_t number, std::uint32_t letter, bool seen) {
    for (auto& each : letters_[id_of(number)]) {
        if (each.number != letter) continue;
        if (seen && !each.seen_at) each.seen_at = clock_.wall();
        each.displaced = each.displaced || !seen;
    }
}

void Mailroom::take(std::uint32_t number, const std::string& message_id, Taking how) {
    for (auto& each : letters_[id_of(number)]) {
        if (each.message_id != message_id || each.removed) continue;
        if (how == Taking::removes) return remove_letter(number, each.number);
        for (auto& entry : folder(number, each.folder).entries) {
            if (entry.uid == each.uid) entry.flags |= sim::Flag::seen;
        }
        flagged(number, each.number, true);
        events_.note("another product takes mailbox={} folder={} uid={}", id_of(number), each.folder, each.uid);
    }
}

void Mailroom::remove(std::uint32_t number, Dice& dice) {
    const auto& from = any_folder(number, dice);
    if (from.entries.empty()) return;
    remove_letter(number, from.entries[dice.below(from.entries.size())].number);
}

void Mailroom::remove_letter(std::uint32_t number, std::uint32_t letter) {
    for (auto& each : letters_[id_of(number)]) {
        if (each.number != letter || each.removed) continue;
        folder(number, each.folder).remove(each.uid);
        each.removed = true;
        each.removed_at = clock_.wall();
        events_.note("somebody deletes mailbox={} folder={} uid={}", id_of(number), each.folder, each.uid);
    }
}

void Mailroom::bring_back(std::uint32_t number, Dice& dice) {
    auto& from = any_folder(number, dice);
    if (from.entries.empty()) return;
    const auto entry = from.entries[dice.below(from.entries.size())];
    if (entry.hidden) return;
    for (auto& letter : letters_[id_of(number)]) {
        if (letter.number != entry.number) continue;
        letter.uid = from.bring_back(entry.uid);
        letter.renumbered = true;
        letter.displaced = true;
        events_.note("somebody moves a mail out and back mailbox={} folder={} uid={} now={}", id_of(number), from.name,
                     entry.uid, letter.uid);
    }
}

void Mailroom::move_over(std::uint32_t number, Dice& dice) {
    auto& from = any_folder(number, dice);
    auto& to = folder(number, from.name == second_folder ? "INBOX" : second_folder);
    if (from.entries.empty()) return;
    const auto entry = from.entries[dice.below(from.entries.size())];
    if (entry.hidden) return;
    for (auto& letter : letters_[id_of(number)]) {
        if (letter.number != entry.number) continue;
        letter.uid = world_.copy(from, entry, to);
        letter.number = to.entries.back().number;
        letter.folder = to.name;
        letter.renumbered = true;
        letter.displaced = true;
        from.remove(entry.uid);
        events_.note("somebody moves a mail mailbox={} from={} uid={} to={} uid={}", id_of(number), from.name,
                     entry.uid, to.name, letter.uid);
    }
}

void Mailroom::renumber(std::uint32_t number, sim::Folder::NewUids uids, const std::string& name) {
    auto& which = folder(number, name);
    which.renumber(uids);
    std::map<std::uint32_t, std::uint32_t> by_number;
    for (const auto& entry : which.entries) by_number.emplace(entry.number, entry.uid);
    for (auto& letter : letters_[id_of(number)]) {
        const auto found = by_number.find(letter.number);
        if (found == by_number.end()) continue;
        letter.uid = found->second;
        letter.renumbered = true;
    }
    events_.note("the provider renumbers mailbox={} folder={} uid_validity={} uid_next={}", id_of(number), name,
                 which.uid_validity, which.uid_next);
}

}  // namespace simulation

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
    auto message = sim::message_of(folder.mailbox, folder.uid_next, bytes);
    auto sha256 = sim::sha256_hex(message);
    const auto size = message.size();
    const auto uid = world_.arrive(folder, std::move(message), hidden_for);
    letters_[id_of(number)].push_back({uid, std::move(sha256), false});
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
    remove_uid(number, folder.entries[dice.below(folder.entries.size())].uid);
}

void Mailroom::remove_uid(std::uint32_t number, std::uint32_t uid) {
    inbox(number).remove(uid);
    for (auto& letter : letters_[id_of(number)]) letter.removed = letter.removed || letter.uid == uid;
    events_.note("somebody deletes mailbox={} uid={}", id_of(number), uid);
}

}  // namespace simulation

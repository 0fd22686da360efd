// What must hold at any moment, and at the end.

#include <algorithm>
#include <utility>

#include "tests/simulation/stage.hpp"
#include "tools/rohrpost-sim/message.hpp"

using namespace std::chrono_literals;

namespace simulation {

namespace {

constexpr std::uint64_t turns_between_looks = 64;
constexpr std::uint64_t turns_between_probes = 509;
/// Throttled for half an hour, spread by a quarter, is the longest that a mailbox rests without a proof.
constexpr auto longest_phase = 45min;

}  // namespace

void Stage::look() {
    correspondence.watch_provider();
    if (!process_ || unwinding_ || over()) return;
    for (auto* shard : engine().shards()) {
        const auto& budget = shard->budget();
        // What a session has already received is counted, too, so each may be over by what it takes in at once.
        const auto slack = furniture_.mailboxes * (furniture_.sizes.intake.stream_above_bytes + 16 * 1024);
        if (budget.used_bytes() > budget.bytes_max() + slack) {
            events.violated("memory: {} holds {} bytes, {} are allowed", shard->name(), budget.used_bytes(),
                            budget.bytes_max());
        }
    }
    if (turns_ % turns_between_looks == 0) look_at_mailboxes();
    look_at_inboxes();
    if (turns_ % turns_between_probes == 0) {
        probe();
        audit(Audit::Depth::events, [](error_code, const OutboxState&) {});
    }
}

void Stage::look_at_mailboxes() {
    const auto now = clock.now();
    for (const auto& state : engine().mailboxes()) {
        auto& watched = watched_[state.id];
        const bool same = watched.phase == state.phase && watched.last_proof == state.last_proof &&
                          watched.next_attempt == state.next_attempt && watched.since != Monotonic{};
        if (!same) watched = {state.phase, state.last_proof, state.next_attempt, now};
        const auto word = retriever::word_of(state.phase);
        if (now - watched.since > longest_phase) {
            events.violated("stands still: {} is {} since {} s: {}", state.id, word,
                            std::chrono::floor<std::chrono::seconds>(now - watched.since).count(), state.reason);
        }
        const bool waits = state.phase == retriever::Phase::waiting || state.phase == retriever::Phase::needs_help;
        if (waits && (!state.next_attempt || state.reason.empty())) {
            events.violated("{} is {} without a time or a reason", state.id, word);
        }
        if (state.audit && state.audit->found > 0) {
            events.violated("an audit of {} found {} messages that nothing had taken in", state.id, state.audit->found);
        }
        if (state.reason.find("invalid_grant") != std::string::npos) {
            events.violated("the refresh token is lost: {}: {}", state.id, state.reason);
        }
    }
    const auto& bodies = furniture_.sizes.store.bodies;
    for (const auto& path : disk.files()) {
        if (dirty_start_ || !path.ends_with(".seg")) continue;
        const auto most = bodies.unsynced_bytes_max + bodies.buffer_bytes_max + 2 * furniture_.memory_budget;
        if (disk.unsynced_bytes(path) > most)
            events.violated("{} holds {} unsynced bytes", path, disk.unsynced_bytes(path));
    }
}

void Stage::look_at_inboxes() {
    for (std::uint32_t number = 1; number <= furniture_.mailboxes; ++number) {
        const auto after = after_of(number);
        if (after == "keep") continue;
        const auto id = Mailroom::id_of(number);
        auto& known = seen_to_vanish_[id];
        std::size_t count = 0;
        for (const auto* folder : mailroom.folders(number)) count += folder->entries.size();
        if (mailroom.letters(id).size() == count + known.size()) continue;
        const auto there = numbers_in(number);
        for (const auto& letter : mailroom.letters(id)) {
            if (there.contains(letter.number) || !known.insert(letter.number).second || letter.removed) continue;
            const auto& mails = application.box(id).mails;
            const auto taken = std::find_if(mails.begin(), mails.end(), [&letter](const auto& mail) {
                return mail.sha256 == letter.sha256 && mail.order == 0;
            });
            if (after == "seen") events.violated("{} uid {} was removed from the server, not flagged", id, letter.uid);
            if (taken == mails.end()) {
                events.violated("{} uid {} was removed from the server before it was handed off", id, letter.uid);
                continue;
            }
            if (after == "delete:1d" && taken->record.received_at + std::chrono::days(1) > clock.wall())
                events.violated("{} uid {} was removed from the server before its time", id, letter.uid);
            vanished_.push_back({id, letter.uid, taken->record.seq});
        }
    }
}

/// Of the letters that are in the folders which are fetched.
std::set<std::uint32_t> Stage::numbers_in(std::uint32_t number) const {
    std::set<std::uint32_t> numbers;
    for (const auto* folder : mailroom.folders(number)) {
        for (const auto& entry : folder->entries) numbers.insert(entry.number);
    }
    return numbers;
}

/// At rest: flagged, gone, or moved, each once. What was renumbered before may be left as it was.
void Stage::check_folders(std::uint32_t number) {
    const auto after = after_of(number);
    const auto id = Mailroom::id_of(number);
    const auto& sizes = world.population().sizes;
    const bool empties = after == "delete" || after.starts_with("move:");
    const auto left = numbers_in(number);
    for (const auto& letter : mailroom.letters(id)) {
        if (empties && left.contains(letter.number) && !letter.renumbered)
            events.violated("{} uid {} was not dealt with", id, letter.uid);
    }
    if (!after.starts_with("move:")) return;
    std::map<std::string, int> copies;
    const auto* target = target_of(number);
    if (target != nullptr) {
        for (const auto& entry : target->entries) ++copies[sim::sha256_hex(target->bytes_of(entry, sizes))];
    }
    for (const auto& letter : mailroom.letters(id)) {
        const int count = copies[letter.sha256];
        if (count > 1) events.violated("{} uid {} was moved {} times", id, letter.uid, count);
        if (count == 0 && !letter.removed && !left.contains(letter.number))
            events.violated("{} uid {} was to be moved, and is gone", id, letter.uid);
    }
}

void Stage::probe() {
    if (!process_ || probing_ || over()) return;
    const auto tell = [this, of = processes_, gone = std::exchange(vanished_, {})](
                          error_code failed, const std::map<std::string, LedgerState>& found) {
        if (!failed) {
            for (const auto& one : gone) {
                const auto state = found.find(one.mailbox);
                if (state == found.end() || state->second.acked < one.seq)
                    events.violated("{} uid {} was removed from the server before it was acknowledged", one.mailbox,
                                    one.uid);
            }
        }
        if (of != processes_) return;
        probing_ = false;
        if (!failed) learn(found);
    };
    std::unique_ptr<store::Job> job = std::make_unique<Probe>(*probe_inbox_, clock.wall(), tell);
    probing_ = engine().committer().try_submit(job);
}

void Stage::audit(Audit::Depth depth, const Audit::Tell& then) {
    if (!process_ || auditing_ || over()) return;
    const auto tell = [this, then, of = processes_](error_code failed, const OutboxState& found) {
        if (of != processes_) return;
        auditing_ = false;
        if (!failed) correspondence.learn(found);
        then(failed, found);
    };
    const auto after = depth == Audit::Depth::rows ? 0 : correspondence.events_known();
    std::unique_ptr<store::Job> job = std::make_unique<Audit>(*probe_inbox_, depth, after, tell);
    auditing_ = engine().committer().try_submit(job);
}

void Stage::learn(const std::map<std::string, LedgerState>& found) {
    for (const auto& [id, now] : found) {
        auto& before = known_[id];
        if (now.last_seq < before.last_seq) {
            events.violated("lost: {} had {} messages, has {}", id, before.last_seq, now.last_seq);
        }
        for (const auto& [folder, position] : now.folders) {
            const auto& was = before.folders[folder];
            if (position.uid_validity == was.uid_validity && position.cursor < was.cursor)
                events.violated("the cursor of {} {} went back from {} to {}", id, folder, was.cursor, position.cursor);
        }
        if (now.acked < before.acked) {
            events.violated("{} had acknowledged {} messages, has {}", id, before.acked, now.acked);
        }
        const auto taken = static_cast<store::Seq>(application.box(id).mails.size());
        if (now.acked > taken) {
            events.violated("{} acknowledged {} messages, the application took {}", id, now.acked, taken);
        }
        before = now;
    }
    // A ledger without a mailbox that it had.
    for (const auto& [id, before] : known_) {
        if (!found.contains(id)) events.violated("mailbox {} is gone from the store", id);
    }
}

bool Stage::has_taken(const std::string& id, const Mailroom::Letter& letter) {
    const auto& mails = application.box(id).mails;
    return std::any_of(mails.begin(), mails.end(),
                       [&letter](const auto& mail) { return mail.sha256 == letter.sha256 && mail.order == 0; });
}

bool Stage::at_rest() {
    if (turns_ % turns_between_looks != 0 || !process_ || over()) return false;
    if (!correspondence.at_rest()) return false;
    const auto states = engine().mailboxes();
    if (states.size() != furniture_.mailboxes_in_all()) return false;
    for (const auto& state : states) {
        const auto known = known_.find(state.id);
        const bool rests = state.phase == retriever::Phase::idle || state.phase == retriever::Phase::scheduled;
        const auto number = static_cast<std::uint32_t>(std::stoul(state.id.substr(3)));
        if (is_shadow(number)) {
            if (!rests) return false;
            continue;
        }
        if (known == known_.end() || !rests || !state.caught_up) return false;
        const auto taken = static_cast<store::Seq>(application.box(state.id).mails.size());
        const auto& ledger = known->second;
        const auto policy = after_of(number);
        if (ledger.acked != taken || ledger.last_seq != taken || ledger.pending > 0) return false;
        if (!ledger.dealt_with) return false;
        for (const auto& letter : mailroom.letters(state.id)) {
            if (letter.removed) continue;
            const bool there = !seen_to_vanish_[state.id].contains(letter.number);
            const auto position = ledger.folders.find(letter.folder);
            const auto cursor = position == ledger.folders.end() ? 0 : position->second.cursor;
            const bool unseen = !furniture_.pop3 && letter.uid > cursor;
            const bool undone = furniture_.pop3 && policy == "delete" && !letter.renumbered;
            if ((there && (unseen || undone)) || !has_taken(state.id, letter)) return false;
        }
    }
    return true;
}

void Stage::check_end() {
    run_until([this] { return !auditing_; }, 1min);
    bool told = false;
    audit(Audit::Depth::rows, [&](error_code failed, const OutboxState& found) {
        told = true;
        if (failed) return events.violated("the outbox cannot be read: {}", failed.message());
        correspondence.check_end(found, application);
    });
    const bool heard = run_until([&] { return told; }, 1min);
    if (!heard && events.violation().empty()) events.violated("nothing is heard of the outbox");
    for (std::uint32_t number = 1; number <= furniture_.mailboxes; ++number) {
        const auto id = Mailroom::id_of(number);
        std::map<std::string, const Application::Taken*> taken;  // by its bytes: UIDs change
        for (const auto& mail : application.box(id).mails) {
            if (mail.order != 0) continue;  // a report, which came of no server
            const auto [before, is_new] = taken.emplace(mail.sha256, &mail);
            if (!is_new) {
                events.violated("doubled: {} uid {} was handed off before as uid {}", id, mail.record.uid,
                                before->second->record.uid);
            }
        }
        for (const auto& letter : mailroom.letters(id)) {
            const auto found = taken.find(letter.sha256);
            if (found == taken.end()) {
                if (!letter.removed) events.violated("lost: {} uid {} was never handed off", id, letter.uid);
                continue;
            }
            taken.erase(found);
        }
        for (const auto& [sha256, mail] : taken) {
            events.violated("{} uid {} was handed off with bytes that never came", id, mail->record.uid);
        }
        check_folders(number);
    }
    for (std::uint32_t number = 1; number <= furniture_.shadows; ++number) check_shadow(furniture_.mailboxes + number);
}

}  // namespace simulation

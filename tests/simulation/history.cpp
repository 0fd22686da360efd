#include "tests/simulation/history.hpp"

#include <algorithm>
#include <cstdio>

#include "tools/rohrpost-sim/message.hpp"

using namespace std::chrono_literals;

namespace simulation {

namespace {

constexpr auto longest = std::chrono::milliseconds(3h);
constexpr std::uint64_t recovery_calls_sampled = 7;

Furniture furniture(const After& after) {
    Furniture furniture;
    furniture.after = {after.policy, after.policy};
    furniture.can_move = after.can_move;
    furniture.pop3 = after.pop3;
    furniture.seed = 20'260'101;
    furniture.tokens_live = 30min;
    furniture.sizes = small_sizes();
    furniture.terms.mails_per_minute = 30;
    return furniture;
}

std::string name_of(Cut::At at) {
    switch (at) {
        case Cut::At::file:
            return "file call";
        case Cut::At::network:
            return "network await";
        case Cut::At::turn:
            break;
    }
    return "turn";
}

}  // namespace

History::History(const Ground& ground, std::optional<Cut> cut, After after)
    : stage_(furniture(after), ground), after_(std::move(after)), cut_(cut) {}

void History::write_script() {
    const auto begun = stage_.clock.now();
    const auto arrive = [this](std::uint32_t number, std::size_t bytes, std::chrono::milliseconds hidden = 0ms) {
        stage_.mailroom.arrive(number, bytes, hidden);
    };
    for (const std::size_t bytes : {900, 60'000, 2000}) arrive(1, bytes);
    for (const std::size_t bytes : {700, 5000}) arrive(2, bytes);
    stage_.plan(begun + 10s, 0, [arrive] { arrive(1, 80'000); });
    stage_.plan(begun + 12s, 30, [arrive] {
        arrive(2, 3000);
        arrive(2, 13'000);
    });
    stage_.world.faults.add({.kind = sim::FaultKind::smtp_rcpt,
                             .mailbox = "to1.2@there.test",
                             .value = 550,
                             .row = "5.1.10 No such recipient (mail)"});
    const auto send = [this](std::uint32_t box, std::size_t bytes, std::uint32_t recipients) {
        Correspondence::Wish wish;
        wish.box = box;
        wish.bytes = bytes;
        wish.recipients = recipients;
        stage_.hand_in(stage_.correspondence.write(wish));
    };
    stage_.plan(begun + 11s, 0, [send] { send(1, 20'000, 3); });
    stage_.plan(begun + 42s, 0, [this, send] {
        stage_.world.faults.add({.kind = sim::FaultKind::smtp_lost_reply, .mailbox = "", .times = 1});
        send(1, 400, 1);
    });
    stage_.plan(begun + 62s, 9, [send] { send(2, 3000, 2); });
    const bool people_change = after_.policy == "keep";
    stage_.plan(begun + 20s, 0, [this, people_change] {
        if (!people_change) return;
        remove_once_taken(1, 1);
        remove_once_taken(2, 3);
        stage_.mailroom.read(1, stage_.dice);
    });
    stage_.plan(begun + 30s, 0, [this] { stage_.world.expire_tokens("", "Session invalidated - AccessTokenExpired"); });
    stage_.plan(begun + 40s, 0, [arrive] { arrive(2, 1200, 4s); });
    stage_.plan(begun + 44s + 1ms, 0, [this] { stage_.world.reveal_due(); });
    stage_.plan(begun + 45s, 0, [arrive] { arrive(2, 1100); });
    stage_.plan(begun + 60s, 0, [this] {
        if (stage_.running()) stage_.engine().reload();
    });
    stage_.plan(begun + 61s, 0, [this] { stage_.network.cut_all(); });
    stage_.plan(begun + 62s, 5, [arrive] {
        for (const std::size_t bytes : {600, 30'000, 800, 1000, 14'000}) arrive(1, bytes);
        for (const std::size_t bytes : {4000, 4500}) arrive(2, bytes);
    });
    if (after_.policy != "keep") return;
    // New mail comes together with the new numbers, and before the second change everything may have been compared,
    // some of it, or nothing.
    stage_.plan(begun + 64s, 0, [this, arrive] {
        stage_.mailroom.renumber(1, sim::Folder::NewUids::from_one);
        arrive(1, 1700);
        stage_.mailroom.renumber(2, sim::Folder::NewUids::higher);
    });
    stage_.plan(begun + 65s, 40, [this, arrive] {
        stage_.mailroom.renumber(1, sim::Folder::NewUids::from_one);
        arrive(1, 20'000);
    });
}

/// People delete what was dealt with; until then it stays.
void History::remove_once_taken(std::uint32_t number, std::uint32_t letter) {
    const auto id = Mailroom::id_of(number);
    if (stage_.has_taken(id, stage_.mailroom.letters(id).at(letter - 1))) {
        stage_.mailroom.remove_letter(number, letter);
        return;
    }
    stage_.plan(stage_.clock.now() + 1s, 0, [this, number, letter] { remove_once_taken(number, letter); });
}

void History::resume() {
    for (;;) {
        stage_.bury(cut_->ending);
        if (cut_->again) stage_.disk.stop_at(*std::exchange(cut_->again, std::nullopt));
        if (stage_.start() || !stage_.events.violation().empty()) return;
    }
}

bool History::run() {
    write_script();
    calls_before_ = stage_.disk.calls();
    if (cut_ && cut_->at == Cut::At::file) stage_.disk.stop_at(cut_->number);
    bool started = stage_.start();
    if (started && cut_ && cut_->at == Cut::At::network) stage_.fate.die_at(Fate::Act::network, cut_->number);
    if (started && cut_ && cut_->at == Cut::At::turn) stage_.fate.die_at(Fate::Act::turn, cut_->number);
    if (!started) resume();
    const auto script_ends = stage_.clock.now() + 66s;
    const auto pauses = [&] { return stage_.over() || (stage_.clock.now() > script_ends && stage_.at_rest()); };
    for (;;) {
        const bool paused = stage_.run_until(pauses, longest);
        if (!stage_.events.violation().empty()) return false;
        if (!paused) {
            stage_.events.violated("the history does not come to rest");
            return false;
        }
        if (!stage_.over()) break;
        resume();
    }
    stage_.check_end();
    return stage_.events.violation().empty();
}

/// By mailbox and folder, whatever the order in which mail came there.
std::string History::folders() {
    std::string text;
    for (std::uint32_t number = 1; number <= stage_.mailroom.mailboxes(); ++number) {
        for (const auto* folder : stage_.world.folders(sim::World::address_of(number))) {
            if (folder->name == "Sent Items") continue;
            std::vector<std::string> mails;
            for (const auto& entry : folder->entries) {
                const auto bytes = folder->bytes_of(entry, stage_.world.population().sizes);
                mails.push_back(fmt::format("{} {} flags={}\n", folder->name, sim::sha256_hex(bytes), entry.flags));
            }
            std::sort(mails.begin(), mails.end());
            text += fmt::format("{}\n{}", folder->mailbox, fmt::join(mails, ""));
        }
    }
    return text;
}

std::string History::log() {
    std::string text;
    for (const auto& [id, box] : stage_.application.boxes()) {
        std::uint32_t number = 0;
        for (const auto& mail : box.mails) {
            if (mail.order != 0) continue;  // a report comes when it comes
            text += fmt::format("{} {} {}\n", id, ++number, mail.sha256);
        }
    }
    text += stage_.correspondence.log();
    return after_.policy == "keep" ? text : text + folders();  // people change what is kept
}

std::uint64_t History::count(Cut::At at) const {
    switch (at) {
        case Cut::At::file:
            return stage_.disk.calls() - calls_before_;
        case Cut::At::network:
            return stage_.fate.count(Fate::Act::network);
        case Cut::At::turn:
            break;
    }
    return stage_.fate.count(Fate::Act::turn);
}

bool interrupt_everywhere(const Ground& ground, const After& after, std::uint64_t first, std::uint64_t stride) {
    History whole(ground, std::nullopt, after);
    const auto report = [](History& history, const std::string& where) {
        for (const auto& line : history.stage().events.last()) fmt::print(stderr, "{}\n", line);
        fmt::print(stderr, "{}: {}\n", where, history.stage().events.violation());
    };
    if (!whole.run()) {
        report(whole, "the history without a cut");
        return false;
    }
    const auto expected = whole.log();
    std::uint64_t cuts = 0;
    for (const auto at : {Cut::At::file, Cut::At::network, Cut::At::turn}) {
        const auto acts = whole.count(at);
        const auto step = at == Cut::At::turn ? stride * 16 : stride;  // most turns touch nothing outside
        for (std::uint64_t number = first; number <= acts; number += step) {
            Cut cut{at, number, number % 4 == 3 ? Stage::Ending::process_ends : Stage::Ending::power_cut};
            if (at == Cut::At::file && number % recovery_calls_sampled == 0) cut.again = 1 + number % 40;
            History history(ground, cut, after);
            ++cuts;
            const auto where = fmt::format("cut at {} {} of {}", name_of(at), number, acts);
            if (!history.run()) {
                report(history, where);
                return false;
            }
            if (history.log() != expected) {
                fmt::print(stderr, "{}: the application got other mail, or the folders differ\n{}\nexpected\n{}", where,
                           history.log(), expected);
                return false;
            }
        }
    }
    fmt::print("history, {}after: {}: {} file calls, {} network awaits, {} turns; {} cuts, each with the same mail\n",
               after.pop3 ? "POP3, " : "", after.policy, whole.count(Cut::At::file), whole.count(Cut::At::network),
               whole.count(Cut::At::turn), cuts);
    return true;
}

}  // namespace simulation

#include "tests/simulation/scenario.hpp"

#include "engine/retriever/cursor.hpp"

using namespace std::chrono_literals;

namespace simulation {

namespace {

constexpr auto troubled = std::chrono::milliseconds(100min);
constexpr auto calm_at_most = std::chrono::milliseconds(6h);
constexpr auto calm_at_most_with_days =
    std::chrono::milliseconds(24h * 6);  // what a day does not take waits; after a week it is forgotten
constexpr auto shadows_settle = std::chrono::milliseconds(70min);  // what comes late, its time, and two looks
constexpr auto between_decisions = 10min;

Furniture furniture_of(std::uint64_t seed) {
    Dice dice(seed ^ 0x5eedU);
    Furniture furniture;
    furniture.seed = seed;
    furniture.mailboxes = static_cast<std::uint32_t>(dice.between(1, 3));
    furniture.shards = static_cast<std::uint32_t>(dice.between(1, 2));
    furniture.shared_credential = dice.chance(30);
    const char* styles[]{"exchange", "gmail", "dovecot"};
    furniture.style = styles[dice.below(3)];
    furniture.tokens_live = std::chrono::seconds(dice.between(400, 4000));
    furniture.memory_budget = dice.chance(50) ? 256 << 10 : 24 << 10;
    furniture.queue_capacity = dice.chance(30) ? 4 : 4096;
    furniture.fetch_batch = static_cast<std::uint32_t>(dice.chance(50) ? 64 : dice.between(1, 5));
    furniture.sizes = small_sizes();
    if (dice.chance(40)) furniture.sizes.store.bodies.segment_bytes = 16 << 10;
    if (dice.chance(30)) furniture.sizes.store.ledger.wal_pages = 200;
    if (dice.chance(30)) furniture.sizes.store.ledger.journal_rows_max = 1000;
    furniture.commit_lag_percent = dice.chance(50) ? 0 : dice.between(1, 40);
    furniture.connections = static_cast<std::uint32_t>(dice.between(1, 3));
    auto& terms = furniture.terms;
    terms.mails_per_minute = static_cast<std::uint32_t>(dice.chance(50) ? 30 : dice.between(1, 4));
    terms.retries_in_doubt = dice.chance(25);
    if (dice.chance(4)) terms.recipients_per_day = static_cast<std::uint32_t>(dice.between(24, 40));
    if (dice.chance(4)) terms.tenant_recipients_per_day = static_cast<std::uint32_t>(dice.between(20, 40));
    if (dice.chance(15)) terms.tenant_mails_per_minute = static_cast<std::uint32_t>(dice.between(2, 6));
    const char* policies[]{"keep", "seen", "delete", "delete:1d", "move:Done", "move:\\Archive"};
    for (std::uint32_t number = 0; number < furniture.mailboxes; ++number) {
        furniture.after.emplace_back(policies[dice.below(std::size(policies))]);
    }
    furniture.can_move = dice.chance(60);
    if (dice.chance(15)) {
        furniture.pop3 = true;
        const char* of_pop3[]{"keep", "delete", "delete", "delete:1d"};
        for (auto& policy : furniture.after) policy = of_pop3[dice.below(std::size(of_pop3))];
    }
    if (!furniture.pop3) {
        const char* names[]{"", "", "", "Team", "Te*"};
        for (std::uint32_t number = 0; number < furniture.mailboxes; ++number)
            furniture.second.emplace_back(names[dice.below(std::size(names))]);
    }
    if (!furniture.pop3 && dice.chance(25)) {
        furniture.shadows = 1;
        if (dice.chance(50)) furniture.shadow_taken = Mailroom::Taking::removes;
        furniture.after.emplace_back("keep");
        furniture.second.emplace_back(dice.chance(40) ? "Team" : "");
    }
    if (furniture.mailboxes > 1 && dice.chance(30))
        furniture.sessions = static_cast<std::uint32_t>(dice.between(1, furniture.mailboxes - 1));
    return furniture;
}

}  // namespace

Scenario::Scenario(std::uint64_t seed, const Ground& ground)
    : seed_(seed), dice_(seed ^ 0xacce55U), stage_(furniture_of(seed), ground) {}

std::size_t Scenario::some_size() {
    if (dice_.chance(80)) return dice_.between(512, 6000);
    return dice_.between(6000, dice_.chance(80) ? 40'000 : 90'000);
}

bool Scenario::run() {
    for (std::uint32_t number = 1; number <= stage_.mailroom.mailboxes(); ++number) {
        for (std::uint64_t mails = dice_.below(8); mails > 0; --mails) stage_.mailroom.arrive(number, some_size(), 0ms);
    }
    const auto share = [this](std::uint64_t most) { return dice_.chance(50) ? 0 : dice_.between(1, most); };
    weather_ = {share(20), share(5), share(30), share(30), share(20), share(4), share(40), share(30)};
    moods_ = {share(40), share(20), share(10), share(4)};
    stage_.network.set(weather_);
    stage_.application.set(moods_);
    write_script();
    if (!stage_.start()) come_back();
    if (!live_until([] { return false; }, troubled) && !stage_.events.violation().empty()) return false;
    calm_down();
    const auto& terms = stage_.furniture().terms;
    const bool days = terms.recipients_per_day > 0 || terms.tenant_recipients_per_day > 0;
    const bool rests = live_until([this] { return stage_.at_rest(); }, days ? calm_at_most_with_days : calm_at_most);
    if (!rests && stage_.events.violation().empty()) {
        for (const auto& state :
             stage_.running() ? stage_.engine().mailboxes() : std::vector<retriever::MailboxState>()) {
            stage_.events.note("{} is {} caught_up={}: {}", state.id, retriever::word_of(state.phase), state.caught_up,
                               state.reason);
        }
        stage_.correspondence.note_all();
        stage_.events.violated("it does not come to rest");
    }
    if (rests && stage_.furniture().shadows > 0) live_until([] { return false; }, shadows_settle);
    if (rests && stage_.events.violation().empty()) stage_.check_end();
    return stage_.events.violation().empty();
}

/// Deaths are seen to while time passes.
bool Scenario::live_until(const std::function<bool()>& done, std::chrono::milliseconds span) {
    const auto until = stage_.clock.now() + span;
    const auto pauses = [&] { return done() || stage_.over(); };
    while (stage_.clock.now() < until) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - stage_.clock.now());
        if (!stage_.run_until(pauses, left)) return false;
        if (!stage_.over()) return true;
        ++deaths_;
        const bool power = dice_.chance(60);
        stage_.bury(power ? Stage::Ending::power_cut : Stage::Ending::process_ends);
        come_back();
        if (!stage_.events.violation().empty()) return false;
    }
    return false;
}

/// A supervisor starts it again. It may die again while it recovers.
void Scenario::come_back() {
    const auto when = stage_.clock.now() + dice_.span(100ms, 30s);
    stage_.plan(when, 0, [this] {
        if (stage_.running()) return;
        const bool dies_again = !calm_ && dice_.chance(30);
        if (dies_again) stage_.disk.stop_at(dice_.between(1, 60));
        if (stage_.start()) return;
        const bool may_fail = stage_.disk.stopped() || !calm_;
        if (!may_fail) stage_.events.violated("the daemon cannot start");
        if (stage_.disk.stopped()) ++deaths_;
        stage_.bury(stage_.disk.stopped() && dice_.chance(60) ? Stage::Ending::power_cut : Stage::Ending::process_ends);
        come_back();
    });
}

void Scenario::write_script() {
    const auto deeds = dice_.between(20, 60);
    for (std::uint64_t number = 0; number < deeds; ++number) {
        const auto when = stage_.clock.now() + dice_.span(0ms, troubled);
        const auto turns = dice_.chance(60) ? dice_.below(200) : 0;
        stage_.plan(when, turns, [this] { happen(); });
    }
}

void Scenario::happen() {
    const auto what = dice_.below(100);
    if (what < 30) return something_of_people();
    if (what < 50) return something_of_correspondence();
    if (what < 80) return something_of_provider();
    if (what < 90) return something_of_disk();
    something_of_process();
}

void Scenario::something_of_people() {
    const auto number = static_cast<std::uint32_t>(dice_.between(1, stage_.mailroom.mailboxes()));
    const auto what = dice_.below(100);
    if (what < 60) {
        arrive(number, dice_.chance(20) ? dice_.span(100ms, 30s) : 0ms);
    } else if (what < 70) {
        for (std::uint64_t mails = dice_.between(2, 12); mails > 0; --mails) arrive(number, 0ms);
    } else if (what < 80) {
        stage_.mailroom.read(number, dice_);
    } else if (what < 90) {
        if (stage_.mailroom.has_second_folder(number) && dice_.chance(70)) {
            stage_.mailroom.move_over(number, dice_);
        } else {
            stage_.mailroom.bring_back(number, dice_);
        }
    } else {
        stage_.mailroom.remove(number, dice_);
    }
}

std::string Scenario::some_folder(std::uint32_t number) {
    return stage_.mailroom.has_second_folder(number) && dice_.chance(40) ? Mailroom::second_folder : "INBOX";
}

/// A mail that shows its UID late may be overtaken by those that come after it.
void Scenario::arrive(std::uint32_t number, std::chrono::milliseconds hidden) {
    const auto folder = some_folder(number);
    stage_.mailroom.arrive(number, some_size(), hidden, folder);
    if (stage_.is_shadow(number)) another_product_hears(number);
    if (hidden.count() == 0) return;
    stage_.plan(stage_.clock.now() + hidden + 1ms, 0, [this] { stage_.world.reveal_due(); });
}

/// It takes most mail in time, some late, and some never.
void Scenario::another_product_hears(std::uint32_t number) {
    const auto& furniture = stage_.furniture();
    const auto grace = std::chrono::milliseconds(furniture.shadow_grace);
    const auto fate = dice_.below(100);
    if (fate < 25) return;
    const auto delay = fate < 75 ? dice_.span(1s, grace) : dice_.span(grace, 5 * grace);
    const auto& letter = stage_.mailroom.letters(Mailroom::id_of(number)).back();
    stage_.plan(stage_.clock.now() + delay, 0, [this, number, id = letter.message_id, how = furniture.shadow_taken] {
        stage_.mailroom.take(number, id, how);
    });
}

void Scenario::something_of_provider() {
    using enum sim::FaultKind;
    const auto number = static_cast<std::uint32_t>(dice_.between(1, stage_.mailroom.mailboxes()));
    const auto what = dice_.below(100);
    if (what < 20) return stage_.network.strike();
    if (what < 30) {
        stage_.events.note("the access tokens end");
        return stage_.world.expire_tokens("", "Session invalidated - AccessTokenExpired");
    }
    if (what < 34) {
        stage_.events.note("the provider restarts");
        return stage_.network.cut_all();
    }
    if (what < 38) return renumber(number);
    if (what < 65) return something_of_submission();
    constexpr sim::FaultKind kinds[]{drop_in_literal, no_data,      refuse_uid, throttle,        wrong_size,
                                     uid_last,        stall,        preauth,    no_idle,         lying_idle,
                                     not_connected,   refuse_login, bye,        token_throttled, token_html,
                                     token_slow,      token_huge,   token_drop, refuse_change,   change_lost_reply};
    sim::Fault fault;
    fault.kind = kinds[dice_.below(std::size(kinds))];
    fault.times = dice_.between(1, 4);
    if (dice_.chance(50) && fault.kind < token_throttled) fault.mailbox = sim::World::address_of(number);
    if (fault.kind == preauth) fault.mailbox.clear();
    if (fault.kind == drop_in_literal) fault.value = dice_.below(20'000);
    if (fault.kind == throttle) fault.value = dice_.between(100, 600'000);
    if (fault.kind == stall) fault.value = dice_.between(100, 300'000);
    if (fault.kind == token_throttled) fault.value = dice_.between(1, 600);
    if (fault.kind == token_slow) fault.value = dice_.between(100, 60'000);
    if (fault.kind == token_huge) fault.value = 300'000;
    if (fault.kind == no_data || fault.kind == refuse_uid) {
        const auto here = stage_.mailroom.count(number);
        if (here > 0 && dice_.chance(50)) fault.uid = static_cast<std::uint32_t>(dice_.between(1, here + 3));
    }
    stage_.events.note("the provider: {}", sim::text_of(fault));
    stage_.world.faults.add(fault);
}

/// More often within a day, and the folder would rightly be frozen.
void Scenario::renumber(std::uint32_t number) {
    const auto folder = some_folder(number);
    if (++renumbered_[{number, folder}] > retriever::renumberings_max) return;
    const auto uids = dice_.chance(70) ? sim::Folder::NewUids::from_one : sim::Folder::NewUids::higher;
    if (dice_.chance(30)) arrive(number, 0ms);
    stage_.mailroom.renumber(number, uids, folder);
    if (dice_.chance(50)) arrive(number, dice_.chance(20) ? dice_.span(100ms, 30s) : 0ms);
}

void Scenario::something_of_correspondence() {
    auto& correspondence = stage_.correspondence;
    if (correspondence.count() > 0 && dice_.chance(15)) {
        constexpr control::Act acts[]{control::Act::hold, control::Act::release, control::Act::retry,
                                      control::Act::cancel};
        const auto number = static_cast<std::uint32_t>(dice_.between(1, correspondence.count()));
        if (stage_.running() && !stage_.over())
            correspondence.decide(stage_.engine(), number, acts[dice_.below(std::size(acts))]);
        return;
    }
    const bool burst = dice_.chance(20);
    for (std::uint64_t mails = burst ? dice_.between(2, 12) : 1; mails > 0; --mails) {
        Correspondence::Wish wish;
        wish.box = static_cast<std::uint32_t>(dice_.between(1, stage_.furniture().mailboxes));
        wish.bytes = dice_.chance(80) ? dice_.below(4000) : dice_.below(70'000);
        wish.recipients = static_cast<std::uint32_t>(dice_.chance(70) ? 1 : dice_.between(2, 5));
        wish.keyed = dice_.chance(70);
        // Applications use a Message-ID more than once.
        if (dice_.chance(30)) wish.message_id = fmt::format("<{}@sim.test>", dice_.between(1, 3));
        wish.lane = store::lanes[dice_.below(store::lanes.size())];
        if (dice_.chance(10)) wish.later = dice_.span(1s, 30min);
        if (dice_.chance(20)) wish.life = dice_.span(1s, 30min);
        stage_.hand_in(correspondence.write(wish));
    }
}

namespace {

/// What the submission server says instead of yes. Words tell the checks whom it is about.
struct Refusal {
    sim::FaultKind kind;
    std::uint64_t code;
    const char* words;
};
constexpr Refusal refusals[]{
    {sim::FaultKind::smtp_greeting, 421, "4.3.2 Service not available (account)"},
    {sim::FaultKind::smtp_greeting, 554, "5.3.2 No service here (account)"},
    {sim::FaultKind::smtp_auth, 535, "5.7.3 Authentication unsuccessful (account)"},
    {sim::FaultKind::smtp_auth, 454, "4.7.0 Temporary authentication failure (account)"},
    {sim::FaultKind::smtp_auth, 421, "4.4.2 Connection dropped (account)"},
    {sim::FaultKind::smtp_mail, 432, "4.3.2 Concurrent connections limit exceeded (account)"},
    {sim::FaultKind::smtp_mail, 421, "4.4.2 Connection dropped (account)"},
    {sim::FaultKind::smtp_mail, 451, "4.7.500 Server busy (account)"},
    {sim::FaultKind::smtp_mail, 550, "5.7.60 SMTP; Client does not have permissions to send as this sender (account)"},
    {sim::FaultKind::smtp_mail, 452, "4.2.2 Later (mail)"},
    {sim::FaultKind::smtp_mail, 554, "5.6.0 Not this (mail)"},
    {sim::FaultKind::smtp_rcpt, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found (mail)"},
    {sim::FaultKind::smtp_rcpt, 552, "5.2.2 Mailbox full (mail)"},
    {sim::FaultKind::smtp_rcpt, 450, "4.2.1 Busy (mail)"},
    {sim::FaultKind::smtp_rcpt, 452, "4.5.3 Too many recipients (mail)"},
    {sim::FaultKind::smtp_rcpt, 451, "4.7.650 Temporarily rate limited (account)"},
    {sim::FaultKind::smtp_rcpt, 550, "5.7.233 Tenant external recipient limit (account)"},
    {sim::FaultKind::smtp_body, 451, "4.7.0 Temporary server error. Please try again later. PRX2 (mail)"},
    {sim::FaultKind::smtp_body, 451, "4.3.0 Server trouble (account)"},
    {sim::FaultKind::smtp_body, 421, "4.3.2 Going down (account)"},
    {sim::FaultKind::smtp_body, 554, "5.6.0 Not that either (mail)"},
    {sim::FaultKind::smtp_body, 554, "5.2.252 SendAsDenied; not allowed to send as (account)"},
    {sim::FaultKind::smtp_body, 550, "5.1.8 Access denied, bad outbound sender (account)"},
};

}  // namespace

void Scenario::something_of_submission() {
    using enum sim::FaultKind;
    sim::Fault fault;
    fault.times = dice_.between(1, 4);
    const auto what = dice_.below(100);
    if (what < 50) {
        const Refusal& refusal = refusals[dice_.below(std::size(refusals))];
        fault.kind = refusal.kind;
        fault.value = refusal.code;
        fault.row = refusal.words;
    } else if (what < 62) {
        fault.kind = smtp_lost_reply;
    } else if (what < 70) {
        fault.kind = smtp_drop;
    } else if (what < 76) {
        fault.kind = smtp_drop_in_body;
        fault.value = dice_.below(3000);
    } else if (what < 82) {
        fault.kind = smtp_slow;
        fault.value = dice_.between(100, 900'000);
    } else if (what < 90) {
        fault.kind = sent_late;
        fault.value = dice_.between(100, 12 * 60'000);  // within the settling time
    } else if (what < 95) {
        fault.kind = smtp_plain;
        fault.times = 0;
        stage_.plan(stage_.clock.now() + dice_.span(1min, 20min), 0, [this] { stage_.world.faults.lift(smtp_plain); });
    } else {
        fault.kind = hide_sent;
        fault.times = 0;
        stage_.correspondence.sent_items_hidden();
        stage_.plan(stage_.clock.now() + dice_.span(1min, 20min), 0, [this] { stage_.world.faults.lift(hide_sent); });
    }
    if (fault.kind != smtp_rcpt && dice_.chance(40)) {
        const auto number = static_cast<std::uint32_t>(dice_.between(1, stage_.mailroom.mailboxes()));
        if (fault.kind != smtp_greeting && fault.kind != smtp_auth && fault.kind != smtp_plain)
            fault.mailbox = sim::World::address_of(number);
    }
    stage_.events.note("the provider: {}", sim::text_of(fault));
    stage_.world.faults.add(fault);
}

/// Operators let go what they held.
void Scenario::let_go() {
    if (stage_.running() && !stage_.over()) {
        for (const auto number : stage_.correspondence.held())
            stage_.correspondence.decide(stage_.engine(), number, control::Act::release);
    }
    stage_.plan(stage_.clock.now() + between_decisions, 0, [this] { let_go(); });
}

void Scenario::something_of_disk() {
    using enum SimulatedDisk::Call;
    const auto what = dice_.below(100);
    if (what < 50) {
        const auto room = dice_.below(100'000);
        stage_.events.note("the disk has room for {} bytes", room);
        stage_.disk.set_room(stage_.disk.used_bytes() + room);
        stage_.plan(stage_.clock.now() + dice_.span(1s, 20min), 0, [this] {
            stage_.events.note("the disk has room again");
            stage_.disk.set_room(UINT64_MAX);
        });
        return;
    }
    constexpr SimulatedDisk::Call calls[]{write, sync, sync, truncate, rename, remove, sync_directory, create};
    const auto call = calls[dice_.below(std::size(calls))];
    const bool full = call == write && dice_.chance(70);
    const auto number = dice_.between(1, 20);
    stage_.events.note("the disk will fail at {}. call of kind {}", number, static_cast<int>(call));
    stage_.disk.fail_at(call, number, full ? store::errc::disk_full : store::errc::io_failed);
}

void Scenario::something_of_process() {
    if (!stage_.running() || stage_.over()) return;
    const auto what = dice_.below(100);
    if (what < 40) {
        const auto number = dice_.between(1, 60);
        stage_.events.note("the process will die at the {}. call of the disk", number);
        stage_.disk.stop_at(number);
    } else if (what < 60) {
        stage_.fate.die_at(Fate::Act::network, dice_.between(1, 40));
    } else if (what < 75) {
        stage_.fate.die_at(Fate::Act::turn, dice_.between(1, 200));
    } else if (what < 80) {
        stage_.fate.die_at(Fate::Act::hand_off, 1);
    } else if (what < 92) {
        stage_.events.note("the process is told to stop");
        stage_.engine().stop();
    } else {
        stage_.events.note("the process is told to reload");
        stage_.engine().reload();
    }
}

/// From now on nothing goes wrong any more.
void Scenario::calm_down() {
    stage_.events.note("calm");
    calm_ = true;
    stage_.network.set({});
    if (dice_.chance(50)) stage_.network.cut_all();
    stage_.application.set({});
    stage_.world.faults.clear();
    stage_.restrict_server();
    stage_.world.reveal_due();
    stage_.disk.set_room(UINT64_MAX);
    stage_.disk.be_well();
    let_go();
}

}  // namespace simulation

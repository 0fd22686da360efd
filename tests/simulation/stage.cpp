#include "tests/simulation/stage.hpp"

#include <boost/json.hpp>

#include "tools/rohrpost-sim/provider.hpp"

using namespace std::chrono_literals;

namespace simulation {

namespace {

sim::Population population_of(const Furniture& furniture) {
    sim::Population population;
    population.mailboxes = furniture.mailboxes_in_all();
    return population;
}

sim::TokenRules rules_of(const Furniture& furniture) {
    sim::TokenRules rules;
    rules.lives_for = furniture.tokens_live;
    rules.access_token_bytes = 120;
    rules.superseded = true;
    return rules;
}

/// The import document with what the pretend provider does not say about sending.
std::string with_terms(const std::string& document, const Furniture& furniture) {
    const auto& terms = furniture.terms;
    auto whole = boost::json::parse(document);
    std::size_t number = 0;
    for (auto& value : whole.at("mailboxes").as_array()) {
        if (number < furniture.after.size()) value.as_object()["after"] = furniture.after[number];
        if (number < furniture.second.size() && !furniture.second[number].empty())
            value.as_object()["folders"] = boost::json::array{"INBOX", furniture.second[number]};
        ++number;
        if (number > furniture.mailboxes) {
            value.as_object().erase("consumer");
            value.as_object().erase("submit");
            value.as_object().erase("start");
            value.as_object()["shadow"] =
                boost::json::object{{"taken", furniture.shadow_taken == Mailroom::Taking::flags ? "seen" : "removed"},
                                    {"grace", fmt::format("{}m", furniture.shadow_grace.count())}};
            continue;
        }
        auto* submit = value.as_object().if_contains("submit");
        if (submit == nullptr) continue;
        auto& object = submit->as_object();
        object["connections"] = furniture.connections;
        object["recipients_per_day"] = terms.recipients_per_day;
        object["in_doubt"] = terms.retries_in_doubt ? "retry" : "hold";
    }
    whole.at("providers").at(0).as_object()["sessions"] = boost::json::object{{"per_host", furniture.sessions}};
    whole.at("providers").at(0).as_object()["limits"] = boost::json::object{
        {"mails_per_minute", terms.tenant_mails_per_minute}, {"recipients_per_day", terms.tenant_recipients_per_day}};
    return boost::json::serialize(whole);
}

}  // namespace

EngineSizes small_sizes() {
    EngineSizes sizes;
    sizes.store.reserve_bytes = 64 << 10;
    sizes.store.ledger.wal_pages = 12;
    sizes.store.ledger.journal_rows_max = 9;
    sizes.store.bodies.segment_bytes = 64 << 10;
    sizes.store.bodies.spare_files_max = 2;
    sizes.store.bodies.buffer_bytes_max = 16 << 10;
    sizes.store.bodies.unsynced_bytes_max = 24 << 10;
    sizes.intake.stream_above_bytes = 12 << 10;
    sizes.intake.message_bytes_max = 1 << 20;
    sizes.intake.in_flight_bytes_max = 48 << 10;
    sizes.intake.block_bytes = 4 << 10;
    sizes.intake.head_bytes_max = 4 << 10;
    return sizes;
}

Stage::Stage(Furniture furniture, const Ground& ground)
    : dice(furniture.seed),
      world(population_of(furniture), rules_of(furniture), clock, dice),
      network(provider_loop, provider_timers, world, *sim::style_of(furniture.style), fate, events, dice.roll()),
      application(fate, events, dice.roll()),
      furniture_(std::move(furniture)),
      log_(std::make_unique<LogIntoEvents>(events)),
      probe_inbox_(std::make_unique<queue::Inbox>(provider_loop.get_executor())),
      begun_at_(clock.now()) {
    flags_.data = "/data";
    flags_.key_file = ground.key_file().string();
    flags_.threads = furniture_.shards;
    flags_.memory_budget = furniture_.memory_budget;
    flags_.queue_capacity = furniture_.queue_capacity;
    flags_.fetch_batch = furniture_.fetch_batch;
    flags_.roles.console = false;
    flags_.roles.alarm = false;
    sim::Options options;
    options.population = world.population();
    options.shared_credential = furniture_.shared_credential;
    if (furniture_.pop3) options.protocol = "pop3";
    options.consumer = "maildir:/mail";
    options.submit_per_minute = furniture_.terms.mails_per_minute;
    correspondence.agree(furniture_.terms);
    for (std::uint32_t number = 1; number <= furniture_.second.size(); ++number) {
        if (!furniture_.second[number - 1].empty()) mailroom.make_second_folder(number);
    }
    restrict_server();
    const sim::Ports ports{.imap = 993, .https = 443, .smtp = submission_port, .pop3 = pop3_port};
    install(disk, flags_, furniture_.sizes,
            with_terms(sim::import_document(options, ports, world, ground.ca_file()), furniture_));
    disk.process_ends();
}

/// What the server cannot do is no fault that ends.
void Stage::restrict_server() {
    if (!furniture_.can_move) world.faults.add({.kind = sim::FaultKind::no_move, .mailbox = ""});
}

std::string Stage::after_of(std::uint32_t number) const {
    return number <= furniture_.after.size() ? furniture_.after[number - 1] : "keep";
}

const sim::Folder* Stage::target_of(std::uint32_t number) {
    const auto after = after_of(number);
    if (!after.starts_with("move:")) return nullptr;
    const auto name = after == "move:\\Archive" ? "Archive" : after.substr(5);
    return world.folder(sim::World::address_of(number), name);
}

Stage::~Stage() {
    deeds_.clear();  // they belong to whoever planned them
    if (process_) bury(Ending::process_ends);
    network.cut_all();
    while (provider_loop.poll() > 0) network.cut_all();
}

bool Stage::start() {
    fate.born();
    const Process::Place place{clock, disk, network, application, fate, events};
    process_ = std::make_unique<Process>(place, furniture_.seed * 1000 + ++processes_);
    events.note("the process starts no={}", processes_);
    probing_ = false;
    auditing_ = false;
    correspondence.process_begins();
    watched_.clear();
    dirty_start_ = false;
    for (const auto& path : disk.files()) dirty_start_ = dirty_start_ || disk.unsynced_bytes(path) > 0;
    if (process_->start(flags_, furniture_.sizes)) {
        probe();
        audit(Audit::Depth::rows, [](error_code, const OutboxState&) {});
        for (std::uint32_t order = 1; order <= correspondence.count(); ++order) {
            if (correspondence.wants_asking(order)) hand_in(order);
        }
        return true;
    }
    events.note("the process cannot start: {}", process_->failure());
    process_.reset();
    return false;
}

bool Stage::over() const { return process_ && (fate.dead() || process_->engine().ended()); }

void Stage::bury(Ending ending) {
    if (process_) {
        auto& engine = process_->engine();
        if (!engine.ended()) {
            fate.die("it is ended");
            network.cut_all();
            engine.stop();
            unwinding_ = true;
            const bool unwound = run_until([&engine] { return engine.ended(); }, 1h);
            unwinding_ = false;
            if (!unwound) events.violated("a process that lost everything does not come to its end");
        } else {
            events.note("the process ended code={}", engine.exit_code());
        }
        if (engine.ended())
            process_.reset();
        else
            static_cast<void>(process_.release());  // what still waits cannot be ended: left as it is
    }
    network.cut_all();
    if (ending == Ending::power_cut) {
        events.note("the power goes");
        disk.power_cut(dice.roll());
    } else {
        disk.process_ends();
    }
    fate.born();
}

std::size_t Stage::actors() const { return process_ ? 2 + process_->engine().shards().size() : 1; }

bool Stage::poll(std::size_t actor) {
    if (actor == 0) return provider_loop.poll_one() > 0;
    const auto shards = process_->engine().shards();
    if (actor <= shards.size()) return shards[actor - 1]->context().poll_one() > 0;
    if (clock.now() < committer_free_at_) return false;
    if (!process_->engine().committer().step()) return false;
    if (dice.chance(furniture_.commit_lag_percent)) committer_free_at_ = clock.now() + dice.span(1ms, 3s);
    return true;
}

bool Stage::turn() {
    ++turns_;
    do_deeds();
    if (process_ && !unwinding_) fate.does(Fate::Act::turn);
    const auto count = actors();
    const auto first = dice.below(count);
    bool moved = false;
    for (std::size_t at = 0; at < count && !moved; ++at) {
        const auto actor = (first + at) % count;
        moved = poll(actor);
        if (moved) events.mix(actor);
    }
    if (!moved && !jump()) events.violated("nobody will ever do anything again");
    look();
    return events.violation().empty();
}

/// Nobody has anything to do: time goes on to the next who has.
bool Stage::jump() {
    auto next = Monotonic::max();
    const auto consider = [&next](std::optional<Monotonic> due) { next = std::min(next, due.value_or(next)); };
    consider(provider_timers.earliest());
    for (const auto& deed : deeds_) consider(deed.when > clock.now() ? deed.when : clock.now() + 20ms);
    if (process_) {
        for (auto* shard : process_->engine().shards()) consider(shard->timers().earliest());
        if (committer_free_at_ > clock.now()) consider(committer_free_at_);
    }
    if (next == Monotonic::max()) return false;
    clock.move_to(next);
    for (auto& deed : deeds_) {
        if (deed.when < clock.now()) deed.turns = 0;
    }
    provider_timers.advance(clock.now());
    world.reveal_due();
    if (process_) {
        for (auto* shard : process_->engine().shards()) shard->timers().advance(clock.now());
    }
    return true;
}

void Stage::hand_in(std::uint32_t order) {
    if (!process_ || over()) return;  // asked again when the next one starts
    correspondence.hand_in(engine(), order);
    const auto again = clock.now() + dice.span(5s, 2min);
    plan(again, 0, [this, order, process = processes_] {
        if (process == processes_ && correspondence.wants_asking(order)) hand_in(order);
    });
}

void Stage::plan(Monotonic when, std::uint64_t turns, std::function<void()> act) {
    deeds_.push_back({when, turns, std::move(act)});
}

void Stage::do_deeds() {
    const auto now = clock.now();
    for (auto deed = deeds_.begin(); deed != deeds_.end();) {
        const bool due = deed->when <= now && deed->turns == 0;
        if (deed->when <= now && deed->turns > 0) --deed->turns;
        if (!due) {
            ++deed;
            continue;
        }
        const auto act = std::move(deed->act);
        deed = deeds_.erase(deed);
        act();
    }
}

bool Stage::run_until(const std::function<bool()>& done, std::chrono::milliseconds span) {
    constexpr std::uint64_t turns_max = 5'000'000;
    const auto until = clock.now() + span;
    const auto last = turns_ + turns_max;
    while (!done()) {
        if (turns_ == last) events.violated("{} turns, and no end of it", turns_max);
        if (clock.now() >= until || turns_ >= last) return false;
        if (!turn() && !unwinding_) return false;
    }
    return true;
}

}  // namespace simulation

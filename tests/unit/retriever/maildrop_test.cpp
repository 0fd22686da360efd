// A POP3 mailbox against a server in memory on one side and a store on a disk in memory on the other: what is handed
// off, when, and what becomes of it when a connection, a disk or the power fails at any call.

#include "engine/retriever/maildrop.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "queue/store/open.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/support/pop3_office.hpp"
#include "tests/support/simulated_disk.hpp"

using namespace retriever;
using support::HandClock;
using support::Pop3Office;

namespace {

constexpr std::string_view consumer = "tickets";

std::string mail(int number, std::size_t bytes = 0) {
    return fmt::format(
        "Received: by mx.example id {0}\r\nMessage-ID: <{0}@example>\r\nDate: Mon, {1} Nov 2026 10:00:00 +0000\r\n"
        "From: a@example\r\nSubject: {0}\r\n\r\n.{0}\r\n{2}\r\n",
        number, number % 28 + 1, std::string(bytes, 'x'));
}

/// A world is made for each call that is interrupted: without megabytes to be written first.
store::OpenOptions small_options() {
    store::OpenOptions options;
    options.reserve_bytes = 64 << 10;
    options.bodies.segment_bytes = 256 << 10;
    return options;
}

/// One life of the store after the other, and one visit after the other to the server.
struct World {
    SimulatedDisk disk;
    HandClock clock;
    Pop3Office office;
    config::Start start;
    AfterPolicy after;
    store::Millis nothing_due_before{};
    Intake::Sizes sizes;
    runtime::Counters counters;
    store::Seq last_taken = 0;
    std::vector<std::string> consumed;

    World() { sizes.in_flight_bytes_max = 1 << 20; }

    /// The process, between two ends of it.
    struct Life {
        explicit Life(World& at) : world(at) {
            auto opened = store::open_store(world.disk, "/data", small_options());
            if (!opened) return;
            lock = std::move(opened->lock);
            committer = std::make_unique<store::Committer>(std::move(opened->store), std::move(opened->bodies),
                                                           world.clock, store::Committer::Options{});
            const auto put = commit([](store::Workbench bench) -> Result<store::MailboxNumber> {
                auto number = bench.store.put_mailbox("box", "{}");
                if (!number) return number;
                const auto subscribed = bench.store.subscribe(consumer, *number);
                if (!subscribed) return subscribed.error();
                return number;
            });
            if (put) mailbox = *put;
            well = put.has_value();
        }
        ~Life() {
            if (!committer) return;
            committer->stop();
            context.restart();
            context.poll();
        }
        Life(const Life&) = delete;
        Life& operator=(const Life&) = delete;

        void settle() {
            for (;;) {
                context.restart();
                const auto handled = context.poll();
                const bool committed = committer->step();
                if (handled == 0 && !committed) return;
            }
        }
        template <class T>
        T result_of(awaitable<T> coroutine) {
            std::optional<T> result;
            asio::co_spawn(context, std::move(coroutine), [&result](std::exception_ptr failure, T value) {
                REQUIRE_FALSE(failure);
                result = std::move(value);
            });
            settle();
            REQUIRE(result.has_value());
            return std::move(*result);
        }
        template <class Work>
        auto commit(Work work) -> std::invoke_result_t<Work, store::Workbench> {
            return result_of(committer->run(inbox, std::move(work)));
        }

        World& world;
        asio::io_context context{1};
        queue::Inbox inbox{context.get_executor()};
        queue::ByteBudget budget{1 << 22};
        std::unique_ptr<store::File> lock;
        std::unique_ptr<store::Committer> committer;
        store::MailboxNumber mailbox = 0;
        bool well = false;
    };

    struct Visited {
        Maildrop::Taken taken;
        Maildrop::Audited audited;
        bool left_well = false;
    };
    static awaitable<Visited> visit_once(net::Stream& stream, Maildrop& drop) {
        Visited visited;
        pop3::Limits limits;
        pop3::Client client(stream, limits, pop3::Paces{});
        Ended lost;
        lost.reason = "lost";
        auto greeting = co_await client.greet();
        if (!greeting) {
            visited.taken.ended = lost;
            co_return visited;
        }
        auto learned = co_await client.learn_capabilities();
        if (!learned) {
            visited.taken.ended = lost;
            co_return visited;
        }
        const bool stop = false;
        visited.taken = co_await drop.take_new(client, stop);
        if (!visited.taken.ended) visited.audited = co_await drop.audit(client, stop);
        if (!visited.taken.ended) visited.taken.ended = visited.audited.ended;
        if (!visited.taken.ended) visited.taken.ended = co_await drop.remove_acknowledged(client, visited.taken);
        if (visited.taken.ended) co_return visited;
        auto left = co_await client.quit();
        if (!left) visited.taken.ended = lost;
        visited.left_well = left && left->ok();
        if (visited.left_well) visited.taken.ended = co_await drop.removed();
        co_return visited;
    }
    Visited visit(Life& life) {
        const IntakeHouse house{*life.committer, life.inbox, life.budget, clock, counters};
        Maildrop::Facts facts{"box", life.mailbox, start, after, nothing_due_before};
        Maildrop drop(std::move(facts), sizes, house);
        const auto stream = office.connect();
        auto visited = life.result_of(visit_once(*stream, drop));
        nothing_due_before = visited.taken.nothing_due_before;
        CHECK(life.budget.used_bytes() == 0);
        return visited;
    }
    Visited visit() {
        Life life(*this);
        REQUIRE(life.well);
        return visit(life);
    }
    /// The consumer takes what is new: each ledger row once, as it comes.
    bool collect(Life& life) {
        using Rows = std::vector<std::pair<store::Seq, std::string>>;
        const auto taken = life.commit([this, &life](store::Workbench bench) -> Result<Rows> {
            const auto rows = bench.store.messages(life.mailbox, last_taken, 10'000);
            if (!rows) return rows.error();
            Rows bodies;
            for (const auto& row : *rows) {
                auto body = bench.bodies.read(row.body, 0, row.body.length);
                if (!body) return body.error();
                bodies.emplace_back(row.seq, std::move(*body));
            }
            return bodies;
        });
        if (!taken) return false;
        for (const auto& [seq, body] : *taken) {
            last_taken = seq;
            consumed.push_back(body);
        }
        return true;
    }
    /// What was handed off so far, in order.
    std::vector<std::string> handed_off(Life& life) {
        REQUIRE(collect(life));
        return consumed;
    }
    std::vector<std::string> handed_off() {
        Life life(*this);
        return handed_off(life);
    }
    /// The consumer acknowledges everything.
    bool acknowledge(Life& life) {
        if (!collect(life)) return false;
        return life
            .commit([this, &life](store::Workbench bench) -> Result<void> {
                return bench.store.acknowledge(consumer, life.mailbox, last_taken);
            })
            .has_value();
    }
    std::vector<store::Pending> pending() {
        Life life(*this);
        return *life.commit([&life](store::Workbench bench) -> Result<std::vector<store::Pending>> {
            const auto folder = bench.store.folder(life.mailbox, Maildrop::folder_name);
            return bench.store.pending(folder->number);
        });
    }
    void put(int from, int count, std::size_t bytes = 0) {
        for (int number = from; number < from + count; ++number)
            office.mails.push_back({fmt::format("u{}", number), mail(number, bytes)});
    }
    /// Every message gets another UIDL.
    void renumber(const std::string& prefix) {
        for (auto& each : office.mails) each.uidl = prefix + each.uidl;
    }
};

std::vector<std::string> mails(int from, int count, std::size_t bytes = 0) {
    std::vector<std::string> all;
    for (int number = from; number < from + count; ++number) all.push_back(mail(number, bytes));
    return all;
}

}  // namespace

TEST_CASE("maildrop: what a server gives is handed off once, over visits and restarts", "[retriever][pop3]") {
    World world;
    world.office.pipelining = GENERATE(true, false);
    world.put(1, 3);
    CHECK(world.visit().taken.stored == 3);
    CHECK(world.handed_off() == mails(1, 3));
    CHECK(world.visit().taken.stored == 0);
    world.put(4, 2);
    CHECK(world.visit().taken.stored == 2);
    CHECK(world.handed_off() == mails(1, 5));
    CHECK(world.office.retrieved.size() == 5);
    CHECK(world.office.heads == 0);  // a steady mailbox costs none
    CHECK(world.office.mails.size() == 5);
}

TEST_CASE("maildrop: UIDLs that change wholesale bring no mail twice, and no body is fetched again",
          "[retriever][pop3]") {
    World world;
    world.office.top = GENERATE(true, false);
    world.put(1, 50);
    world.visit();
    world.renumber("moved-");
    world.put(51, 2);
    const auto visited = world.visit();
    CHECK(visited.taken.recognised == 50);
    CHECK(visited.taken.stored == 2);
    CHECK(world.handed_off() == mails(1, 52));
    if (world.office.top) CHECK(world.office.retrieved.size() == 52);
    CHECK(world.visit().taken.recognised == 0);
    world.renumber("again-");
    CHECK(world.visit().taken.stored == 0);
    CHECK(world.handed_off() == mails(1, 52));
}

TEST_CASE("maildrop: a mailbox that is empty for a while, and comes back under other names, is known",
          "[retriever][pop3]") {
    World world;
    world.put(1, 5);
    world.visit();
    auto away = std::exchange(world.office.mails, {});
    CHECK(world.visit().taken.listed == 0);
    world.office.mails = std::move(away);
    SECTION("under the same names") {}
    SECTION("under other names") { world.renumber("x"); }
    world.put(6, 1);
    const auto visited = world.visit();
    CHECK(visited.taken.stored == 1);
    CHECK(visited.taken.recognised + visited.taken.known_before == 5);
    CHECK(world.handed_off() == mails(1, 6));
    CHECK(world.visit().taken.recognised == 0);
}

TEST_CASE("maildrop: a server that gives a UIDL to another message loses none", "[retriever][pop3]") {
    World world;
    world.office.mails = {{"k1", mail(1)}, {"k2", mail(2, 10)}};
    world.visit();
    SECTION("while the first is still listed") { world.office.mails = {{"k1", mail(1)}, {"k2", mail(3, 500)}}; }
    SECTION("after it was gone") {
        world.office.mails = {{"k1", mail(1)}};
        world.visit();
        world.office.mails = {{"k1", mail(1)}, {"k2", mail(3, 500)}};
    }
    SECTION("two that change places") {
        world.office.mails = {{"k1", mail(2, 10)}, {"k2", mail(1)}};
        world.visit();
        world.office.mails.push_back({"k3", mail(3, 500)});
    }
    SECTION("all of them moved up") { world.office.mails = {{"k1", mail(2, 10)}, {"k2", mail(3, 500)}}; }
    world.visit();
    const auto all = world.handed_off();
    CHECK(std::count(all.begin(), all.end(), mail(3, 500)) == 1);
    CHECK(std::count(all.begin(), all.end(), mail(1)) == 1);
    CHECK(std::count(all.begin(), all.end(), mail(2, 10)) == 1);
    const auto before = all.size();
    world.visit();
    CHECK(world.handed_off().size() == before);
}

TEST_CASE("maildrop: a server that only numbers its messages loses none, also of equal size", "[retriever][pop3]") {
    World world;
    world.office.mails = {{"1", mail(1)}, {"2", mail(2)}, {"3", mail(3)}};
    CHECK(world.visit().taken.stored == 3);
    world.office.mails = {{"1", mail(2)}, {"2", mail(3)}, {"3", mail(4)}};
    REQUIRE(mail(1).size() == mail(4).size());
    CHECK(world.visit().taken.stored == 1);
    world.office.mails = {{"17", mail(4)}, {"18", mail(5)}};  // it names them now
    CHECK(world.visit().taken.stored == 1);
    CHECK(world.handed_off() == mails(1, 5));
    CHECK(world.visit().taken.stored == 0);
}

TEST_CASE("maildrop: copies that share a UIDL are two messages", "[retriever][pop3][hostile-39]") {
    World world;
    world.office.mails = {{"same", mail(1)}, {"same", mail(1)}};
    CHECK(world.visit().taken.stored == 2);
    CHECK(world.visit().taken.stored == 0);
}

TEST_CASE("maildrop: a server without UIDL is told apart by fingerprints", "[retriever][pop3]") {
    World world;
    world.office.uidl = false;
    world.office.top = GENERATE(true, false);
    world.put(1, 4);
    CHECK(world.visit().taken.stored == 4);
    world.office.mails.erase(world.office.mails.begin());  // every number moves up
    world.put(5, 2);
    CHECK(world.visit().taken.stored == 2);
    CHECK(world.handed_off() == mails(1, 6));
    CHECK(world.visit().taken.stored == 0);
}

TEST_CASE("maildrop: messages that cannot be told apart are rather handed off twice than lost", "[retriever][pop3]") {
    World world;
    const std::string form = "Subject: a form\r\n\r\nanswers\r\n";
    world.office.mails = {{"a", form}};
    world.visit();
    world.office.mails = {{"b", form}};
    CHECK(world.visit().taken.stored == 1);
    CHECK(world.handed_off().size() == 2);
}

TEST_CASE("maildrop: a first contact fetches what is asked for, and remembers the rest", "[retriever][pop3]") {
    World world;
    world.put(1, 10);  // of the 2nd to the 11th
    SECTION("new mail alone") {
        world.start.from = config::Start::From::fresh;
        CHECK(world.visit().taken.stored == 0);
        world.put(11, 1);
        world.renumber("other-");
        CHECK(world.visit().taken.stored == 1);
        CHECK(world.handed_off() == mails(11, 1));
    }
    SECTION("from a date") {
        using namespace std::chrono;
        world.start.from = config::Start::From::date;
        world.start.date = sys_days(2026y / November / 9);
        CHECK(world.visit().taken.stored == 3);
        CHECK(world.handed_off() == mails(8, 3));
        CHECK(world.visit().taken.stored == 0);
    }
}

TEST_CASE("maildrop: one message that cannot be had stops no other, and comes when it can", "[retriever][pop3]") {
    World world;
    world.put(1, 3);
    world.office.refused = {"u2"};
    const auto first = world.visit();
    CHECK_FALSE(first.taken.ended);
    CHECK(first.taken.stored == 2);
    CHECK(first.taken.pending == 1);
    REQUIRE(world.pending().size() == 1);
    CHECK(world.pending()[0].reason.find("the server refused") == 0);
    world.visit();
    CHECK(world.pending()[0].attempts == 2);
    world.office.refused.clear();
    CHECK(world.visit().taken.stored == 1);
    CHECK(world.pending().empty());
    CHECK(world.handed_off().size() == 3);

    world.office.mails.push_back({"u9", mail(9)});
    world.office.refused = {"u9"};
    world.visit();
    world.office.mails.pop_back();
    world.visit();
    CHECK(world.pending().empty());  // gone for good
}

TEST_CASE("maildrop: large messages stream, whatever size they were listed with", "[retriever][pop3]") {
    World world;
    world.sizes.stream_above_bytes = 1000;
    world.sizes.block_bytes = 256;
    world.sizes.message_bytes_max = 100'000;
    world.office.listed_too_much = GENERATE(0, 5000, -8000);
    world.put(1, 2, 20'000);
    world.put(3, 1, 50);
    CHECK(world.visit().taken.stored == 3);
    auto all = world.handed_off();
    std::sort(all.begin(), all.end());
    auto wanted = mails(1, 2, 20'000);
    wanted.push_back(mail(3, 50));
    std::sort(wanted.begin(), wanted.end());
    CHECK(all == wanted);
    CHECK(world.visit().taken.stored == 0);
}

TEST_CASE("maildrop: a message above the limit is left where it is, with that reason", "[retriever][pop3]") {
    World world;
    world.sizes.stream_above_bytes = 1000;
    world.sizes.message_bytes_max = 10'000;
    world.office.listed_too_much = GENERATE(0, -15'000);  // known beforehand, or found out while it comes
    world.put(1, 1, 20'000);
    world.put(2, 1, 16'000 - 7'000);
    const auto visited = world.visit();
    CHECK(visited.taken.pending == 1);
    CHECK(visited.taken.stored == 1);
    REQUIRE(world.pending().size() == 1);
    CHECK(world.pending()[0].reason == "larger than 10000 bytes");
    CHECK(world.visit().taken.stored == 0);
}

TEST_CASE("maildrop: mail is removed only after every consumer has acknowledged it", "[retriever][pop3]") {
    World world;
    world.after.after = config::After::remove;
    world.put(1, 3);
    CHECK(world.visit().taken.to_acknowledge == 3);
    CHECK(world.office.mails.size() == 3);
    {
        World::Life life(world);
        REQUIRE(world.acknowledge(life));
        world.put(4, 1);
        CHECK(world.visit(life).taken.to_acknowledge == 1);
    }
    REQUIRE(world.office.mails.size() == 1);
    CHECK(world.office.mails[0].uidl == "u4");
    CHECK(world.handed_off() == mails(1, 4));
}

TEST_CASE("maildrop: with a delay mail is removed that long after it was taken in, whatever the restarts",
          "[retriever][pop3]") {
    using std::chrono::hours;
    World world;
    world.after = {.after = config::After::remove, .target = "", .delay = std::chrono::days(2)};
    const bool restarts = GENERATE(false, true);
    const auto visit = [&] {
        if (restarts) world.nothing_due_before = {};
        World::Life life(world);
        REQUIRE(world.acknowledge(life));
        world.visit(life);
        std::string left;
        for (const auto& each : world.office.mails) left += each.uidl;
        return left;
    };
    world.put(1, 2);
    CHECK(visit() == "u1u2");
    world.clock.pass(hours(30));
    world.put(3, 1);
    CHECK(visit() == "u1u2u3");  // taken in, not acknowledged
    world.clock.pass(hours(17));
    CHECK(visit() == "u1u2u3");
    world.clock.pass(hours(1));
    CHECK(visit() == "u3");
    world.clock.pass(hours(29));
    CHECK(visit() == "u3");
    world.clock.pass(hours(1));
    CHECK(visit().empty());
    CHECK(world.visit().taken.stored == 0);
    CHECK(world.handed_off() == mails(1, 3));
}

TEST_CASE("maildrop: what comes back after its time is removed at once", "[retriever][pop3]") {
    World world;
    world.after = {.after = config::After::remove, .target = "", .delay = std::chrono::days(1)};
    world.put(1, 1);
    World::Life life(world);
    world.visit(life);
    REQUIRE(world.acknowledge(life));
    const auto copy = world.office.mails;
    world.clock.pass(std::chrono::hours(24));
    world.visit(life);
    REQUIRE(world.office.mails.empty());
    world.put(2, 1);
    world.visit(life);
    world.office.mails.insert(world.office.mails.end(), copy.begin(), copy.end());
    world.clock.pass(std::chrono::hours(1));
    world.visit(life);
    REQUIRE(world.office.mails.size() == 1);
    CHECK(world.office.mails[0].uidl == "u2");
    CHECK(world.handed_off(life) == mails(1, 2));
}

TEST_CASE("maildrop: mail that we removed while somebody moved it is known under its new name", "[retriever][pop3]") {
    World world;
    world.after.after = config::After::remove;
    const std::size_t bytes = GENERATE(0, 200'000);
    world.put(1, 1, bytes);
    World::Life life(world);
    world.visit(life);
    REQUIRE(world.acknowledge(life));
    auto moved = world.office.mails;
    world.visit(life);
    REQUIRE(world.office.mails.empty());
    moved[0].uidl = "u1b";
    world.office.mails = moved;
    auto visited = world.visit(life);
    CHECK(visited.taken.stored == 0);
    CHECK(visited.taken.known_before == 1);
    CHECK(world.office.mails.empty());  // it was due
    // Another one that begins in the same way is not it.
    moved[0].uidl = "u2";
    moved[0].body += "More of it\r\n";
    world.office.mails = moved;
    visited = world.visit(life);
    CHECK(visited.taken.stored == 1);
    CHECK(world.handed_off(life).size() == 2);
}

TEST_CASE("maildrop: with keep nothing is ever removed", "[retriever][pop3]") {
    World world;
    world.put(1, 3);
    World::Life life(world);
    world.visit(life);
    REQUIRE(world.acknowledge(life));
    world.visit(life);
    CHECK(world.office.mails.size() == 3);
}

TEST_CASE("maildrop: a QUIT that is refused, or removes nothing, makes no mail come twice",
          "[retriever][pop3][hostile-40]") {
    World world;
    world.after.after = config::After::remove;
    world.put(1, 2);
    World::Life life(world);
    world.visit(life);
    REQUIRE(world.acknowledge(life));
    world.office.quit_refused = GENERATE("-ERR some deleted messages not removed", "+OK bye, but nothing was removed");
    CAPTURE(world.office.quit_refused);
    world.visit(life);
    CHECK(world.office.mails.size() == 2);
    CHECK(world.visit(life).taken.stored == 0);
    world.office.quit_refused.clear();
    world.visit(life);
    CHECK(world.office.mails.empty());
    CHECK(world.handed_off(life) == mails(1, 2));
}

namespace {

/// A history: mail comes, is handed off, is renamed by the server, more comes; with `delete` it goes. Every visit and
/// each acknowledgement is tried until the world is as it should be.
void live(World& world, int step) {
    if (step == 0) world.put(1, 4);
    if (step == 2) world.renumber("r");
    if (step == 2) world.put(5, 2);
    World::Life life(world);
    if (!life.well) return;
    world.visit(life);
    if (world.after.after == config::After::remove) (void)world.acknowledge(life);
}

constexpr int steps = 6;

void check_end(World& world) {
    for (int round = 0; round < 3; ++round) live(world, steps);
    World::Life life(world);
    REQUIRE(life.well);
    auto all = world.handed_off(life);
    std::sort(all.begin(), all.end());
    auto wanted = mails(1, 6);
    std::sort(wanted.begin(), wanted.end());
    CHECK(all == wanted);
    CHECK(world.office.mails.size() == (world.after.after == config::After::remove ? 0U : 6U));
}

}  // namespace

TEST_CASE("maildrop: a connection lost at any call neither loses nor doubles mail", "[retriever][pop3][hostile-40]") {
    const auto after = GENERATE(config::After::keep, config::After::remove);
    const bool uidl = GENERATE(true, false);
    std::uint64_t whole = 0;
    for (std::uint64_t cut = 0; cut == 0 || cut <= whole; ++cut) {
        CAPTURE(cut, uidl, after == config::After::remove);
        World world;
        world.after.after = after;
        world.office.uidl = uidl;
        if (cut > 0) world.office.cut_at(cut);
        for (int step = 0; step < steps; ++step) live(world, step);
        if (cut == 0) whole = world.office.calls();
        world.office.be_well();
        check_end(world);
    }
    CHECK(whole > 50);
}

TEST_CASE("maildrop: a disk that stops, or a power cut, at calls all along neither loses nor doubles mail",
          "[retriever][pop3]") {
    const auto after = GENERATE(config::After::keep, config::After::remove);
    const bool power = GENERATE(false, true);
    std::uint64_t whole = 0, stride = 1;  // some 40 of the calls, others for each history
    for (std::uint64_t cut = 0; cut == 0 || cut <= whole; cut += stride) {
        CAPTURE(cut, power, after == config::After::remove);
        World world;
        world.after.after = after;
        if (cut > 0) world.disk.stop_at(cut);
        for (int step = 0; step < steps; ++step) {
            live(world, step);
            if (!world.disk.stopped()) continue;
            world.disk.be_well();
            if (power) world.disk.power_cut(cut);
            if (!power) world.disk.process_ends();
        }
        if (cut == 0) {
            whole = world.disk.calls();
            stride = whole / 40 + (power ? 1U : 2U);
        }
        check_end(world);
    }
    CHECK(whole > 50);
}

TEST_CASE("pop3 audit: a mailbox adds up, and what the ledger lacks is fetched and counted",
          "[retriever][pop3][audit]") {
    World world;
    world.start.from = config::Start::From::fresh;
    world.put(1, 2);
    world.visit();
    world.put(3, 3);
    const std::string nobodys = "From: a@example\r\nSubject: 4\r\n\r\nWho sent it, and when?\r\n";
    world.office.mails[3].body = nobodys;  // nothing proves that it is the same
    world.sizes.message_bytes_max = 4000;
    world.put(6, 1, 5000);
    World::Life life(world);
    world.visit(life);
    REQUIRE(world.acknowledge(life));
    world.put(7, 1);
    const auto sound = world.visit(life).audited;
    CHECK(sound.found == 0);
    runtime::FolderAudit expected;
    expected.folder = Maildrop::folder_name;
    expected.on_server = 7;
    expected.delivered = 3;
    expected.undelivered = 1;
    expected.pending = 1;
    expected.before_start = 2;
    CHECK(sound.result == expected);

    // The ledger loses the message that u4 stands for.
    const auto lost = life.commit([&life](store::Workbench bench) -> Result<void> {
        const auto folder = bench.store.folder(life.mailbox, Maildrop::folder_name);
        auto row = bench.store.listings().find(folder->number, "u4");
        if (!row || !*row) return store::errc::unknown_id;
        (*row)->uid = 4711;
        return bench.store.listings().put(**row);
    });
    REQUIRE(lost.has_value());
    const auto mended = world.visit(life).audited;
    CHECK(mended.found == 1);
    CHECK(mended.stored == 1);
    CHECK(mended.result.unknown == 0);
    CHECK(mended.result.undelivered == 2);
    CHECK(world.counters.messages_missed == 1);
    CHECK(world.handed_off(life).back() == nobodys);
    CHECK(world.visit(life).audited.found == 0);
}

#include <catch2/catch.hpp>

#include <algorithm>
#include <list>
#include <optional>
#include <random>
#include <set>

#include "engine/consumers/hand_off.hpp"
#include "queue/store/open.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/unit/consumers/fixture.hpp"

using namespace consumers;
using namespace consumers_test;
using namespace std::chrono_literals;

namespace {

using support::HandClock;
using support::SeededRandom;

/// Remembers what it got; fails as told.
class Recorder final : public Consumer {
public:
    struct Got {
        std::string mailbox;
        store::Seq seq = 0;
        bool possible_repeat = false;
        bool operator==(const Got&) const = default;
    };
    awaitable<Delivered> deliver(std::span<const Mail> batch) override {
        ++batches;
        largest_batch = std::max(largest_batch, batch.size());
        if (slow) co_await gates.emplace_back().wait();
        Delivered delivered;
        for (const Mail& mail : batch) {
            if (failing.contains(std::string(mail.mailbox)) || failing.contains("*")) {
                delivered.reason = "no room";
                delivered.fault = fault;
                delivered.pause = pause;
                if (nothing_behind) delivered.attempted = delivered.count;
                break;
            }
            if (taking && delivered.count == *taking) break;
            BodyReader body(*mail.bodies, mail.record.body);
            auto piece = body.next();
            if (!piece && piece.error() == store::errc::damaged) {
                delivered.reason = "cannot be read";
                delivered.fault = Delivered::Fault::message;
                break;
            }
            got.push_back({std::string(mail.mailbox), mail.record.seq, mail.possible_repeat});
            folders.insert(std::string(mail.folder));
            addresses.insert(std::string(mail.address));
            ++delivered.count;
        }
        co_return delivered;
    }
    [[nodiscard]] std::vector<store::Seq> seqs(const std::string& mailbox) const {
        std::vector<store::Seq> seqs;
        for (const auto& each : got)
            if (each.mailbox == mailbox) seqs.push_back(each.seq);
        return seqs;
    }
    std::vector<Got> got;
    std::set<std::string> failing, folders, addresses;
    Delivered::Fault fault = Delivered::Fault::consumer;
    std::chrono::milliseconds pause{};
    bool nothing_behind = false;        // what failed was not attempted
    std::optional<std::size_t> taking;  // of a batch, without a reason why not more
    std::size_t batches = 0, largest_batch = 0;
    bool slow = false;
    std::list<Parking> gates;  // one for each slow batch
    void open_gates() {
        for (auto& gate : gates) gate.wake();
    }
};

/// A store on disk, whose committer is stepped by hand, and mailboxes that subscribe "dir".
struct World {
    Folder folder;
    store::SystemDisk disk;
    HandClock clock;
    SeededRandom random;
    runtime::Counters counters;
    std::map<std::string, std::uint32_t> uids;

    /// One run of the daemon.
    struct Run {
        World& world;
        asio::io_context context;
        queue::Inbox inbox{context.get_executor()};
        Timers timers{world.clock};
        store::OpenedStore opened;
        const store::Bodies* bodies = nullptr;
        std::unique_ptr<store::Committer> committer;
        std::unique_ptr<HandOff> hand_off;
        Recorder* recorder = nullptr;

        explicit Run(World& of, std::unique_ptr<Consumer> consumer = nullptr,
                     HandOff::Options options = {.consumer = "dir"})
            : world(of) {
            auto store = store::open_store(world.disk, world.folder / "data", {});
            REQUIRE(store.has_value());
            opened = std::move(*store);
            bodies = opened.bodies.get();
            committer = std::make_unique<store::Committer>(std::move(opened.store), std::move(opened.bodies),
                                                           world.clock, store::Committer::Options{});
            if (!consumer) {
                auto own = std::make_unique<Recorder>();
                recorder = own.get();
                consumer = std::move(own);
            }
            HandOff::Uses uses{.shard = context.get_executor(),
                               .inbox = inbox,
                               .timers = timers,
                               .random = world.random,
                               .committer = *committer,
                               .bodies = *bodies,
                               .counters = world.counters};
            hand_off = std::make_unique<HandOff>(std::move(options), std::move(uses), std::move(consumer));
        }
        ~Run() {
            asio::co_spawn(context, hand_off->close(), asio::detached);
            settle();
            hand_off.reset();
            committer->stop();
        }
        /// Until nobody has anything to do at this time.
        void settle() {
            for (;;) {
                context.restart();
                const auto handled = context.poll();
                const bool committed = committer->step();
                if (handled == 0 && !committed) return;
            }
        }
        void pass(std::chrono::nanoseconds span) {
            world.clock.pass(span);
            timers.advance(world.clock.now());
            settle();
        }
        template <class Work>
        auto commit(Work work) {
            std::optional<std::invoke_result_t<Work, store::Workbench>> answer;
            asio::co_spawn(context, committer->run(inbox, std::move(work)),
                           [&answer](std::exception_ptr, auto done) { answer = std::move(done); });
            settle();
            return *answer;
        }
        store::MailboxNumber keep(const std::string& mailbox, int count, std::string body = "") {
            auto& uid = world.uids[mailbox];
            auto number = commit([&](store::Workbench bench) -> Result<store::MailboxNumber> {
                auto put = bench.store.put_mailbox(mailbox, "{}");
                if (!put) return put.error();
                auto subscribed = bench.store.subscribe("dir", *put);
                if (!subscribed) return subscribed.error();
                const auto inbox_folder = bench.store.folder(*put, "INBOX");
                for (int i = 0; i < count; ++i) {
                    const auto text = body.empty() ? mailbox + " " + std::to_string(uid + 1) : body;
                    const auto place = bench.bodies.append(text);
                    if (!place) return place.error();
                    store::Message message{.mailbox = *put,
                                           .folder = inbox_folder->number,
                                           .uid_validity = 1,
                                           .uid = ++uid,
                                           .body = *place};
                    std::mt19937_64 digest(std::hash<std::string>()(mailbox) + uid);
                    for (auto& byte : message.id) byte = static_cast<unsigned char>(digest());
                    auto added = bench.store.add_message(message);
                    if (!added) return added.error();
                }
                return *put;
            });
            REQUIRE(number.has_value());
            return *number;
        }
        std::vector<store::HandOff> unacknowledged() {
            auto rows = commit([](store::Workbench bench) {
                return bench.store.hand_offs("dir", store::Store::Which::waiting, 0, 100'000);
            });
            REQUIRE(rows.has_value());
            return *rows;
        }
    };
};

std::vector<store::Seq> up_to(store::Seq last) {
    std::vector<store::Seq> seqs;
    for (store::Seq seq = 1; seq <= last; ++seq) seqs.push_back(seq);
    return seqs;
}

}  // namespace

TEST_CASE("what waits at start is handed off in order and acknowledged", "[consumers]") {
    World world;
    World::Run run(world, nullptr, {.consumer = "dir", .batch_mails_max = 64});
    run.keep("a", 150);
    run.keep("b", 3);
    run.keep("quiet", 0);
    run.hand_off->start();
    CHECK_FALSE(run.hand_off->idle());
    run.settle();
    CHECK(run.recorder->seqs("a") == up_to(150));
    CHECK(run.recorder->seqs("b") == up_to(3));
    CHECK(run.recorder->got.size() == 153);
    CHECK(run.recorder->largest_batch == 64);
    CHECK(run.unacknowledged().empty());
    CHECK(run.hand_off->idle());
    CHECK(run.hand_off->stats().delivered_mails == 153);
    CHECK(world.counters.messages_delivered == 153);
}

TEST_CASE("what arrives later is handed off when it is announced", "[consumers]") {
    World world;
    World::Run run(world);
    const auto a = run.keep("a", 1);
    run.hand_off->start();
    run.settle();
    REQUIRE(run.recorder->got.size() == 1);
    CHECK(run.recorder->got[0].possible_repeat);
    run.keep("a", 2);
    const auto b = run.keep("b", 1);
    CHECK(run.hand_off->idle());
    run.hand_off->arrived(a);
    run.hand_off->arrived(a);
    run.hand_off->arrived(b);
    CHECK_FALSE(run.hand_off->idle());
    run.settle();
    CHECK(run.hand_off->idle());
    CHECK(run.recorder->seqs("a") == up_to(3));
    CHECK(run.recorder->seqs("b") == up_to(1));
    CHECK_FALSE(run.recorder->got.back().possible_repeat);
    CHECK(run.unacknowledged().empty());
}

TEST_CASE("an announcement of a mailbox without subscription does no harm", "[consumers]") {
    World world;
    World::Run run(world);
    run.hand_off->start();
    run.settle();
    run.hand_off->arrived(4711);
    run.settle();
    CHECK(run.hand_off->idle());
    CHECK(run.recorder->got.empty());
    run.keep("late", 2);  // subscribed while running
    run.hand_off->look_again();
    run.settle();
    CHECK(run.recorder->seqs("late") == up_to(2));
    CHECK(run.hand_off->idle());
}

TEST_CASE("mails of many mailboxes share a batch, within its limits", "[consumers]") {
    World world;
    {
        World::Run run(world, nullptr, {.consumer = "dir", .batch_mails_max = 64});
        for (int i = 0; i < 100; ++i) run.keep("box" + std::to_string(i), 2);
        run.hand_off->start();
        run.settle();
        CHECK(run.recorder->got.size() == 200);
        CHECK(run.recorder->batches <= 6);
        CHECK(run.recorder->largest_batch <= 64);
    }
    World::Run run(world, nullptr, {.consumer = "dir", .batch_bytes_max = 10'000});
    run.keep("large", 5, std::string(6000, 'x'));
    run.keep("huge", 2, std::string(60'000, 'x'));
    run.hand_off->start();
    run.settle();
    CHECK(run.recorder->largest_batch == 2);
    CHECK(run.recorder->seqs("large") == up_to(5));
    CHECK(run.recorder->seqs("huge") == up_to(2));
}

TEST_CASE("a failing mailbox pauses and is tried again, while the others go on", "[consumers]") {
    World world;
    World::Run run(world);
    run.recorder->failing = {"b"};
    run.keep("a", 2);
    run.keep("b", 2);
    const auto c = run.keep("c", 2);
    run.hand_off->start();
    run.settle();
    CHECK(run.recorder->seqs("a") == up_to(2));
    CHECK(run.recorder->seqs("b").empty());
    CHECK(run.recorder->seqs("c") == up_to(2));
    REQUIRE(run.unacknowledged().size() == 1);
    CHECK_FALSE(run.hand_off->idle());
    CHECK(run.hand_off->stats().paused_mailboxes == 1);
    CHECK(run.hand_off->stats().failed_batches == 1);

    run.keep("c", 1);
    run.hand_off->arrived(c);
    run.settle();
    CHECK(run.recorder->seqs("c") == up_to(3));

    run.pass(1s);
    CHECK(run.hand_off->stats().last_reason == "no room");
    run.recorder->failing.clear();
    run.pass(2s);
    CHECK(run.recorder->seqs("b") == up_to(2));
    CHECK(run.recorder->got.back().possible_repeat);
    CHECK(run.hand_off->idle());
    CHECK(run.unacknowledged().empty());
}

TEST_CASE("a consumer that takes nothing is asked rarely, and catches up afterwards", "[consumers]") {
    World world;
    World::Run run(world);
    run.recorder->failing = {"*"};
    for (int i = 0; i < 200; ++i) run.keep("box" + std::to_string(i), 1);
    run.hand_off->start();
    run.settle();
    CHECK(run.recorder->batches <= 5);
    for (int i = 0; i < 60; ++i) run.pass(1s);
    CHECK(run.recorder->batches <= 20);
    CHECK(run.recorder->got.empty());
    run.recorder->failing.clear();
    for (int i = 0; i < 600; ++i) run.pass(1s);
    CHECK(run.recorder->got.size() == 200);
    CHECK(run.hand_off->idle());
}

TEST_CASE("a damaged message is set aside with its reason, and those around it are handed off",
          "[consumers][hostile-58]") {
    World world;
    FailingFiles files;
    const bool into_maildir = GENERATE(false, true);
    CAPTURE(into_maildir);
    const auto consumer = [&]() -> std::unique_ptr<Consumer> {
        if (!into_maildir) return nullptr;
        const Maildir::Options options{.path = world.folder / "mail/{mailbox}"};
        return std::make_unique<Maildir>(options, files, world.clock);
    };
    const auto handed_off = [&](World::Run& run, const std::string& mailbox) {
        if (!into_maildir) return run.recorder->seqs(mailbox).size();
        return names_in(world.folder / ("mail/" + mailbox + "/new")).size();
    };
    store::MailboxNumber b = 0;
    {
        World::Run run(world, consumer());
        run.keep("a", 2);
        b = run.keep("b", 1);
        run.keep("b", 3, "to be damaged");
        run.keep("b", 2);
        run.keep("c", 2);
        const auto damaged = run.commit([&](store::Workbench bench) { return bench.store.messages(b, 1, 3); });
        for (const auto& message : *damaged) {
            const auto file =
                world.disk.open(world.folder / "data/segments/0000000000000001.seg", store::Disk::Mode::write);
            REQUIRE((*file)->write("X", message.body.offset + 3));
        }
        run.hand_off->start();
        run.settle();
        CHECK(handed_off(run, "a") == 2);
        CHECK(handed_off(run, "b") == 3);
        CHECK(handed_off(run, "c") == 2);
        CHECK(run.hand_off->idle());
        CHECK(run.unacknowledged().empty());
        CHECK(run.hand_off->stats().paused_mailboxes == 0);
        CHECK(run.hand_off->stats().last_reason.empty());
        CHECK(world.counters.messages_delivered == 7);
        CHECK(world.counters.messages_set_aside == 3);
    }
    // The next run knows, keeps the bytes, and delivers nothing again.
    World::Run run(world, consumer());
    run.hand_off->start();
    run.settle();
    CHECK(handed_off(run, "b") == (into_maildir ? 3U : 0U));
    const auto set_aside = run.commit([&](store::Workbench bench) { return bench.store.all_set_aside(b, 100); });
    REQUIRE(set_aside->size() == 3);
    CHECK(set_aside->at(0).seq == 2);
    CHECK(set_aside->at(2).seq == 4);
    CHECK(set_aside->at(0).consumer == "dir");
    CHECK(set_aside->at(0).reason.find("read") != std::string::npos);
    CHECK(run.commit([](store::Workbench bench) { return bench.store.totals(); })->set_aside == 3);
    CHECK(run.commit([](store::Workbench bench) { return bench.store.release_segments({1}); })->empty());
}

TEST_CASE("a mail that is refused for good is set aside, and the next one goes on", "[consumers]") {
    World world;
    World::Run run(world);
    run.recorder->failing = {"b"};
    run.recorder->fault = Delivered::Fault::refused;
    run.keep("a", 2);
    const auto b = run.keep("b", 2);
    run.keep("c", 2);
    run.hand_off->start();
    run.settle();
    CHECK(run.recorder->seqs("a") == up_to(2));
    CHECK(run.recorder->seqs("b").empty());
    CHECK(run.recorder->seqs("c") == up_to(2));
    CHECK(run.hand_off->idle());
    const auto aside = run.commit([b](store::Workbench bench) { return bench.store.all_set_aside(b, 9); });
    REQUIRE(aside->size() == 2);
    CHECK(aside->front().reason == "no room");
}

TEST_CASE("when many mails in a row are refused, it is the consumer's fault, and nothing more is set aside",
          "[consumers]") {
    World world;
    World::Run run(world, nullptr, {.consumer = "dir", .refusals_max = 5});
    run.recorder->failing = {"a"};
    run.recorder->fault = Delivered::Fault::refused;
    const auto a = run.keep("a", 20);
    run.hand_off->start();
    for (int i = 0; i < 60; ++i) run.pass(1s);
    const auto aside = [&] {
        return run.commit([a](store::Workbench bench) { return bench.store.all_set_aside(a, 99); })->size();
    };
    CHECK(aside() == 5);
    CHECK_FALSE(run.hand_off->idle());
    CHECK(run.hand_off->stats().last_reason.find("5 mails in a row were refused") != std::string::npos);
    run.recorder->failing.clear();
    for (int i = 0; i < 300; ++i) run.pass(1s);
    CHECK(run.hand_off->idle());
    CHECK(run.recorder->seqs("a").size() == 15);
    CHECK(aside() == 5);
}

TEST_CASE("a mail that fails again and again is set aside when the consumer takes others, an outage sets one aside",
          "[consumers][hostile-52]") {
    World world;
    World::Run run(world, nullptr, {.consumer = "dir", .attempts_max = 4});
    run.recorder->failing = {"b", "c"};
    run.recorder->fault = Delivered::Fault::mail;
    const auto b = run.keep("b", 3);
    const auto c = run.keep("c", 3);
    run.hand_off->start();
    for (int i = 0; i < 600; ++i) run.pass(1s);
    const auto aside = [&](store::MailboxNumber mailbox) {
        return run.commit([mailbox](store::Workbench bench) { return bench.store.all_set_aside(mailbox, 99); })->size();
    };
    CHECK(aside(b) + aside(c) == 1);  // without proof that anything is taken
    CHECK(run.hand_off->reason_of("b") == "no room");
    const auto a = run.keep("a", 1);
    run.hand_off->arrived(a);
    for (int i = 0; i < 600; ++i) run.pass(1s);
    CHECK(run.recorder->seqs("a") == up_to(1));
    CHECK(aside(b) + aside(c) == 2);
    run.recorder->failing.clear();
    for (int i = 0; i < 600; ++i) run.pass(1s);
    CHECK(run.recorder->got.size() == 5);
    CHECK(run.hand_off->reason_of("b").empty());
    CHECK(run.hand_off->idle());
}

TEST_CASE("a mailbox that is refused pauses alone, however many there are of them", "[consumers]") {
    World world;
    World::Run run(world);
    run.recorder->fault = Delivered::Fault::mailbox;
    for (int i = 0; i < 20; ++i) {
        run.recorder->failing.insert("bad" + std::to_string(i));
        run.keep("bad" + std::to_string(i), 1);
    }
    run.hand_off->start();
    for (int i = 0; i < 100; ++i) run.pass(1s);
    const auto good = run.keep("good", 1);
    run.hand_off->arrived(good);
    run.settle();
    CHECK(run.recorder->seqs("good") == up_to(1));
    CHECK(run.hand_off->reason_of("bad7") == "no room");
    CHECK(run.hand_off->reason_of("good").empty());
    CHECK(run.hand_off->stats().paused_mailboxes == 20);
}

TEST_CASE("the pause that a consumer asks for is kept", "[consumers]") {
    World world;
    World::Run run(world);
    run.recorder->failing = {"*"};
    run.recorder->pause = 10min;
    run.keep("a", 1);
    run.hand_off->start();
    run.settle();
    CHECK(run.recorder->batches == 1);
    run.recorder->failing.clear();
    for (int i = 0; i < 590; ++i) run.pass(1s);
    CHECK(run.recorder->batches == 1);
    for (int i = 0; i < 20; ++i) run.pass(1s);
    CHECK(run.recorder->seqs("a") == up_to(1));
}

TEST_CASE("what a consumer leaves of a batch comes next, and is no possible repeat", "[consumers]") {
    World world;
    World::Run run(world, nullptr, {.consumer = "dir", .batch_mails_max = 8});
    run.hand_off->start();
    run.settle();
    run.recorder->taking = 3;
    const auto a = run.keep("a", 20);
    const auto b = run.keep("b", 2);
    run.hand_off->arrived(a);
    run.hand_off->arrived(b);
    run.settle();
    CHECK(run.recorder->seqs("a") == up_to(20));
    CHECK(run.recorder->seqs("b") == up_to(2));
    CHECK(run.hand_off->idle());
    CHECK(std::none_of(run.recorder->got.begin(), run.recorder->got.end(),
                       [](const auto& got) { return got.mailbox == "a" && got.possible_repeat; }));
}

TEST_CASE("only what was attempted is a possible repeat", "[consumers]") {
    World world;
    World::Run run(world);
    run.hand_off->start();
    run.settle();
    run.recorder->failing = {"a"};
    run.recorder->nothing_behind = GENERATE(true, false);
    const auto a = run.keep("a", 3);
    run.hand_off->arrived(a);
    run.settle();
    run.recorder->failing.clear();
    for (int i = 0; i < 3; ++i) run.pass(1s);
    REQUIRE(run.recorder->seqs("a") == up_to(3));
    for (const auto& got : run.recorder->got) CHECK(got.possible_repeat == !run.recorder->nothing_behind);
}

TEST_CASE("mails know their mailbox's address, and their folder when it is asked for", "[consumers]") {
    World world;
    World::Run run(world, nullptr, {.consumer = "dir", .folder_names = true});
    const auto a = run.keep("a", 2);
    run.commit([](store::Workbench bench) { return bench.store.put_mailbox("a", R"({"address": "a@example.com"})"); });
    run.hand_off->start();
    run.settle();
    CHECK(run.recorder->folders == std::set<std::string>{"INBOX"});
    CHECK(run.recorder->addresses == std::set<std::string>{"a@example.com"});
    run.commit([](store::Workbench bench) { return bench.store.put_mailbox("a", R"({"address": "b@example.com"})"); });
    run.hand_off->look_again();
    run.keep("a", 1);
    run.hand_off->arrived(a);
    run.settle();
    CHECK(run.recorder->seqs("a") == up_to(3));
}

TEST_CASE("a rewound mailbox is handed off again, marked, also when it was rewound while a batch was under way",
          "[consumers]") {
    World world;
    World::Run run(world);
    run.hand_off->start();
    run.settle();
    const auto a = run.keep("a", 5);
    const bool under_way = GENERATE(false, true);
    CAPTURE(under_way);
    run.recorder->slow = under_way;
    run.hand_off->arrived(a);
    run.settle();
    if (under_way) {
        run.recorder->slow = false;
        run.recorder->open_gates();
        run.settle();
        run.recorder->slow = true;
        run.keep("a", 2);
        run.hand_off->arrived(a);
        run.settle();
    }
    const auto acked = run.commit([a](store::Workbench bench) { return bench.store.rewind("dir", a, 2); });
    REQUIRE(acked.has_value());
    CHECK(*acked == 2);
    run.hand_off->rewound(a, 5);
    run.settle();
    run.recorder->slow = false;
    run.recorder->open_gates();
    run.settle();
    CHECK(run.hand_off->idle());
    CHECK(run.unacknowledged().empty());
    std::set<store::Seq> repeated;
    for (const auto& got : run.recorder->got)
        if (got.possible_repeat) repeated.insert(got.seq);
    CHECK(repeated == std::set<store::Seq>{3, 4, 5});
    CHECK(run.recorder->seqs("a").size() >= 8);
    CHECK(run.commit([a](store::Workbench bench) { return bench.store.rewind("dir", a, 99); }).has_value());
    CHECK(run.unacknowledged().empty());  // never ahead
    CHECK(run.commit([a](store::Workbench bench) { return bench.store.rewind("nobody", a, 0); }).error() ==
          store::errc::unknown_id);
}

TEST_CASE("a mail that was set aside is tried again, and is set aside no more once it is delivered", "[consumers]") {
    World world;
    World::Run run(world);
    run.recorder->failing = {"a"};
    run.recorder->fault = Delivered::Fault::refused;
    const auto a = run.keep("a", 3);
    run.hand_off->start();
    run.settle();
    const auto aside = [&] {
        std::vector<store::Seq> seqs;
        for (store::SetAside after;;) {
            const auto page =
                run.commit([after](store::Workbench bench) { return bench.store.set_aside_after(after, 2); });
            REQUIRE(page.has_value());
            if (page->empty()) return seqs;
            for (const auto& row : *page) seqs.push_back(row.seq);
            after = page->back();
        }
    };
    REQUIRE(aside() == up_to(3));
    run.recorder->failing.clear();
    run.hand_off->retry(a, 2);
    run.hand_off->retry(a, 99);
    run.settle();
    CHECK(run.recorder->seqs("a") == std::vector<store::Seq>{2});
    CHECK(run.recorder->got.front().possible_repeat);
    CHECK(aside() == std::vector<store::Seq>{1, 3});
    CHECK(run.hand_off->idle());

    run.recorder->failing = {"a"};
    run.hand_off->retry(a, 1);
    run.hand_off->retry(a, 3);
    run.settle();
    CHECK(aside() == std::vector<store::Seq>{1, 3});
    CHECK(run.hand_off->idle());
    run.recorder->failing.clear();
    const auto forgotten =
        run.commit([a](store::Workbench bench) { return bench.store.forget_set_aside("dir", a, 3); });
    CHECK(forgotten.has_value());
    CHECK(aside() == std::vector<store::Seq>{1});
    CHECK(run.commit([a](store::Workbench bench) { return bench.store.forget_set_aside("dir", a, 3); }).error() ==
          store::errc::unknown_id);
    run.keep("a", 2);
    run.hand_off->arrived(a);
    run.settle();
    CHECK(run.recorder->seqs("a") == std::vector<store::Seq>{2, 4, 5});
}

TEST_CASE("lanes that share take different mailboxes side by side", "[consumers]") {
    World world;
    World::Run run(world, nullptr, {.consumer = "dir", .lanes = 4, .lots = HandOff::Options::Lots::shared});
    for (int i = 0; i < 8; ++i) run.keep("box" + std::to_string(i), 1);
    run.recorder->slow = true;
    run.hand_off->start();
    run.settle();
    CHECK(run.recorder->batches >= 3);
    CHECK(run.recorder->largest_batch <= 2);
    run.recorder->slow = false;
    run.recorder->open_gates();
    run.settle();
    CHECK(run.recorder->got.size() == 8);
}

TEST_CASE("what does not end in time is cut off, and handed off again", "[consumers]") {
    World world;
    {
        World::Run run(world);
        run.keep("a", 1);
        run.recorder->slow = true;
        run.hand_off->start();
        run.settle();
        run.hand_off->drain_within(5s);
        bool drained = false;
        asio::co_spawn(run.context, run.hand_off->drain(), [&drained](std::exception_ptr) { drained = true; });
        run.pass(4s);
        CHECK_FALSE(drained);
        run.pass(2s);
        CHECK(drained);
    }
    World::Run run(world);
    run.hand_off->start();
    run.settle();
    CHECK(run.recorder->seqs("a") == up_to(1));
    CHECK(run.recorder->got.front().possible_repeat);
}

TEST_CASE("draining ends after the batches under way, acknowledgements included", "[consumers]") {
    World world;
    World::Run run(world, nullptr, {.consumer = "dir", .batch_mails_max = 2, .lanes = 1});
    run.keep("a", 6);
    run.recorder->slow = true;
    run.hand_off->start();
    run.settle();
    REQUIRE(run.recorder->batches == 1);
    bool drained = false;
    asio::co_spawn(run.context, run.hand_off->drain(), [&drained](std::exception_ptr) { drained = true; });
    run.settle();
    CHECK_FALSE(drained);
    run.recorder->open_gates();
    run.settle();
    CHECK(drained);
    CHECK(run.recorder->seqs("a") == up_to(2));
    REQUIRE(run.unacknowledged().size() == 1);
    CHECK(run.unacknowledged().front().acked == 2);
}

TEST_CASE("while one lane delivers, the other serves other mailboxes", "[consumers]") {
    World world;
    World::Run run(world);
    run.keep("a", 1);
    run.recorder->slow = true;
    run.hand_off->start();
    run.settle();
    REQUIRE(run.recorder->batches == 1);
    run.recorder->slow = false;
    const auto b = run.keep("b", 1);
    run.hand_off->arrived(b);
    run.settle();
    CHECK(run.recorder->seqs("b") == up_to(1));
    CHECK(run.recorder->seqs("a").empty());
    run.recorder->open_gates();
    run.settle();
    CHECK(run.recorder->seqs("a") == up_to(1));
    CHECK(run.hand_off->idle());
}

TEST_CASE("whatever file call is the last one of a process, each mail is in the Maildir once",
          "[consumers][hostile-60]") {
    bool reached_end = false;
    for (std::size_t at = 3; !reached_end; at += 7) {
        CAPTURE(at);
        World world;
        FailingFiles files;
        const Maildir::Options options{.path = world.folder / "mail/{mailbox}"};
        {
            World::Run run(world, std::make_unique<Maildir>(options, files, world.clock),
                           {.consumer = "dir", .batch_mails_max = 4, .lanes = 2});
            run.keep("a", 7);
            run.keep("b", 1);
            run.keep("c", 2);
            files.set({.how = FailingFiles::How::crash, .at = at});
            run.hand_off->start();
            run.settle();
            reached_end = files.calls().size() <= at;
        }
        files.set({});
        World::Run run(world, std::make_unique<Maildir>(options, files, world.clock),
                       {.consumer = "dir", .batch_mails_max = 8});
        run.hand_off->start();
        run.settle();
        CHECK(run.hand_off->idle());
        for (const std::string mailbox : {"a", "b", "c"}) {
            std::multiset<std::string> bodies, expected;
            for (std::uint32_t uid = 1; uid <= world.uids[mailbox]; ++uid)
                expected.insert(mailbox + " " + std::to_string(uid));
            for (const auto& name : names_in(world.folder / ("mail/" + mailbox + "/new")))
                bodies.insert(bytes_of(world.folder / ("mail/" + mailbox + "/new/" + name)));
            CHECK(bodies == expected);
        }
    }
}

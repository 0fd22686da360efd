#include "queue/store/sqlite_store.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <set>

#include "queue/store/open.hpp"
#include "tests/support/simulated_disk.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace store;

namespace {

/// A store on a simulated disk; every use() is a transaction.
struct Ledger {
    explicit Ledger(std::size_t journal_rows_max = 8) : rows_max(journal_rows_max) { reopen(); }
    void reopen() {
        opened = {};
        OpenOptions options;
        options.ledger.journal_rows_max = rows_max;
        OpenFailure failure;
        auto again = open_store(disk, "/data", options, &failure);
        INFO(failure.sentence);
        REQUIRE(again.has_value());
        opened = std::move(*again);
        REQUIRE(opened.store->begin().has_value());
    }
    void commit() {
        REQUIRE(opened.store->commit().has_value());
        REQUIRE(opened.store->begin().has_value());
    }
    void roll_back() {
        opened.store->rollback();
        REQUIRE(opened.store->begin().has_value());
    }
    Store& store() { return *opened.store; }

    std::size_t rows_max;
    SimulatedDisk disk;
    OpenedStore opened;
};

Message message_of(const Folder& folder, std::uint32_t uid) {
    Message message{
        .mailbox = folder.mailbox,
        .folder = folder.number,
        .uid_validity = 7,
        .uid = uid,
        .internal_date = Millis(std::chrono::milliseconds(1000 + uid)),
        .received_at = Millis(std::chrono::milliseconds(-5)),
        .body = {.segment = 1 + uid / 10, .offset = uid * 100ULL, .length = 100, .crc32c = 0xffffffff - uid}};
    message.id = {static_cast<unsigned char>(folder.number), static_cast<unsigned char>(uid), 0, 255};
    message.fingerprint = {1, 2, static_cast<unsigned char>(uid)};
    return message;
}

Folder new_folder(Store& store, const std::string& mailbox, std::uint32_t uid_validity = 7) {
    const auto number = store.put_mailbox(mailbox, "{}");
    REQUIRE(number.has_value());
    const auto folder = store.folder(*number, "INBOX");
    REQUIRE(folder.has_value());
    REQUIRE(store.adopt_folder(folder->number, uid_validity, 0).has_value());
    return *store.folder(*number, "INBOX");
}

/// What the ledger should hold.
struct Model {
    std::map<std::size_t, std::vector<std::uint32_t>> uids;  // by folder, in order of seq
    std::map<std::size_t, std::uint32_t> cursors;
    std::map<std::size_t, Seq> acked;
    bool operator==(const Model&) const = default;
};

}  // namespace

TEST_CASE("random work on a ledger, with rollbacks and restarts, gives what a model in memory gives", "[store]") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        Ledger ledger(1 + random() % 20);
        std::vector<Folder> folders;
        for (int at = 0; at < 3; ++at) {
            folders.push_back(new_folder(ledger.store(), "mailbox-" + std::to_string(at)));
            REQUIRE(ledger.store().subscribe("consumer", folders.back().mailbox).has_value());
        }
        ledger.commit();
        Model model, committed;
        for (int step = 0; step < 400; ++step) {
            const std::size_t at = random() % folders.size();
            const Folder& folder = folders[at];
            auto& uids = model.uids[at];
            const auto uid = static_cast<std::uint32_t>(1 + random() % 80);
            switch (random() % 8) {
                case 0:
                    ledger.commit();
                    committed = model;
                    break;
                case 1:
                    ledger.roll_back();
                    model = committed;
                    break;
                case 2:
                    if (random() % 4 != 0) break;
                    ledger.disk.power_cut(seed);
                    ledger.reopen();
                    model = committed;
                    break;
                case 3: {
                    REQUIRE(ledger.store().move_cursor(folder.number, 7, uid).has_value());
                    model.cursors[at] = std::max(model.cursors[at], uid);
                    break;
                }
                case 4: {
                    const Seq seq = static_cast<Seq>(random() % (uids.size() + 2));
                    const auto done = ledger.store().acknowledge("consumer", folder.mailbox, seq);
                    const bool is_past_end = seq > static_cast<Seq>(uids.size());
                    CHECK(done.has_value() != is_past_end);
                    if (is_past_end) CHECK(done.error() == errc::out_of_order);
                    if (!is_past_end) model.acked[at] = std::max(model.acked[at], seq);
                    break;
                }
                default: {
                    const auto added = ledger.store().add_message(message_of(folder, uid));
                    REQUIRE(added.has_value());
                    const auto known = std::find(uids.begin(), uids.end(), uid);
                    CHECK(added->known_before == (known != uids.end()));
                    CHECK(added->seq == known - uids.begin() + 1);
                    if (known == uids.end()) uids.push_back(uid);
                }
            }
            for (std::size_t each = 0; each < folders.size(); ++each) {
                const auto all = ledger.store().messages(folders[each].mailbox, 0, 1000);
                REQUIRE(all.has_value());
                REQUIRE(all->size() == model.uids[each].size());
                for (std::size_t row = 0; row < all->size(); ++row) {
                    REQUIRE((*all)[row].uid == model.uids[each][row]);
                    REQUIRE((*all)[row].seq == static_cast<Seq>(row + 1));
                }
            }
            CHECK(ledger.store().folders(folder.mailbox)->front().cursor == model.cursors[at]);
            CHECK(*ledger.store().knows(folder.number, 7, uid) ==
                  (std::count(model.uids[at].begin(), model.uids[at].end(), uid) == 1));
            const auto waiting = ledger.store().hand_offs("consumer", Store::Which::waiting, 0, 2);
            REQUIRE(waiting.has_value());
            std::vector<MailboxNumber> expected;
            for (std::size_t each = 0; each < folders.size() && expected.size() < 2; ++each) {
                if (model.acked[each] < static_cast<Seq>(model.uids[each].size())) {
                    expected.push_back(folders[each].mailbox);
                }
            }
            REQUIRE(waiting->size() == expected.size());
            for (std::size_t each = 0; each < expected.size(); ++each) {
                CHECK((*waiting)[each].mailbox == expected[each]);
            }
            const auto totals = ledger.store().totals();
            REQUIRE(totals.has_value());
            CHECK(totals->messages == model.uids[0].size() + model.uids[1].size() + model.uids[2].size());
        }
    }
}

TEST_CASE("a commit is one write to the log and one sync, however many pages it has", "[store]") {
    using Call = SimulatedDisk::Call;
    Ledger ledger;
    const auto folder = new_folder(ledger.store(), "box");
    ledger.commit();
    const auto writes = ledger.disk.calls(Call::write), syncs = ledger.disk.calls(Call::sync);
    REQUIRE(ledger.store().add_message(message_of(folder, 1)).has_value());
    REQUIRE(ledger.store().put_meta("more", std::string(20'000, 'x')).has_value());
    ledger.commit();
    CHECK(ledger.disk.calls(Call::write) == writes + 1);
    CHECK(ledger.disk.calls(Call::sync) == syncs + 1);
}

TEST_CASE("a message comes back as it was stored, from the journal and from the tables", "[store]") {
    Ledger ledger;
    const Folder folder = new_folder(ledger.store(), "m");
    const Message stored = message_of(folder, 3);
    REQUIRE(ledger.store().add_message(stored).has_value());
    for (int round = 0; round < 2; ++round) {
        CAPTURE(round);
        const auto found = ledger.store().message_by_id(stored.id);
        REQUIRE(found.has_value());
        REQUIRE(found->has_value());
        const Message& message = **found;
        CHECK(message.seq == 1);
        CHECK(message.uid == 3);
        CHECK(message.uid_validity == 7);
        CHECK(message.id == stored.id);
        CHECK(message.fingerprint == stored.fingerprint);
        CHECK((message.internal_date == stored.internal_date));
        CHECK((message.received_at == stored.received_at));
        CHECK(message.body.segment == stored.body.segment);
        CHECK(message.body.offset == stored.body.offset);
        CHECK(message.body.length == stored.body.length);
        CHECK(message.body.crc32c == stored.body.crc32c);
        ledger.commit();
        ledger.reopen();  // moves the journal into the tables
    }
    CHECK_FALSE(ledger.store().message_by_id(Digest{9})->has_value());
}

TEST_CASE("a folder adopts its UIDVALIDITY once, and its cursor never moves back", "[store]") {
    Ledger ledger;
    const Folder folder = new_folder(ledger.store(), "m");
    CHECK(ledger.store().adopt_folder(folder.number, 8, 0).error() == errc::out_of_order);
    CHECK(ledger.store().move_cursor(folder.number, 8, 5).error() == errc::out_of_order);
    CHECK(ledger.store().move_cursor(folder.number, 7, 5).has_value());
    CHECK(ledger.store().move_cursor(folder.number, 7, 4).has_value());
    CHECK(ledger.store().folder(folder.mailbox, "INBOX")->cursor == 5);
    Folder unknown = folder;
    unknown.number = 99;
    CHECK(ledger.store().move_cursor(99, 7, 4).error() == errc::unknown_id);
    CHECK(ledger.store().folder(99, "INBOX").error() == errc::unknown_id);
    CHECK(ledger.store().add_message(message_of(unknown, 1)).error() == errc::unknown_id);
    REQUIRE(ledger.store().freeze_folder(folder.number, "UIDVALIDITY changed").has_value());
    ledger.commit();
    ledger.reopen();
    CHECK(ledger.store().folder(folder.mailbox, "INBOX")->frozen == "UIDVALIDITY changed");
    CHECK(ledger.store().folder(folder.mailbox, "INBOX")->cursor == 5);
}

TEST_CASE("a message that arrives is no longer pending", "[store]") {
    Ledger ledger;
    const Folder folder = new_folder(ledger.store(), "m");
    for (const std::uint32_t uid : {2U, 4U}) {
        const Pending pending{.folder = folder.number, .uid_validity = 7, .uid = uid, .attempts = 1, .reason = "NO"};
        REQUIRE(ledger.store().put_pending(pending).has_value());
    }
    ledger.commit();
    ledger.reopen();
    REQUIRE(ledger.store().add_message(message_of(folder, 2)).has_value());
    const auto left = ledger.store().pending(folder.number);
    REQUIRE(left->size() == 1);
    CHECK(left->front().uid == 4);
    CHECK(ledger.store().totals()->pending == 1);
}

TEST_CASE("a mailbox that was removed and put again keeps its number and its ledger", "[store]") {
    Ledger ledger;
    const Folder folder = new_folder(ledger.store(), "b");
    new_folder(ledger.store(), "a");
    REQUIRE(ledger.store().add_message(message_of(folder, 1)).has_value());
    REQUIRE(ledger.store().remove_mailbox("b").has_value());
    CHECK(ledger.store().mailboxes("", 10)->size() == 1);
    CHECK(ledger.store().mailbox("b")->removed);
    CHECK(*ledger.store().put_mailbox("b", "{\"again\":1}") == folder.mailbox);
    const auto all = ledger.store().mailboxes("", 10);
    REQUIRE(all->size() == 2);
    CHECK((*all)[0].id == "a");
    CHECK((*all)[1].last_seq == 1);
    CHECK((*all)[1].document == "{\"again\":1}");
    CHECK(ledger.store().mailboxes("a", 10)->size() == 1);
    REQUIRE(ledger.store().pause_mailbox("a", "on holiday").has_value());
    CHECK(ledger.store().mailbox("a")->paused == "on holiday");
    CHECK(ledger.store().pause_mailbox("none", "").error() == errc::unknown_id);
    CHECK(ledger.store().mailbox("none").error() == errc::unknown_id);
}

TEST_CASE("objects, secrets, grants and meta are replaced, found and removed, whatever their bytes", "[store]") {
    Ledger ledger;
    Store& store = ledger.store();
    const std::string bytes("\0'\xff;--", 6);
    REQUIRE(store.put_object({"provider", "p", "1"}).has_value());
    REQUIRE(store.put_object({"provider", "p", "2"}).has_value());
    REQUIRE(store.put_object({"consumer", "c", "3"}).has_value());
    REQUIRE(store.put_secret("owner", "password", bytes).has_value());
    REQUIRE(store.put_secret("owner", "token", "").has_value());
    REQUIRE(store.put_meta("name", bytes).has_value());
    for (const std::uint64_t generation : {1U, 2U}) {
        const Grant grant{
            .credential = "c", .generation = generation, .sealed = bytes, .state = "usable", .reason = ""};
        REQUIRE(store.put_grant(grant).has_value());
    }
    CHECK(store.objects("provider")->size() == 1);
    CHECK(store.objects("provider")->front().document == "2");
    CHECK(*store.secret("owner", "password") == bytes);
    CHECK(*store.secret("owner", "token") == "");
    CHECK_FALSE(store.secret("owner", "none")->has_value());
    CHECK(*store.meta("name") == bytes);
    CHECK((*store.grant("c"))->generation == 2);
    CHECK((*store.grant("c"))->sealed == bytes);
    CHECK_FALSE(store.grant("d")->has_value());
    REQUIRE(store.remove_secrets("owner").has_value());
    REQUIRE(store.remove_object("provider", "p").has_value());
    CHECK_FALSE(store.secret("owner", "password")->has_value());
    CHECK(store.objects("provider")->empty());
}

TEST_CASE("a segment is let go when every subscription has acknowledged what it holds, and not before", "[store]") {
    Ledger ledger;
    Store& store = ledger.store();
    const Folder first = new_folder(store, "first"), second = new_folder(store, "second");
    for (const auto* consumer : {"x", "y"}) REQUIRE(store.subscribe(consumer, first.mailbox).has_value());
    for (const auto& folder : {first, second}) {
        for (const std::uint32_t uid : {1U, 11U}) REQUIRE(store.add_message(message_of(folder, uid)).has_value());
    }
    const std::vector<std::uint64_t> sealed{1, 2};
    CHECK(store.release_segments(sealed)->empty());  // they are in the journal
    ledger.commit();
    REQUIRE(store.acknowledge("x", first.mailbox, 2).has_value());
    REQUIRE(store.acknowledge("y", first.mailbox, 1).has_value());
    CHECK(store.release_segments(sealed)->empty());  // the second mailbox has no subscription
    REQUIRE(store.subscribe("x", second.mailbox).has_value());
    REQUIRE(store.acknowledge("x", second.mailbox, 2).has_value());
    CHECK(*store.release_segments(sealed) == std::vector<std::uint64_t>{1});
    CHECK(store.totals()->body_bytes == 100);
    REQUIRE(store.subscribe("z", first.mailbox).has_value());  // begins behind what is gone
    CHECK(store.hand_offs("z", Store::Which::all, 0, 9)->front().acked == 1);
    REQUIRE(store.acknowledge("y", first.mailbox, 2).has_value());
    CHECK(store.release_segments({2})->empty());
    REQUIRE(store.unsubscribe("z", first.mailbox).has_value());
    CHECK(*store.release_segments({2}) == std::vector<std::uint64_t>{2});
    CHECK(store.totals()->body_bytes == 0);
    CHECK(store.acknowledge("none", first.mailbox, 1).error() == errc::unknown_id);
    CHECK(store.unsubscribe("z", first.mailbox).error() == errc::unknown_id);
}

TEST_CASE("a store of an older version opens as one of this version, with all that was in it", "[store][hostile-70]") {
    const std::string without_accounting =
        "DROP TABLE wanted_mail; DROP TABLE passed_over; DROP TABLE renumbering; DROP TABLE recognisable; DROP TABLE "
        "recognised; DROP TABLE possible_repeat;";
    const std::string without_listings = without_accounting + "DROP TABLE listed; DROP TABLE visit;";
    const std::string without_outbox =
        "DROP TABLE submission; DROP TABLE due; DROP TABLE attempt; DROP TABLE outbox_segment; DROP TABLE "
        "outbox_event;";
    const std::string without_notes =
        "DROP TABLE after_state; DROP TABLE copy_intent; DROP TABLE first_contact; DROP TABLE backfill;";
    const std::string without_shadows = "DROP TABLE shadow_folder; DROP TABLE shadow_mail; DROP TABLE email_id;";
    const std::string without_marks = without_shadows + "DROP TABLE message_mark;";
    const auto [version, gone] = GENERATE_COPY(table<int, std::string>(
        {{1, without_marks + without_notes + without_listings + without_outbox + "DROP TABLE set_aside;"},
         {2, without_marks + without_notes + without_listings + without_outbox},
         {3, without_marks + without_notes + without_listings},
         {4, without_marks + without_notes + without_accounting},
         {5, without_marks},
         {6, without_shadows},
         {7, "DROP TABLE email_id;"}}));
    CAPTURE(version);
    SystemDisk disk;
    TemporaryDirectory directory;
    const auto path = (directory.path() / "ledger.db").string();
    const auto user_version = [&path] {
        auto database = Database::open(path, "");
        REQUIRE(database.has_value());
        Statement statement(*database, "PRAGMA user_version");
        auto rows = statement.query();
        REQUIRE((rows.has_value() && *rows->next()));
        return rows->number(0);
    };
    {
        auto opened = open_store(disk, directory.path(), {});
        REQUIRE(opened.has_value());
        REQUIRE(opened->store->begin().has_value());
        REQUIRE(opened->store->put_meta("kept", "through it").has_value());
        REQUIRE(opened->store->commit().has_value());
    }
    CHECK(user_version() == 8);
    {
        auto database = Database::open(path, "");
        const std::string script = gone + "PRAGMA user_version = " + std::to_string(version);
        REQUIRE(database->run(script.c_str()).has_value());
    }
    {
        auto opened = open_store(disk, directory.path(), {});
        REQUIRE(opened.has_value());
        CHECK(*opened->store->meta("kept") == "through it");
        CHECK(opened->store->totals()->set_aside == 0);
        CHECK(opened->store->outbox().counts().value() == Outbox::Counts());
        CHECK(opened->store->shadows().mails(1, {}, 10)->empty());
    }
    CHECK(user_version() == 8);  // which the program that made it refuses: newer_format
}

TEST_CASE("a directory that holds something else is refused with its path, the reason and what to do",
          "[store][hostile-70]") {
    SystemDisk disk;
    TemporaryDirectory directory;
    OpenFailure failure;
    SECTION("another process has it open") {
        const auto first = open_store(disk, directory.path(), {});
        REQUIRE(first.has_value());
        CHECK(open_store(disk, directory.path(), {}, &failure).error() == errc::in_use);
        CHECK(failure.sentence.find("lock") != std::string::npos);
    }
    SECTION("no database") {
        const auto file = disk.open(directory.path() / "ledger.db", Disk::Mode::create);
        REQUIRE((*file)->write(std::string(4096, 'x'), 0).has_value());
        CHECK(open_store(disk, directory.path(), {}, &failure).error() == errc::not_a_store);
        CHECK(failure.sentence.find("ledger.db") != std::string::npos);
    }
    SECTION("another program's database, or a newer one") {
        auto database = Database::open((directory.path() / "ledger.db").string(), "");
        REQUIRE(database.has_value());
        const bool is_ours = GENERATE(false, true);
        REQUIRE(database->run("CREATE TABLE t (a); PRAGMA user_version = 99").has_value());
        if (is_ours) REQUIRE(database->run("PRAGMA application_id = 1383026803").has_value());
        const auto expected = is_ours ? errc::newer_format : errc::not_a_store;
        CHECK(open_store(disk, directory.path(), {}, &failure).error() == expected);
        CHECK(failure.reason == expected);
    }
    SECTION("segments whose ledger is lost") {
        REQUIRE(disk.make_directory(directory.path() / "segments").has_value());
        REQUIRE(disk.open(directory.path() / "segments" / "0000000000000001.seg", Disk::Mode::create).has_value());
        const bool is_empty = GENERATE(false, true);
        if (is_empty) REQUIRE(disk.open(directory.path() / "ledger.db", Disk::Mode::create).has_value());
        CHECK(open_store(disk, directory.path(), {}, &failure).error() == errc::not_a_store);
    }
}

TEST_CASE("a ledger that lacks a table or a column is damaged, wherever it is missed", "[store]") {
    Ledger ledger;
    new_folder(ledger.store(), "a");
    ledger.commit();
    ledger.opened = {};
    const std::string act = GENERATE("DROP TABLE journal", "DROP TABLE pending", "DROP TABLE message_id",
                                     "ALTER TABLE mailbox RENAME COLUMN paused TO p");
    CAPTURE(act);
    {
        const SqliteVfs vfs(ledger.disk);
        auto database = Database::open("/data/ledger.db", vfs.name());
        REQUIRE(database->run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL").has_value());
        REQUIRE(database->run(act.c_str()).has_value());
    }
    OpenFailure failure;
    CHECK(open_store(ledger.disk, "/data", {}, &failure).error() == errc::damaged);
    CHECK(failure.sentence.find("ledger.db") != std::string::npos);
}

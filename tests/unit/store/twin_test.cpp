#include <catch2/catch.hpp>

#include "queue/store/open.hpp"
#include "queue/store/sqlite.hpp"
#include "tests/support/directory.hpp"

using namespace store;

namespace {

/// A store on disk with two mailboxes.
struct Ledger {
    Ledger() {
        open();
        begin();
        first = *store().put_mailbox("first", "{}");
        second = *store().put_mailbox("second", "{}");
        inbox = folder(first, "INBOX");
        done = folder(first, "Done");
        other = folder(second, "INBOX");
        commit();
    }
    void open() {
        opened.reset();
        auto made = open_store(disk, directory.path(), {});
        REQUIRE(made.has_value());
        opened = std::make_unique<Opened>(std::move(*made));
    }
    FolderNumber folder(MailboxNumber mailbox, std::string_view name) {
        const auto number = store().folder(mailbox, name)->number;
        REQUIRE(store().adopt_folder(number, 7, 0).has_value());
        return number;
    }
    Store& store() { return *opened->store; }
    void begin() { REQUIRE(store().begin().has_value()); }
    void commit() { REQUIRE(store().commit().has_value()); }
    static Digest print(int number) {
        Digest digest{};
        digest[0] = static_cast<unsigned char>(number % 251);  // and the rest tells them apart
        digest[15] = static_cast<unsigned char>(number / 251);
        return digest;
    }
    Seq add(MailboxNumber mailbox, FolderNumber to, std::uint32_t uid, int number, std::uint32_t crc = 4711) {
        Message message;
        message.mailbox = mailbox;
        message.folder = to;
        message.uid_validity = 7;
        message.uid = uid;
        message.id = print(number);
        message.id[8] = static_cast<unsigned char>(to);
        message.id[9] = static_cast<unsigned char>(uid);
        message.fingerprint = print(number);
        message.body = {1, uid * 100ULL, 10, crc};
        const auto added = store().add_message(message);
        REQUIRE(added.has_value());
        return added->seq;
    }
    Seq twin(MailboxNumber mailbox, int number, std::uint64_t length = 10, std::uint32_t crc = 4711) {
        return store().twin_of(mailbox, print(number), length, crc).value();
    }

    SystemDisk disk;
    support::TemporaryDirectory directory;
    using Opened = std::remove_reference_t<decltype(*open_store(disk, "/data", {}))>;
    std::unique_ptr<Opened> opened;
    MailboxNumber first = 0, second = 0;
    FolderNumber inbox = 0, done = 0, other = 0;
};

}  // namespace

TEST_CASE("twin: the first message of the mailbox with this fingerprint and these bytes, wherever its row is",
          "[store]") {
    Ledger ledger;
    ledger.begin();
    CHECK(ledger.twin(ledger.first, 1) == 0);
    const auto seq = ledger.add(ledger.first, ledger.inbox, 1, 1);
    ledger.add(ledger.first, ledger.inbox, 2, 1);
    ledger.add(ledger.first, ledger.inbox, 3, 252);  // the same mark, another fingerprint
    const auto changed = ledger.add(ledger.first, ledger.inbox, 4, 1, 4712);
    const auto look = [&] {
        CHECK(ledger.twin(ledger.first, 1) == seq);
        CHECK(ledger.twin(ledger.first, 1, 10, 4712) == changed);
        CHECK(ledger.twin(ledger.first, 1, 11) == 0);
        CHECK(ledger.twin(ledger.first, 2) == 0);
        CHECK(ledger.twin(ledger.first, 252) == seq + 2);
        CHECK(ledger.twin(ledger.second, 1) == 0);
    };
    look();
    ledger.commit();
    look();
    ledger.open();  // what was in the journal is in the tables now
    ledger.begin();
    look();
    const auto later = ledger.add(ledger.first, ledger.inbox, 5, 9);
    CHECK(ledger.twin(ledger.first, 9) == later);
    ledger.store().rollback();
    ledger.begin();
    CHECK(ledger.twin(ledger.first, 9) == 0);
    ledger.commit();
}

TEST_CASE("twin: what was set aside is damaged here, so a copy of it is taken in", "[store]") {
    const bool merged = GENERATE(false, true);
    CAPTURE(merged);
    Ledger ledger;
    ledger.begin();
    REQUIRE(ledger.store().subscribe("tickets", ledger.first).has_value());
    const auto damaged = ledger.add(ledger.first, ledger.inbox, 1, 1);
    ledger.commit();
    if (merged) ledger.open();
    ledger.begin();
    SetAside what;
    what.consumer = "tickets";
    what.mailbox = ledger.first;
    what.seq = damaged;
    REQUIRE(ledger.store().set_aside(what).has_value());
    CHECK(ledger.twin(ledger.first, 1) == 0);
    const auto whole = ledger.add(ledger.first, ledger.done, 7, 1);
    CHECK(ledger.twin(ledger.first, 1) == whole);
    ledger.commit();
}

TEST_CASE("twin: a further place is known under its UID, is not pending any more, and outlives the store's merge",
          "[store]") {
    Ledger ledger;
    ledger.begin();
    const auto seq = ledger.add(ledger.first, ledger.inbox, 1, 1);
    REQUIRE(ledger.store().put_pending({ledger.done, 7, 40, 1, Millis{}, "not shown"}).has_value());
    REQUIRE(ledger.store().add_place(ledger.done, 7, 40, seq).has_value());
    ledger.commit();
    for (int round = 0; round < 2; ++round) {
        CHECK(ledger.store().knows(ledger.done, 7, 40).value());
        CHECK_FALSE(ledger.store().knows(ledger.done, 7, 41).value());
        CHECK(ledger.store().knows(ledger.inbox, 7, 1).value());
        CHECK(ledger.store().pending(ledger.done)->empty());
        const auto known = ledger.store().known_uids(ledger.done, 7, 0, 10);
        REQUIRE(known->size() == 1);
        CHECK((known->front().uid == 40 && known->front().seq == seq));
        CHECK(ledger.store().messages(ledger.first, 0, 10)->size() == 1);  // one message
        ledger.open();
    }
}

TEST_CASE("twin: a store of an older version knows its messages again", "[store][hostile-70]") {
    Ledger ledger;
    ledger.begin();
    const auto seq = ledger.add(ledger.first, ledger.inbox, 1, 1);
    ledger.commit();
    ledger.open();
    ledger.opened.reset();
    {
        auto database = Database::open((ledger.directory.path() / "ledger.db").string(), "");
        REQUIRE(
            database
                ->run("DROP TABLE message_mark; DROP TABLE shadow_folder; DROP TABLE shadow_mail; DROP TABLE email_id; "
                      "PRAGMA "
                      "user_version = 5")
                .has_value());
    }
    ledger.open();
    CHECK(ledger.twin(ledger.first, 1) == seq);
}

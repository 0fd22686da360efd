#include <catch2/catch.hpp>

#include "queue/store/open.hpp"
#include "tests/support/simulated_disk.hpp"

using namespace store;

namespace {

using Stage = Renumbering::Stage;

/// A store in memory with a mailbox and two of its folders, within an open transaction.
struct Books {
    Books() {
        open();
        begin();
        mailbox = *store().put_mailbox("box", "{}");
        folder = store().folder(mailbox, "INBOX")->number;
        other = store().folder(mailbox, "Other")->number;
        REQUIRE(store().adopt_folder(folder, 7, 0).has_value());
        REQUIRE(store().adopt_folder(other, 7, 0).has_value());
    }
    void open() {
        opened.reset();
        auto opened_store = open_store(disk, "/data", {});
        REQUIRE(opened_store.has_value());
        opened = std::make_unique<Opened>(std::move(*opened_store));
    }
    Store& store() { return *opened->store; }
    Accounting& accounting() { return store().accounting(); }
    void begin() { REQUIRE(store().begin().has_value()); }
    void commit() { REQUIRE(store().commit().has_value()); }
    void next_group() {
        commit();
        begin();
    }
    static Digest print(int number) {
        Digest digest{};
        digest[0] = static_cast<unsigned char>(number);
        return digest;
    }
    /// Its fingerprint is that of `number`.
    Seq add(FolderNumber to, std::uint32_t validity, std::uint32_t uid, int number) {
        Message message;
        message.mailbox = mailbox;
        message.folder = to;
        message.uid_validity = validity;
        message.uid = uid;
        message.id = print(number);
        message.id[1] = static_cast<unsigned char>(validity);
        message.fingerprint = print(number);
        message.body = {1, static_cast<std::uint64_t>(number) * 100, 10, 4711};
        const auto added = store().add_message(message);
        REQUIRE(added.has_value());
        return added->seq;
    }
    bool knows(std::uint32_t validity, std::uint32_t uid) { return store().knows(folder, validity, uid).value(); }
    Renumbering renumber(std::uint32_t now, int minute = 0) {
        Renumbering what;
        what.folder = folder;
        what.began = Millis(std::chrono::minutes(minute));
        what.before = store().folder(mailbox, "INBOX")->uid_validity;
        what.now = now;
        REQUIRE(store().renumber_folder(folder, now).has_value());
        REQUIRE(accounting().put_renumbering(what).has_value());
        next_group();
        return what;
    }
    void gather(Renumbering& what, std::size_t at_once = 1000) {
        while (what.stage == Stage::gathering) {
            REQUIRE(accounting().gather(what, mailbox, at_once).has_value());
            next_group();
        }
    }

    SimulatedDisk disk;
    using Opened = std::remove_reference_t<decltype(*open_store(disk, "/data", {}))>;
    std::unique_ptr<Opened> opened;
    MailboxNumber mailbox = 0;
    FolderNumber folder = 0;
    FolderNumber other = 0;
};

}  // namespace

TEST_CASE("accounting: a renumbered folder begins anew, durably, and nothing of its old numbers comes back",
          "[store]") {
    Books books;
    books.add(books.folder, 7, 5, 1);
    REQUIRE(books.store().move_cursor(books.folder, 7, 5).has_value());
    REQUIRE(books.store().freeze_folder(books.folder, "for some reason").has_value());
    Pending pending;
    pending.folder = books.folder;
    pending.uid_validity = 7;
    pending.uid = 6;
    pending.attempts = 1;
    REQUIRE(books.store().put_pending(pending).has_value());
    books.next_group();
    books.renumber(8);
    const auto check = [&books] {
        const auto folder = *books.store().folder(books.mailbox, "INBOX");
        CHECK(folder.uid_validity == 8);
        CHECK(folder.cursor == 0);
        CHECK(folder.frozen == "");
        CHECK(books.store().pending(books.folder)->empty());
        CHECK(books.knows(7, 5));
        CHECK_FALSE(books.knows(8, 5));
        CHECK(books.store().folder(books.mailbox, "Other")->uid_validity == 7);
    };
    check();
    books.commit();
    books.open();
    books.begin();
    check();
    CHECK(books.store().move_cursor(books.folder, 7, 9).error() == errc::out_of_order);
    REQUIRE(books.store().move_cursor(books.folder, 8, 3).has_value());
    books.next_group();
    CHECK(books.store().folder(books.mailbox, "INBOX")->cursor == 3);
}

TEST_CASE("accounting: a renumbering that is rolled back has not been", "[store]") {
    Books books;
    REQUIRE(books.store().move_cursor(books.folder, 7, 5).has_value());
    books.next_group();
    REQUIRE(books.store().renumber_folder(books.folder, 8).has_value());
    books.store().rollback();
    books.begin();
    const auto folder = *books.store().folder(books.mailbox, "INBOX");
    CHECK(folder.uid_validity == 7);
    CHECK(folder.cursor == 5);
}

TEST_CASE("accounting: what the ledger has of a folder is gathered in any steps, wherever it lies", "[store]") {
    const auto at_once = GENERATE(1U, 2U, 3U, 100U);
    const bool merged = GENERATE(false, true);
    CAPTURE(at_once, merged);
    Books books;
    for (int number = 1; number <= 5; ++number) books.add(books.folder, 7, static_cast<std::uint32_t>(number), number);
    books.add(books.other, 7, 1, 9);
    const auto copy = books.add(books.folder, 7, 8, 2);
    books.next_group();
    if (merged) {
        books.commit();
        books.open();
        books.begin();
    }
    auto what = books.renumber(8);
    books.gather(what, at_once);
    CHECK(*books.accounting().renumbering(books.folder).value() == what);
    CHECK(what.stage == Stage::comparing);
    for (const int number : {1, 3, 4, 5}) {
        const auto matches = *books.accounting().matches(books.folder, Books::print(number));
        CHECK(matches.open == std::vector<Seq>{number});
        CHECK(matches.taken == 0);
    }
    CHECK(books.accounting().matches(books.folder, Books::print(2))->open == std::vector<Seq>{2, copy});
    CHECK(books.accounting().matches(books.folder, Books::print(9))->open.empty());
}

TEST_CASE("accounting: a message that is recognised has both numbers, and is recognised once", "[store]") {
    Books books;
    books.add(books.folder, 7, 5, 1);
    books.add(books.folder, 7, 6, 2);
    books.next_group();
    auto what = books.renumber(8);
    books.gather(what);
    REQUIRE(books.accounting().recognise(books.folder, 8, 1, 1).has_value());
    const auto matches = *books.accounting().matches(books.folder, Books::print(1));
    CHECK(matches.open.empty());
    CHECK(matches.taken == 1);
    CHECK(books.knows(8, 1));
    CHECK(books.knows(7, 5));
    books.add(books.folder, 8, 3, 3);
    REQUIRE(books.accounting().pass_over(books.folder, 8, {4, 9}).has_value());
    REQUIRE(books.accounting().conclude(what).has_value());
    CHECK(what.recognised == 1);
    CHECK(what.fresh == 1);
    CHECK(what.passed_over == 6);
    books.next_group();
    CHECK(*books.accounting().renumbering(books.folder).value() == what);
    what.stage = Stage::over;
    REQUIRE(books.accounting().put_renumbering(what).has_value());
    CHECK(books.accounting().matches(books.folder, Books::print(2))->open.empty());
    CHECK(books.knows(8, 1));
    CHECK(*books.store().known_uids(books.folder, 8, 0, 10) == std::vector<KnownUid>{{3, 3}, {1, 1}});
    CHECK(books.store().is_acknowledged(books.folder, 8, 1).value() == false);
}

TEST_CASE("accounting: numbers that come back are not believed, whatever the journals still hold", "[store]") {
    Books books;
    books.add(books.folder, 7, 5, 1);
    books.commit();  // in the journal, not yet in the tables
    books.begin();
    auto away = books.renumber(8, 0);
    books.gather(away);
    auto back = books.renumber(7, 1);
    books.gather(back);
    CHECK_FALSE(books.knows(7, 5));
    REQUIRE(books.accounting().recognise(books.folder, 7, 9, 1).has_value());
    books.add(books.folder, 7, 5, 2);  // another message than it was
    books.next_group();
    books.commit();
    books.open();
    books.begin();
    CHECK(*books.store().known_uids(books.folder, 7, 0, 10) == std::vector<KnownUid>{{5, 2}, {9, 1}});
    CHECK(books.accounting().renumberings(books.folder, Millis(std::chrono::minutes(-1))).value() == 2);
    CHECK(books.accounting().renumberings(books.folder, Millis(std::chrono::minutes(0))).value() == 1);
}

TEST_CASE("accounting: what is passed over is as few spans as it can be", "[store]") {
    Books books;
    auto& accounting = books.accounting();
    for (const UidSpan span : {UidSpan{1, 5}, {6, 6}, {9, 9}, {3, 4}, {7, 7}, {10, 12}})
        REQUIRE(accounting.pass_over(books.folder, 7, span).has_value());
    CHECK(*accounting.passed_over(books.folder, 7) == std::vector<UidSpan>{{1, 7}, {9, 12}});
    CHECK(accounting.passed_over(books.folder, 8)->empty());
    CHECK(accounting.passed_over(books.other, 7)->empty());
    CHECK_FALSE(accounting.wanted_from(books.folder)->has_value());
    REQUIRE(accounting.put_wanted_from(books.folder, Millis(std::chrono::hours(5))).has_value());
    CHECK(*accounting.wanted_from(books.folder) == Millis(std::chrono::hours(5)));
}

TEST_CASE("accounting: possible repeats are marked one by one", "[store]") {
    Books books;
    for (const Seq seq : {3, 9, 3}) REQUIRE(books.accounting().mark_repeat(books.mailbox, seq).has_value());
    CHECK(*books.accounting().marked_repeats(books.mailbox, 1, 9) == std::vector<Seq>{3, 9});
    CHECK(*books.accounting().marked_repeats(books.mailbox, 4, 8) == std::vector<Seq>{});
    CHECK(books.accounting().marked_repeats(books.mailbox + 1, 1, 9)->empty());
}

TEST_CASE("accounting: a content is known by the id that its server gives it, the last message noted", "[store]") {
    Books books;
    const auto first = books.add(books.folder, 7, 1, 1);
    const auto second = books.add(books.other, 7, 1, 2);
    CHECK(books.accounting().seq_of_email_id(books.mailbox, "17").value() == 0);
    REQUIRE(books.accounting().note_email_id(books.mailbox, "17", first).has_value());
    REQUIRE(books.accounting().note_email_id(books.mailbox, "M-x", second).has_value());
    for (int round = 0; round < 2; ++round) {
        CHECK(books.accounting().seq_of_email_id(books.mailbox, "17").value() == first);
        CHECK(books.accounting().seq_of_email_id(books.mailbox, "M-x").value() == second);
        CHECK(books.accounting().seq_of_email_id(books.mailbox, "m-x").value() == 0);
        CHECK(books.accounting().seq_of_email_id(books.mailbox + 1, "17").value() == 0);
        books.commit();
        books.open();
        books.begin();
    }
    REQUIRE(books.store().subscribe("tickets", books.mailbox).has_value());
    REQUIRE(books.store().set_aside({"tickets", books.mailbox, first, {}, "damaged"}).has_value());
    CHECK(books.accounting().seq_of_email_id(books.mailbox, "17").value() == 0);
    REQUIRE(books.accounting().note_email_id(books.mailbox, "17", second).has_value());
    CHECK(books.accounting().seq_of_email_id(books.mailbox, "17").value() == second);
}

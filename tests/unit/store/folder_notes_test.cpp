#include "queue/store/folder_notes.hpp"

#include <catch2/catch.hpp>

#include "queue/store/open.hpp"
#include "tests/support/simulated_disk.hpp"

using namespace store;

namespace {

/// A store in memory with one mailbox and its folder, within an open transaction.
struct Shelf {
    Shelf() {
        open();
        mailbox = *store().put_mailbox("box", "{}");
        folder = store().folder(mailbox, "INBOX")->number;
    }
    void open() {
        auto opened_store = open_store(disk, "/data", {});
        REQUIRE(opened_store.has_value());
        opened = std::make_unique<Opened>(std::move(*opened_store));
        REQUIRE(store().begin().has_value());
    }
    void open_again() {
        REQUIRE(store().commit().has_value());
        opened.reset();
        open();
    }
    Store& store() { return *opened->store; }
    FolderNotes& notes() { return store().folder_notes(); }

    SimulatedDisk disk;
    using Opened = std::remove_reference_t<decltype(*open_store(disk, "/data", {}))>;
    std::unique_ptr<Opened> opened;
    MailboxNumber mailbox = 0;
    FolderNumber folder = 0;
};

Millis at(int seconds) { return Millis(std::chrono::seconds(1'700'000'000 + seconds)); }

}  // namespace

TEST_CASE("folder notes: each comes back as it was put, the last one counts, also after a restart", "[store][after]") {
    Shelf shelf;
    CHECK_FALSE(shelf.notes().after_state(shelf.folder).value());
    CHECK_FALSE(shelf.notes().copy_intent(shelf.folder).value());
    CHECK_FALSE(shelf.notes().first_contact(shelf.folder).value());
    CHECK_FALSE(shelf.notes().backfill(shelf.folder).value());

    AfterState state{shelf.folder, "delete", 7, "", 0, {}};
    REQUIRE(shelf.notes().put_after_state(state).has_value());
    state = {shelf.folder, "move:B\xc3\xbcro", 1LL << 40, "NO [NOPERM]", 4'000'000'000U, at(1)};
    REQUIRE(shelf.notes().put_after_state(state).has_value());
    CopyIntent intent{shelf.folder, 4'000'000'000U, "1:4,7", "Done", 9, 8, false};
    REQUIRE(shelf.notes().put_copy_intent(intent).has_value());
    intent.copied = true;
    REQUIRE(shelf.notes().put_copy_intent(intent).has_value());
    FirstContact contact{shelf.folder, at(2), 317, {}, 0};
    REQUIRE(shelf.notes().put_first_contact(contact).has_value());
    contact.oldest = at(-1000);
    contact.passed_over = 300;
    REQUIRE(shelf.notes().put_first_contact(contact).has_value());
    Backfill backfill{shelf.folder, at(-5000), Backfill::State::running, 0, 0, 0, 0, at(3), at(3)};
    REQUIRE(shelf.notes().put_backfill(backfill).has_value());
    backfill = {shelf.folder, at(-4000), Backfill::State::cancelled, 4'000'000'000U, 70, 60, 50, at(4), at(5)};
    REQUIRE(shelf.notes().put_backfill(backfill).has_value());

    shelf.open_again();
    CHECK(shelf.notes().after_state(shelf.folder).value() == state);
    CHECK(shelf.notes().copy_intent(shelf.folder).value() == intent);
    CHECK(shelf.notes().first_contact(shelf.folder).value() == contact);
    CHECK(shelf.notes().backfill(shelf.folder).value() == backfill);
    CHECK_FALSE(shelf.notes().after_state(shelf.folder + 1).value());
    REQUIRE(shelf.notes().remove_copy_intent(shelf.folder).has_value());
    CHECK_FALSE(shelf.notes().copy_intent(shelf.folder).value());
}

TEST_CASE("folder notes: folders whose mail is refused are counted", "[store][after]") {
    Shelf shelf;
    const auto other = shelf.store().folder(shelf.mailbox, "Archive")->number;
    CHECK(shelf.notes().parked_folders().value() == 0);
    REQUIRE(shelf.notes().put_after_state({shelf.folder, "delete", 1, "NO", 1, at(0)}).has_value());
    REQUIRE(shelf.notes().put_after_state({other, "delete", 1, "", 0, {}}).has_value());
    CHECK(shelf.notes().parked_folders().value() == 1);
}

TEST_CASE("folder notes: everybody who has to acknowledge is named, with how far they are", "[store][after]") {
    Shelf shelf;
    CHECK(shelf.notes().subscriptions(shelf.mailbox)->empty());
    REQUIRE(shelf.store().subscribe("b", shelf.mailbox).has_value());
    REQUIRE(shelf.store().subscribe("a", shelf.mailbox).has_value());
    const auto rows = shelf.notes().subscriptions(shelf.mailbox).value();
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].consumer == "a");
    CHECK(rows[1].consumer == "b");
    CHECK(rows[0].acked == 0);
}

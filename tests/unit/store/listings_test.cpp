#include <catch2/catch.hpp>

#include "queue/store/open.hpp"
#include "tests/support/simulated_disk.hpp"

using namespace store;

namespace {

/// A store in memory with one mailbox and its folder, within an open transaction.
struct Shelf {
    Shelf() {
        auto opened_store = open_store(disk, "/data", {});
        REQUIRE(opened_store.has_value());
        opened = std::make_unique<Opened>(std::move(*opened_store));
        begin();
        mailbox = *store().put_mailbox("box", "{}");
        folder = store().folder(mailbox, "INBOX (POP3)")->number;
        REQUIRE(store().adopt_folder(folder, 1, 0).has_value());
    }
    Store& store() { return *opened->store; }
    Listings& listings() { return store().listings(); }
    void begin() { REQUIRE(store().begin().has_value()); }
    void commit() { REQUIRE(store().commit().has_value()); }
    Listed row(std::string key, std::uint32_t uid = 1, Listed::Where where = Listed::Where::there) const {
        Listed listed;
        listed.folder = folder;
        listed.key = std::move(key);
        listed.uid = uid;
        listed.state = Listed::State::stored;
        listed.where = where;
        listed.bytes = 4711;
        listed.fingerprint.fill(static_cast<unsigned char>(uid));
        return listed;
    }
    void put(const Listed& listed) { REQUIRE(listings().put(listed).has_value()); }

    SimulatedDisk disk;
    using Opened = std::remove_reference_t<decltype(*open_store(disk, "/data", {}))>;
    std::unique_ptr<Opened> opened;
    MailboxNumber mailbox = 0;
    FolderNumber folder = 0;
};

}  // namespace

TEST_CASE("listings: a row comes back as it was put, the last one counts", "[store][pop3]") {
    Shelf shelf;
    const auto first = shelf.row("a");
    shelf.put(first);
    CHECK(shelf.listings().find(shelf.folder, "a").value() == first);
    auto changed = shelf.row("a", 7, Listed::Where::removed);
    changed.bytes = 1ULL << 40U;
    shelf.put(changed);
    CHECK(shelf.listings().find(shelf.folder, "a").value() == changed);
    CHECK_FALSE(shelf.listings().find(shelf.folder, "b").value());
    CHECK_FALSE(shelf.listings().find(shelf.folder + 1, "a").value());
}

TEST_CASE("listings: what is there comes in pages in order of key", "[store][pop3]") {
    Shelf shelf;
    for (const char* key : {"c", "a", "d", "b"}) shelf.put(shelf.row(key));
    shelf.put(shelf.row("aa", 2, Listed::Where::gone));
    shelf.put(shelf.row("ab", 3, Listed::Where::removed));
    const auto first = shelf.listings().there(shelf.folder, "", 2).value();
    REQUIRE(first.size() == 2);
    CHECK(first[0].key == "a");
    CHECK(first[1].key == "b");
    const auto rest = shelf.listings().there(shelf.folder, "b", 10).value();
    REQUIRE(rest.size() == 2);
    CHECK(rest[1].key == "d");
}

TEST_CASE("listings: what is gone is found by its fingerprint, unless we removed it", "[store][pop3]") {
    Shelf shelf;
    shelf.put(shelf.row("there", 1));
    shelf.put(shelf.row("gone", 2, Listed::Where::gone));
    shelf.put(shelf.row("removed", 3, Listed::Where::removed));
    CHECK_FALSE(shelf.listings().gone_with(shelf.folder, shelf.row("", 1).fingerprint).value());
    CHECK(shelf.listings().gone_with(shelf.folder, shelf.row("", 2).fingerprint).value()->key == "gone");
    CHECK_FALSE(shelf.listings().gone_with(shelf.folder, shelf.row("", 3).fingerprint).value());
}

TEST_CASE("listings: a key is renamed over whatever the new one had", "[store][pop3]") {
    Shelf shelf;
    shelf.put(shelf.row("old", 1));
    shelf.put(shelf.row("new", 2, Listed::Where::gone));
    REQUIRE(shelf.listings().rename(shelf.folder, "old", "new").has_value());
    CHECK_FALSE(shelf.listings().find(shelf.folder, "old").value());
    CHECK(shelf.listings().find(shelf.folder, "new").value()->uid == 1);
    CHECK(shelf.listings().rename(shelf.folder, "old", "x").error() == errc::unknown_id);
}

TEST_CASE("listings: schedule and rows go and come with their transaction", "[store][pop3]") {
    Shelf shelf;
    const Visit visit{Millis(std::chrono::seconds(5)), Millis(std::chrono::seconds(3)), std::chrono::minutes(2)};
    CHECK_FALSE(shelf.listings().visit(shelf.folder).value());
    REQUIRE(shelf.listings().put_visit(shelf.folder, {}).has_value());
    REQUIRE(shelf.listings().put_visit(shelf.folder, visit).has_value());
    shelf.put(shelf.row("kept"));
    shelf.commit();
    shelf.begin();
    shelf.put(shelf.row("lost"));
    REQUIRE(shelf.listings().put_visit(shelf.folder, {}).has_value());
    shelf.store().rollback();
    shelf.begin();
    CHECK(shelf.listings().visit(shelf.folder).value() == visit);
    CHECK(shelf.listings().find(shelf.folder, "kept").value());
    CHECK_FALSE(shelf.listings().find(shelf.folder, "lost").value());
    shelf.commit();
}

TEST_CASE("ledger: a message is acknowledged when every subscription says so, there is one, and none has set it aside",
          "[store][pop3]") {
    Shelf shelf;
    Message message;
    message.mailbox = shelf.mailbox;
    message.folder = shelf.folder;
    message.uid_validity = 1;
    message.uid = 1;
    message.body.segment = 1;
    REQUIRE(shelf.store().add_message(message).has_value());
    const auto acknowledged = [&shelf] { return shelf.store().is_acknowledged(shelf.folder, 1, 1).value(); };
    CHECK_FALSE(acknowledged());
    CHECK(shelf.store().acknowledged(shelf.mailbox).value() == 0);
    REQUIRE(shelf.store().subscribe("x", shelf.mailbox).has_value());
    REQUIRE(shelf.store().subscribe("y", shelf.mailbox).has_value());
    CHECK_FALSE(acknowledged());
    REQUIRE(shelf.store().acknowledge("x", shelf.mailbox, 1).has_value());
    CHECK_FALSE(acknowledged());
    CHECK(shelf.store().acknowledged(shelf.mailbox).value() == 0);
    REQUIRE(shelf.store().acknowledge("y", shelf.mailbox, 1).has_value());
    CHECK(acknowledged());
    CHECK(shelf.store().acknowledged(shelf.mailbox).value() == 1);
    CHECK_FALSE(shelf.store().is_acknowledged(shelf.folder, 1, 2).value());
    const auto found = shelf.store().message_at(shelf.folder, 1, 1).value();
    REQUIRE(found);
    CHECK(found->seq == 1);
    CHECK(found->uid == 1);
    CHECK_FALSE(shelf.store().message_at(shelf.folder, 1, 2).value());
    CHECK_FALSE(shelf.store().message_at(shelf.folder, 2, 1).value());
    REQUIRE(shelf.store()
                .set_aside({.consumer = "x", .mailbox = shelf.mailbox, .seq = 1, .at = {}, .reason = "damaged"})
                .has_value());
    CHECK_FALSE(acknowledged());  // what is set aside has its only whole copy on the server
    shelf.commit();
}

TEST_CASE("bodies: one that was opened for more ends where it was written to", "[store][pop3]") {
    Shelf shelf;
    auto& bodies = *shelf.opened->bodies;
    const std::string text(1000, 'x');
    const auto stream = bodies.open(5000);
    REQUIRE(stream.has_value());
    REQUIRE(bodies.write(*stream, text).has_value());
    const auto place = bodies.finish_early(*stream);
    REQUIRE(place.has_value());
    CHECK(place->length == 1000);
    const auto next = bodies.append("behind it");
    REQUIRE(next.has_value());
    REQUIRE(bodies.sync().has_value());
    CHECK(bodies.read(*place, 0, 1000).value() == text);
    CHECK(bodies.read(*next, 0, 9).value() == "behind it");
    shelf.commit();
}

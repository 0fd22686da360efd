#include "queue/store/shadows.hpp"

#include <catch2/catch.hpp>

#include "queue/store/open.hpp"
#include "tests/support/simulated_disk.hpp"

using namespace store;

namespace {

Millis at(std::int64_t seconds) { return Millis(std::chrono::seconds(1'700'000'000 + seconds)); }

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
    Shadows& shadows() { return store().shadows(); }

    [[nodiscard]] ShadowMail mail(std::uint32_t uid, std::int64_t arrived) const {
        ShadowMail mail;
        mail.mailbox = mailbox;
        mail.folder = folder;
        mail.uid_validity = 4'000'000'000U;
        mail.uid = uid;
        mail.fingerprint = {static_cast<unsigned char>(uid)};
        mail.message_id = "id" + std::to_string(uid) + "@sim.test";
        mail.bytes = 1ULL << 33U;
        mail.internal_date = at(arrived - 1);
        mail.arrived_at = at(arrived);
        mail.first_seen = at(arrived + 1);
        return mail;
    }
    std::int64_t add(const ShadowMail& mail) { return *shadows().add(mail); }
    std::vector<std::uint32_t> uids(const Shadows::Place& after = {}, std::size_t limit = 100) {
        std::vector<std::uint32_t> found;
        for (const auto& mail : *shadows().mails(mailbox, after, limit)) found.push_back(mail.uid);
        return found;
    }

    SimulatedDisk disk;
    using Opened = std::remove_reference_t<decltype(*open_store(disk, "/data", {}))>;
    std::unique_ptr<Opened> opened;
    MailboxNumber mailbox = 0;
    FolderNumber folder = 0;
};

}  // namespace

TEST_CASE("shadows: folders and mails come back as they were put, also after a restart", "[store][shadow]") {
    Shelf shelf;
    CHECK_FALSE(shelf.shadows().folder(shelf.folder).value());
    ShadowFolder folder{shelf.folder, shelf.mailbox, 4'000'000'000U, 3,        4'000'000'001U, 5,
                        true,         at(0),         at(9),          1U << 31U};
    REQUIRE(shelf.shadows().put_folder(folder).has_value());
    folder.cursor = 7;
    folder.compares = false;
    REQUIRE(shelf.shadows().put_folder(folder).has_value());
    auto mail = shelf.mail(4'000'000'000U, 10);
    mail.again = true;
    mail.number = shelf.add(mail);
    auto other = shelf.mail(5, 20);
    other.message_id.clear();
    other.number = shelf.add(other);
    CHECK(other.number != mail.number);
    mail.seen = ShadowEvent{at(11), at(12)};
    REQUIRE(shelf.shadows().put_seen(mail.number, *mail.seen).has_value());
    mail.gone = ShadowEvent{at(13), at(14)};
    REQUIRE(shelf.shadows().put_gone(mail.number, mail.gone).has_value());

    shelf.open_again();
    CHECK(shelf.shadows().folder(shelf.folder).value() == folder);
    CHECK(shelf.shadows().folders(shelf.mailbox).value() == std::vector{folder});
    CHECK(shelf.shadows().folders(shelf.mailbox + 1)->empty());
    CHECK(shelf.shadows().find(shelf.folder, 4'000'000'000U, 4'000'000'000U).value() == mail);
    CHECK(shelf.shadows().find(shelf.folder, 4'000'000'000U, 5).value() == other);
    CHECK_FALSE(shelf.shadows().find(shelf.folder, 1, 5).value());
    REQUIRE(shelf.shadows().put_gone(mail.number, std::nullopt).has_value());
    CHECK_FALSE(shelf.shadows().find(shelf.folder, 4'000'000'000U, 4'000'000'000U).value()->gone);
    REQUIRE(shelf.shadows().renumber(mail.number, 9, 1).has_value());
    CHECK(shelf.shadows().find(shelf.folder, 9, 1).value()->number == mail.number);
}

TEST_CASE("shadows: those that look alike are found in their mailbox alone", "[store][shadow]") {
    Shelf shelf;
    auto first = shelf.mail(1, 1), second = shelf.mail(2, 2);
    second.fingerprint = first.fingerprint;
    const auto number = shelf.add(first);
    shelf.add(second);
    const auto alike = shelf.shadows().alike(shelf.mailbox, first.fingerprint, 10).value();
    REQUIRE(alike.size() == 2);
    CHECK(alike[0].number == number);
    CHECK(shelf.shadows().alike(shelf.mailbox, first.fingerprint, 1)->size() == 1);
    CHECK(shelf.shadows().alike(shelf.mailbox + 1, first.fingerprint, 10)->empty());
}

TEST_CASE("shadows: what is there is listed in order, page by page, without what is gone", "[store][shadow]") {
    Shelf shelf;
    for (const std::uint32_t uid : {3U, 1U, 2U, 4U}) shelf.add(shelf.mail(uid, uid));
    auto gone = shelf.mail(5, 5);
    gone.gone = ShadowEvent{at(6), at(7)};
    shelf.add(gone);
    auto seen = shelf.mail(6, 6);
    seen.seen = ShadowEvent{at(6), at(7)};
    shelf.add(seen);
    const auto page = shelf.shadows().there(shelf.folder, 4'000'000'000U, 1, 3).value();
    REQUIRE(page.size() == 3);
    CHECK(page[0].uid == 2);
    CHECK_FALSE(page[2].seen);
    const auto rest = shelf.shadows().there(shelf.folder, 4'000'000'000U, 4, 3).value();
    REQUIRE(rest.size() == 1);
    CHECK(rest[0].uid == 6);
    CHECK(rest[0].seen);
    CHECK(shelf.shadows().there(shelf.folder, 1, 0, 3)->empty());
}

TEST_CASE("shadows: mails come in the order of their arrival, and those of the same instant once each",
          "[store][shadow]") {
    Shelf shelf;
    for (const auto& [uid, arrived] : {std::pair{1U, 5}, {2U, 3}, {3U, 3}, {4U, 3}, {5U, 9}})
        shelf.add(shelf.mail(uid, arrived));
    CHECK(shelf.uids() == std::vector<std::uint32_t>{2, 3, 4, 1, 5});
    const auto page = shelf.shadows().mails(shelf.mailbox, {}, 2).value();
    CHECK(shelf.uids({page.back().arrived_at, page.back().number}) == std::vector<std::uint32_t>{4, 1, 5});
}

TEST_CASE("shadows: what is not taken is counted by what counts as taken, and when the next one is due",
          "[store][shadow]") {
    Shelf shelf;
    shelf.add(shelf.mail(1, 10));
    auto seen = shelf.mail(2, 20);
    seen.seen = ShadowEvent{at(20), at(21)};
    shelf.add(seen);
    auto gone = shelf.mail(3, 30);
    gone.gone = ShadowEvent{at(30), at(31)};
    shelf.add(gone);
    auto moved = shelf.mail(4, 35);
    moved.again = true;
    shelf.add(moved);
    shelf.add(shelf.mail(5, 40));
    using Taken = Shadows::Taken;
    auto& shadows = shelf.shadows();
    CHECK(shadows.not_taken(shelf.folder, Taken::seen, at(9)).value() == 0);
    CHECK(shadows.not_taken(shelf.folder, Taken::seen, at(10)).value() == 1);
    CHECK(shadows.not_taken(shelf.folder, Taken::seen, at(99)).value() == 2);
    CHECK(shadows.not_taken(shelf.folder, Taken::removed, at(99)).value() == 3);
    CHECK(shadows.not_taken(shelf.folder + 1, Taken::removed, at(99)).value() == 0);
    CHECK(shadows.next_not_taken(shelf.folder, Taken::seen, at(10)).value() == at(40));
    CHECK(shadows.next_not_taken(shelf.folder, Taken::removed, at(10)).value() == at(20));
    CHECK_FALSE(shadows.next_not_taken(shelf.folder, Taken::removed, at(40)).value());
    CHECK(shadows.oldest_there(shelf.folder).value() == at(9));
}

TEST_CASE("shadows: what is old is forgotten a piece at a time, and never observed again", "[store][shadow]") {
    Shelf shelf;
    REQUIRE(
        shelf.shadows()
            .put_folder({.folder = shelf.folder, .mailbox = shelf.mailbox, .uid_validity = 4'000'000'000U, .floor = 1})
            .has_value());
    for (std::uint32_t uid = 2; uid < 8; ++uid) shelf.add(shelf.mail(uid, uid));
    auto of_another_life = shelf.mail(900, 2);
    of_another_life.uid_validity = 1;
    shelf.add(of_another_life);
    auto of_another_mailbox = shelf.mail(1, 1);
    of_another_mailbox.mailbox = shelf.mailbox + 1;
    of_another_mailbox.folder = shelf.folder + 1;
    shelf.add(of_another_mailbox);
    CHECK(shelf.shadows().forget(shelf.mailbox, at(5), 2).value() == 2);
    CHECK(shelf.shadows().forget(shelf.mailbox, at(5), 100).value() == 2);
    CHECK(shelf.shadows().forget(shelf.mailbox, at(5), 100).value() == 0);
    CHECK(shelf.uids() == std::vector<std::uint32_t>{5, 6, 7});
    CHECK(shelf.shadows().folder(shelf.folder).value()->floor == 4);
    CHECK(shelf.shadows().mails(shelf.mailbox + 1, {}, 10)->size() == 1);
}

TEST_CASE("shadows: with its UIDVALIDITY goes what was not recognised under the new one", "[store][shadow]") {
    Shelf shelf;
    const auto lost = shelf.add(shelf.mail(1, 1));
    auto kept = shelf.mail(2, 2);
    kept.uid_validity = 9;
    shelf.add(kept);
    auto gone = shelf.mail(3, 3);
    gone.gone = ShadowEvent{at(3), at(4)};
    shelf.add(gone);
    CHECK(shelf.shadows().lose_others(shelf.folder, 9, {at(10), at(11)}).value() == 1);
    CHECK(shelf.shadows().lose_others(shelf.folder, 9, {at(12), at(13)}).value() == 0);
    for (const auto& mail : *shelf.shadows().mails(shelf.mailbox, {}, 10)) {
        if (mail.number == lost) CHECK(mail.gone == ShadowEvent{at(10), at(11)});
        if (mail.uid == 2) CHECK_FALSE(mail.gone);
        if (mail.uid == 3) CHECK(mail.gone == ShadowEvent{at(3), at(4)});
    }
}

// A folder whose UIDVALIDITY changes: what the ledger has is recognised by its heads, and the rest is fetched.

#include <set>

#include "engine/retriever/fingerprint.hpp"
#include "tests/unit/retriever/folder_desk.hpp"

using namespace folder_desk;

namespace {

/// A mail of that name; without its Message-ID nothing proves that it is the same as another.
struct Mail {
    std::string name;
    std::string body = "hello\r\n";
    std::string date = "02-Nov-2023 10:00:00 +0000";
    std::string id = "<" + name + "@there.test>";

    [[nodiscard]] std::string fields() const {
        const auto line = id.empty() ? std::string() : "Message-ID: " + id + "\r\n";
        return line + "Subject: " + name + "\r\nFrom: a@there.test\r\n";
    }
};

Mail nameless(std::string name, std::string body = "hello\r\n") {
    Mail mail{.name = std::move(name)};
    mail.body = std::move(body);
    mail.id.clear();
    return mail;
}

std::string answer(std::uint32_t uid, const Mail& mail, const std::string& section, const std::string& bytes) {
    return "* " + std::to_string(uid) + " FETCH (UID " + std::to_string(uid) + " INTERNALDATE \"" + mail.date +
           "\" BODY[" + section + "] {" + std::to_string(bytes.size()) + "}\r\n" + bytes + ")\r\n";
}
std::string whole(std::uint32_t uid, const Mail& mail) {
    return answer(uid, mail, "", "Received: by here\r\nTo: b@here.test\r\n" + mail.fields() + "\r\n" + mail.body);
}
/// Without a Received: as HEADER.FIELDS leaves a field out that is not there.
std::string whole_unproved(std::uint32_t uid, const Mail& mail) {
    return answer(uid, mail, "", "To: b@here.test\r\n" + mail.fields() + "\r\n" + mail.body);
}
const std::string section = "HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT RECEIVED)";
std::string head(std::uint32_t uid, const Mail& mail) {
    const std::string received = mail.id.empty() ? "" : "Received: by here\r\n";
    return answer(uid, mail, section, received + mail.fields() + "\r\n");
}
Turn heads_of(int tag, const std::string& set) {
    return client("R" + std::to_string(tag) + " UID FETCH " + set + " (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[" +
                  section + "])\r\n");
}

const Mail a{.name = "a"}, b{.name = "b"}, c{.name = "c"}, d{.name = "d"};

struct Ledger {
    Desk desk;
    store::Renumbering renumbering() {
        const auto found = desk.commit([folder = desk.folder().number](store::Workbench bench) {
            return bench.store.accounting().renumbering(folder);
        });
        REQUIRE((found.has_value() && found->has_value()));
        return **found;
    }
    bool knows(std::uint32_t validity, std::uint32_t uid) {
        const auto look_up = [folder = desk.folder().number, validity, uid](store::Workbench bench) -> Result<int> {
            const auto known = bench.store.knows(folder, validity, uid);
            if (!known) return known.error();
            return *known ? 1 : 0;
        };
        return *desk.commit(look_up) == 1;
    }
    std::vector<store::Seq> marked() {
        return *desk.commit([mailbox = desk.mailbox](store::Workbench bench) {
            return bench.store.accounting().marked_repeats(mailbox, 0, 1000);
        });
    }
    /// Takes a, b and c as UIDs 5, 6 and 7 of UIDVALIDITY 7.
    void begin() {
        const auto said = desk.connect({search(2, 1), found(2, "5 6 7"), fetch_of(3, "5:7"),
                                        server(whole(5, a) + whole(6, b) + whole(7, c)), done(3)},
                                       8, 3);
        check(said);
        REQUIRE(stored() == 3);
    }
    void check(const Desk::Said& said) {
        CHECK_FALSE(said.opened);
        CHECK_FALSE(said.taken.ended);
        CHECK(said.surprise == "");
        CHECK(said.finished);
    }
    std::size_t stored() { return desk.stored().size(); }
};

}  // namespace

TEST_CASE("renumbered folder: what the ledger has is recognised by its heads, what is new is fetched",
          "[retriever][hostile-36]") {
    Ledger ledger;
    ledger.begin();
    // b is gone, d is new, and 5 is another message than it was.
    const auto said = ledger.desk.connect(
        {search(2, 1), found(2, "4 5 6"), heads_of(3, "4:6"), server(head(4, a) + head(5, c) + head(6, d)), done(3),
         fetch_of(4, "6"), server(whole(6, d)), done(4)},
        7, 3, 8);
    ledger.check(said);
    CHECK(ledger.desk.stored() == std::vector<std::uint32_t>{5, 6, 7, 6});
    CHECK(ledger.desk.folder().uid_validity == 8);
    CHECK(ledger.desk.folder().cursor == 6);
    CHECK(ledger.desk.folder().frozen == "");
    CHECK(ledger.knows(8, 4));
    CHECK(ledger.knows(8, 5));
    CHECK(ledger.knows(8, 6));
    CHECK_FALSE(ledger.knows(8, 7));
    CHECK(ledger.marked().empty());
    const auto outcome = ledger.renumbering();
    CHECK(outcome.stage == store::Renumbering::Stage::compared);
    CHECK(outcome_of(outcome) == "UIDVALIDITY changed from 7 to 8: 2 messages recognised, 1 new");

    // From here on it is a folder as any other; for an hour, new mail shows its head first.
    const Mail e{.name = "e"};
    ledger.desk.clock.jumped = std::chrono::minutes(61);
    const auto e_comes =
        ledger.desk.connect({search_of(2, "UID 1:3,7:*"), found(2, "7"), heads_of(3, "7"), server(head(7, e)), done(3),
                             fetch_of(4, "7"), server(whole(7, e)), done(4)},
                            8, 4, 8);
    ledger.check(e_comes);
    CHECK(ledger.stored() == 5);
    CHECK(ledger.renumbering().stage == store::Renumbering::Stage::compared);
    const Mail f{.name = "f"};
    const auto later =
        ledger.desk.connect({search(2, 8), found(2, "8"), fetch_of(3, "8"), server(whole(8, f)), done(3)}, 9, 5, 8);
    ledger.check(later);
    CHECK(ledger.stored() == 6);
    CHECK(ledger.renumbering().stage == store::Renumbering::Stage::over);
}

TEST_CASE("renumbered folder: cut off anywhere, the next connection goes on, and nothing is lost or doubled",
          "[retriever][hostile-36][hostile-38]") {
    const std::vector<Turn> answers{server(head(1, a) + head(2, d)), server(head(3, b) + head(4, c)), done(3)};
    const auto kept = GENERATE(0U, 1U, 2U, 3U);
    const bool body_lost = GENERATE(false, true);
    CAPTURE(kept, body_lost);
    Ledger ledger;
    ledger.begin();
    std::vector<Turn> turns{search(2, 1), found(2, "1 2 3 4"), heads_of(3, "1:4")};
    turns.insert(turns.end(), answers.begin(), answers.begin() + kept);
    if (kept == 3) turns.push_back(fetch_of(4, "2"));
    if (kept == 3 && !body_lost) turns.push_back(server(whole(2, d)));
    const auto cut = ledger.desk.connect(std::move(turns), 5, 4, 8);
    REQUIRE(cut.taken.ended);
    CHECK(ledger.desk.folder().uid_validity == 8);
    // What was recognised behind the cursor is known by its number, and takes nobody else's place.
    const bool d_is_there = kept == 3 && !body_lost;
    const auto through = kept < 3 ? 0U : d_is_there ? 2U : 1U;
    CHECK(ledger.desk.folder().cursor == through);
    const auto first = std::to_string(through + 1);
    std::string heads;
    if (through < 1) heads += head(1, a);
    if (through < 2) heads += head(2, d);
    heads += head(3, b) + head(4, c);
    std::vector<Turn> rest{search(2, static_cast<int>(through) + 1), found(2, "1 2 3 4"), heads_of(3, first + ":4"),
                           server(heads), done(3)};
    if (!d_is_there) rest.insert(rest.end(), {fetch_of(4, "2"), server(whole(2, d)), done(4)});
    const auto next = ledger.desk.connect(std::move(rest), 5, 4, 8);
    ledger.check(next);
    CHECK(ledger.stored() == 4);
    CHECK(ledger.desk.folder().cursor == 4);
    CHECK(outcome_of(ledger.renumbering()) == "UIDVALIDITY changed from 7 to 8: 3 messages recognised, 1 new");
}

TEST_CASE("renumbered folder: a second change in the middle is survived", "[retriever][hostile-36]") {
    Ledger ledger;
    ledger.begin();
    const auto cut = ledger.desk.connect(
        {search(2, 1), found(2, "1 2 3 4"), heads_of(3, "1:4"),
         server(head(1, d) + head(2, a) + head(3, b) + head(4, c)), done(3), fetch_of(4, "1"), server(whole(1, d))},
        5, 4, 8);
    REQUIRE(cut.taken.ended);
    CHECK(ledger.stored() == 4);
    ledger.desk.clock.pass(std::chrono::minutes(1));
    const auto validity = GENERATE(9U, 7U);  // another one, or the first again
    const auto next = ledger.desk.connect({search(2, 1), found(2, "5 6 7 8"), heads_of(3, "5:8"),
                                           server(head(5, d) + head(6, c) + head(7, b) + head(8, a)), done(3)},
                                          9, 4, validity);
    ledger.check(next);
    CHECK(ledger.stored() == 4);
    CHECK(ledger.desk.folder().cursor == 8);
    CHECK(ledger.renumbering().recognised == 4);
    CHECK(ledger.renumbering().fresh == 0);
}

TEST_CASE("renumbered folder: a number that comes back stands for what it stands for now", "[retriever][hostile-36]") {
    Ledger ledger;
    ledger.begin();
    const auto away =
        ledger.desk.connect({search(2, 1), found(2, "1"), heads_of(3, "1"), server(head(1, a)), done(3)}, 2, 1, 8);
    ledger.check(away);
    ledger.desk.clock.pass(std::chrono::minutes(1));
    // UIDVALIDITY 7 again, as from a backup: 6 was b, and is d now.
    const auto back =
        ledger.desk.connect({search(2, 1), found(2, "5 6"), heads_of(3, "5:6"), server(head(5, a) + head(6, d)),
                             done(3), fetch_of(4, "6"), server(whole(6, d)), done(4)},
                            7, 2, 7);
    ledger.check(back);
    CHECK(ledger.stored() == 4);
    std::set<store::Digest> ids;
    const auto rows = ledger.desk.commit(
        [mailbox = ledger.desk.mailbox](store::Workbench bench) { return bench.store.messages(mailbox, 0, 10); });
    for (const auto& row : *rows) ids.insert(row.id);
    CHECK(ids.size() == 4);  // consumers tell messages apart by them
    CHECK(holds(ledger.desk.body_of(6), "Subject: b"));
}

TEST_CASE("renumbered folder: more copies than the ledger has are handed off once too much, and marked so",
          "[retriever]") {
    auto made_anew = a;
    made_anew.body = "hello, as the server makes it today\r\n";
    Ledger ledger;
    ledger.begin();
    const auto said = ledger.desk.connect(
        {search(2, 1), found(2, "1 2 3"), heads_of(3, "1:3"), server(head(1, a) + head(2, a) + head(3, b)), done(3),
         fetch_of(4, "2"), server(whole(2, made_anew)), done(4)},
        4, 3, 8);
    ledger.check(said);
    CHECK(ledger.stored() == 4);
    CHECK(ledger.marked() == std::vector<store::Seq>{4});
}

TEST_CASE("renumbered folder: a copy that is the same byte for byte is that message", "[retriever]") {
    Ledger ledger;
    ledger.begin();
    const auto said = ledger.desk.connect(
        {search(2, 1), found(2, "1 2 3"), heads_of(3, "1:3"), server(head(1, a) + head(2, a) + head(3, b)), done(3),
         fetch_of(4, "2"), server(whole(2, a)), done(4)},
        4, 3, 8);
    ledger.check(said);
    CHECK(ledger.stored() == 3);
    CHECK(ledger.knows(8, 2));
    CHECK(ledger.marked().empty());
}

TEST_CASE("renumbered folder: where nothing proves that two are the same, their bytes decide", "[retriever]") {
    const auto x = nameless("x"), other = nameless("x", "other\r\n");
    Ledger ledger;
    const auto first = ledger.desk.connect(
        {search(2, 1), found(2, "1"), fetch_of(3, "1"), server(whole_unproved(1, x)), done(3)}, 2, 1);
    ledger.check(first);
    const auto said = ledger.desk.connect(
        {search(2, 1), found(2, "1 2"), heads_of(3, "1:2"), server(head(1, other) + head(2, x)), done(3),
         fetch_of(4, "1:2"), server(whole_unproved(1, other) + whole_unproved(2, x)), done(4)},
        3, 2, 8);
    ledger.check(said);
    CHECK(ledger.stored() == 2);
    CHECK(holds(ledger.desk.body_of(1), "hello"));
    CHECK(ledger.marked() == std::vector<store::Seq>{2});
    CHECK(ledger.knows(8, 1));
    CHECK(ledger.knows(8, 2));
}

TEST_CASE("renumbered folder: a mail without any such field is recognised when it has been fetched", "[retriever]") {
    const std::string bare = "X: 1\r\n\r\nno name, no date\r\n";
    const Mail nobody{.name = ""};
    Ledger ledger;
    const auto first = ledger.desk.connect(
        {search(2, 1), found(2, "1"), fetch_of(3, "1"), server(answer(1, nobody, "", bare)), done(3)}, 2, 1);
    ledger.check(first);
    const auto said =
        ledger.desk.connect({search(2, 1), found(2, "9"), heads_of(3, "9"), server(answer(9, nobody, section, "\r\n")),
                             done(3), fetch_of(4, "9"), server(answer(9, nobody, "", bare)), done(4)},
                            10, 1, 8);
    ledger.check(said);
    CHECK(ledger.stored() == 1);
    CHECK(ledger.knows(8, 9));
}

TEST_CASE("renumbered folder: heads that do not come, or are somebody else's, leave it to the bodies", "[retriever]") {
    const auto wrong = GENERATE(std::string(), head(9, a), whole(1, a), answer(1, a, section + "<0>", a.fields()));
    CAPTURE(wrong);
    Ledger ledger;
    ledger.begin();
    const auto said = ledger.desk.connect({search(2, 1), found(2, "1"), heads_of(3, "1"), server(wrong), done(3),
                                           fetch_of(4, "1"), server(whole(1, a)), done(4)},
                                          2, 1, 8);
    ledger.check(said);
    CHECK(ledger.stored() == 3);
    CHECK(ledger.knows(8, 1));
}

TEST_CASE("renumbered folder: mail from before the start stays there, what came since is fetched", "[retriever]") {
    const bool by_date = GENERATE(false, true);
    CAPTURE(by_date);
    config::Start start;
    start.from = by_date ? config::Start::From::date : config::Start::From::fresh;
    start.date = std::chrono::year(2023) / 11 / 14;
    Ledger ledger;
    const Mail old{.name = "old"}, fresh{.name = "fresh", .date = "15-Nov-2023 10:00:00 +0000"};
    const Mail later{.name = "later", .date = "16-Nov-2023 10:00:00 +0000"};
    // Two were there at the first contact; it is 2023-11-14 22:13:20.
    const auto begun =
        by_date ? ledger.desk.connect({search_of(2, "SINCE 14-Nov-2023 UID 1:*"), found(2, "")}, 3, 2, 7, start)
                : ledger.desk.connect({search(2, 3), found(2, "2")}, 3, 2, 7, start);
    ledger.check(begun);
    ledger.desk.clock.pass(std::chrono::hours(24));
    const auto first = ledger.desk.connect({search(2, by_date ? 1 : 3), found(2, by_date ? "1 2 3" : "3"),
                                            fetch_of(3, "3"), server(whole(3, fresh)), done(3)},
                                           4, 3, 7, start);
    ledger.check(first);
    REQUIRE(ledger.stored() == 1);
    ledger.desk.clock.pass(std::chrono::hours(24));
    const auto said = ledger.desk.connect({search(2, 1), found(2, "1 2 3 4"), heads_of(3, "1:4"),
                                           server(head(1, old) + head(2, b) + head(3, fresh) + head(4, later)), done(3),
                                           fetch_of(4, "4"), server(whole(4, later)), done(4)},
                                          5, 4, 8, start);
    ledger.check(said);
    CHECK(ledger.desk.stored() == std::vector<std::uint32_t>{3, 4});
    CHECK(outcome_of(ledger.renumbering()) ==
          "UIDVALIDITY changed from 7 to 8: 1 messages recognised, 1 new, 2 from before the start");
    const auto again = ledger.desk.connect({search(2, 5), found(2, "4")}, 5, 4, 8, start);
    ledger.check(again);
}

TEST_CASE("folder intake: a start by date survives a connection that is lost before its first mail", "[retriever]") {
    config::Start start;
    start.from = config::Start::From::date;
    start.date = std::chrono::year(2023) / 11 / 14;
    Ledger ledger;
    const auto lost = ledger.desk.connect({search_of(2, "SINCE 14-Nov-2023 UID 1:*"), found(2, "3"),
                                           search_of(3, "UID 1:3"), found(3, "1 2 3"), fetch_of(4, "3")},
                                          4, 3, 7, start);
    REQUIRE(lost.taken.ended);
    const auto next = ledger.desk.connect(
        {search(2, 1), found(2, "1 2 3"), fetch_of(3, "3"), server(whole(3, a)), done(3)}, 4, 3, 7, start);
    CHECK(next.surprise == "");
    CHECK(ledger.desk.stored() == std::vector<std::uint32_t>{3});
}

TEST_CASE("renumbered folder: what shows up late, and what was pending, is recognised all the same", "[retriever]") {
    Ledger ledger;
    ledger.begin();
    const auto said = ledger.desk.connect(
        {search(2, 1), found(2, "1 3"), heads_of(3, "1,3"), server(head(1, a) + head(3, b)), done(3)}, 4, 3, 8);
    ledger.check(said);
    CHECK(ledger.desk.awaited() == std::vector<std::uint32_t>{2});
    const auto late = ledger.desk.connect(
        {search_of(2, "UID 2,4:*"), found(2, "2 3"), fetch_of(3, "2"), server(whole(2, c)), done(3)}, 4, 3, 8);
    ledger.check(late);
    CHECK(ledger.stored() == 3);
    CHECK(ledger.knows(8, 2));
    CHECK(ledger.desk.awaited().empty());
}

TEST_CASE("renumbered folder: what was pending under the old numbers is new under the others", "[retriever]") {
    Ledger ledger;
    const auto first = ledger.desk.connect(
        {search(2, 1), found(2, "1 2"), fetch_of(3, "1:2"), server(whole(1, a)), server("R3 NO cannot convert\r\n"),
         client("R4 UID SEARCH UID 2\r\n"), found(4, "2"), fetch_of(5, "2"), server("R5 NO cannot convert\r\n")},
        3, 2);
    CHECK_FALSE(first.taken.ended);
    REQUIRE(ledger.desk.pending().size() == 1);
    const auto said =
        ledger.desk.connect({search(2, 1), found(2, "7 8"), heads_of(3, "7:8"), server(head(7, a) + head(8, b)),
                             done(3), fetch_of(4, "8"), server(whole(8, b)), done(4)},
                            9, 2, 8);
    CHECK(said.surprise == "");
    CHECK(ledger.desk.pending().empty());
    CHECK(ledger.stored() == 2);
}

TEST_CASE("renumbered folder: UIDVALIDITY that changes again and again freezes it, until a day has passed",
          "[retriever][hostile-36]") {
    Ledger ledger;
    ledger.begin();
    for (const std::uint32_t validity : {8U, 9U, 10U}) {
        CAPTURE(validity);
        ledger.desk.clock.pass(std::chrono::minutes(10));
        const auto said = ledger.desk.connect({search(2, 1), found(2, "1 2 3"), heads_of(3, "1:3"),
                                               server(head(1, a) + head(2, b) + head(3, c)), done(3)},
                                              4, 3, validity);
        ledger.check(said);
    }
    for (const std::uint32_t validity : {11U, 12U}) {
        ledger.desk.clock.pass(std::chrono::minutes(10));
        const auto said = ledger.desk.connect({}, 4, 3, validity);
        REQUIRE(said.opened);
        CHECK(said.opened->how == Ended::How::folder);
        CHECK(said.opened->person_needed);
        CHECK(holds(ledger.desk.folder().frozen, "UIDVALIDITY changed from 10 to "));
        CHECK(ledger.desk.folder().uid_validity == 10);
        CHECK(ledger.desk.folder().cursor == 3);
    }
    ledger.desk.clock.pass(std::chrono::hours(24));
    const auto said = ledger.desk.connect(
        {search(2, 1), found(2, "1 2 3"), heads_of(3, "1:3"), server(head(1, a) + head(2, b) + head(3, c)), done(3)}, 4,
        3, 13);
    ledger.check(said);
    CHECK(ledger.desk.folder().frozen == "");
    CHECK(ledger.stored() == 3);
}

TEST_CASE("renumbered folder: a folder that an older version adopted is compared, too", "[retriever]") {
    config::Start start;
    start.from = config::Start::From::fresh;
    Ledger ledger;
    // Adopted with two mails in it, as version 4 of the store left it; then c came.
    REQUIRE(ledger.desk
                .commit([folder = ledger.desk.folder().number](store::Workbench bench) {
                    return bench.store.adopt_folder(folder, 7, 2);
                })
                .has_value());
    const Mail young{.name = "young", .date = "14-Nov-2023 22:13:20 +0000"};
    const auto first = ledger.desk.connect(
        {search(2, 3), found(2, "3"), fetch_of(3, "3"), server(whole(3, young)), done(3)}, 4, 3, 7, start);
    ledger.check(first);
    const auto said = ledger.desk.connect({search(2, 1), found(2, "1 2 3"), heads_of(3, "1:3"),
                                           server(head(1, a) + head(2, b) + head(3, young)), done(3)},
                                          4, 3, 8, start);
    ledger.check(said);
    CHECK(ledger.stored() == 1);
    CHECK(ledger.renumbering().passed_over == 2);
}

TEST_CASE("the fingerprint is the same of a whole message, of its fields alone, and in another time zone",
          "[retriever]") {
    const std::string fields =
        "Received: by 2\r\nReceived: by 1\r\nMessage-ID: <1@a>\r\nDate: today\r\nFrom: a\r\n"
        "Subject: folded\r\n\tonce\r\n\r\n";
    const std::string message = "Return-Path: <a@b>\r\nReceived: by 2\r\nX-Long: " + std::string(5000, 'x') +
                                "\r\nReceived: by 1\r\nMessage-ID: <1@a>\r\nTo: b\r\nDate: today\r\nFrom: a\r\n"
                                "Subject: folded\r\n\tonce\r\n\r\nbody\r\n";
    const std::string date = "02-Nov-2023 10:00:00 +0000";
    const auto expected = fingerprint_of(message, date);
    CHECK(fingerprint_of(fields, date) == expected);
    CHECK(fingerprint_of(fields, "02-Nov-2023 11:00:00 +0100") == expected);
    CHECK(fingerprint_of(fields, "01-Nov-2023 22:30:00 -1130") == expected);
    CHECK(fingerprint_of(fields, "02-Nov-2023 10:00:01 +0000") != expected);
    CHECK(fingerprint_of(fields, "not a date") != expected);
    CHECK(proves_identity(fields));
    CHECK_FALSE(proves_identity("Subject: x\r\nFrom: a\r\nDate: today\r\n\r\n"));
}

TEST_CASE("UIDs without others", "[retriever]") {
    const auto set = [](std::vector<imap::UidRange> ranges) { return imap::UidSet::of(std::move(ranges)); };
    const auto some = set({{3, 10}, {20, 20}, {30, 4294967295U}});
    CHECK(without(some, {}) == some);
    CHECK(without(some, some).empty());
    CHECK(without(some, set({{1, 3}, {5, 6}, {10, 19}, {31, 31}})).text() == "4,7:9,20,30,32:4294967295");
    CHECK(without(some, set({{1, 25}})).text() == "30:4294967295");
    CHECK(without(some, set({{40, 4294967295U}})).text() == "3:10,20,30:39");
    CHECK(without({}, some).empty());
}

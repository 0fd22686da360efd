// A folder's intake against servers that lie: a scripted connection on one side, a store on the other.

#include "tests/unit/retriever/folder_desk.hpp"

using namespace folder_desk;

TEST_CASE("folder intake: what a server gives is in the ledger, with its cursor", "[retriever]") {
    Desk desk;
    const auto said = desk.connect(
        {search(2, 1), found(2, "5 6"), fetch_of(3, "5:6"), server(message(1, 5)), server(message(2, 6)), done(3)}, 7,
        2);
    CHECK_FALSE(said.opened);
    CHECK_FALSE(said.taken.ended);
    CHECK(said.surprise == "");
    CHECK(said.finished);
    CHECK(desk.stored() == std::vector<std::uint32_t>{5, 6});
    CHECK(desk.folder().cursor == 6);
}

TEST_CASE("folder intake: a message announced larger than allowed stays behind with its reason, the rest comes",
          "[retriever][hostile-29]") {
    for (const char* size : {"{4294967295}", "{9999999999}"}) {
        const bool last = GENERATE(false, true);
        CAPTURE(size, last);
        Desk desk;
        const std::string uids = last ? "5 6" : "5 6 7";
        const std::string set = last ? "5:6" : "5:7";
        const auto exists = last ? 2U : 3U;
        const auto first = desk.connect({search(2, 1),
                                         found(2, uids),
                                         fetch_of(3, set),
                                         server(message(1, 5)),
                                         server("* 2 FETCH (UID 6 BODY[] " + std::string(size) + "\r\n"),
                                         {Who::time}},
                                        last ? 7 : 8, exists);
        REQUIRE(first.taken.ended);
        CHECK(holds(first.taken.ended->reason, "literal larger than allowed"));
        CHECK(first.taken.ended->how == Ended::How::connection);
        REQUIRE(desk.pending().size() == 1);
        CHECK(desk.pending()[0].uid == 6);
        CHECK(holds(desk.pending()[0].reason, "larger than"));
        CHECK(desk.folder().cursor == 6);
        CHECK(desk.folder().frozen == "");

        // The next connection does not ask for it again: it gets what is behind it.
        std::vector<Turn> turns{search_past(2, 7), found(2, last ? "6" : "7"), client("R3 UID SEARCH UID 6\r\n"),
                                found(3, "6")};
        if (!last) turns.insert(turns.end(), {fetch_of(4, "7"), server(message(3, 7)), done(4)});
        const auto second = desk.connect(std::move(turns), last ? 7 : 8, exists);
        CHECK_FALSE(second.taken.ended);
        CHECK(second.surprise == "");
        CHECK(second.finished);
        CHECK(desk.stored() == (last ? std::vector<std::uint32_t>{5} : std::vector<std::uint32_t>{5, 7}));
        CHECK(desk.pending().size() == 1);

        // Deleted on the server, it is forgotten.
        const auto third =
            desk.connect({search_past(2, last ? 7 : 8), found(2, ""), client("R3 UID SEARCH UID 6\r\n"), found(3, "")},
                         last ? 7 : 8, exists - 1);
        CHECK_FALSE(third.taken.ended);
        CHECK(third.surprise == "");
        CHECK(desk.pending().empty());
    }
}

TEST_CASE("folder intake: a UID that the server makes up carries the cursor nowhere, and freezes the folder",
          "[retriever][hostile-36]") {
    for (const char* ghost : {"11", "500", "4294967295"}) {
        CAPTURE(ghost);
        Desk desk;
        const auto said =
            desk.connect({search(2, 1), found(2, "5 " + std::string(ghost)),
                          client("R3 STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY)\r\n"),
                          server("* STATUS INBOX (MESSAGES 1 UIDNEXT 11 UIDVALIDITY 7)\r\nR3 OK done\r\n")},
                         11, 1);
        CHECK(said.surprise == "");
        REQUIRE(said.taken.ended);
        CHECK(said.taken.ended->how == Ended::How::folder);
        CHECK(said.taken.ended->person_needed);
        CHECK(holds(said.taken.ended->reason, "UIDNEXT is 11"));
        CHECK(holds(desk.folder().frozen, ghost));
        CHECK(desk.folder().cursor == 0);
        CHECK(desk.stored().empty());

        // Sound again, it goes on where it was.
        const auto later =
            desk.connect({search(2, 1), found(2, "5"), fetch_of(3, "5"), server(message(1, 5)), done(3)}, 11, 1);
        CHECK_FALSE(later.opened);
        CHECK_FALSE(later.taken.ended);
        CHECK(desk.folder().frozen == "");
        CHECK(desk.stored() == std::vector<std::uint32_t>{5});
    }
}

TEST_CASE("folder intake: UIDs above UIDNEXT are mail that has come since, or that the server confirms",
          "[retriever]") {
    Desk desk;
    const auto grown = desk.connect({search(2, 1), server("* 2 EXISTS\r\n* SEARCH 5 6\r\nR2 OK done\r\n"),
                                     fetch_of(3, "5:6"), server(message(1, 5) + message(2, 6)), done(3)},
                                    6, 1);
    CHECK_FALSE(grown.taken.ended);
    CHECK(grown.surprise == "");
    const auto confirmed =
        desk.connect({search_past(2, 7), found(2, "90"), client("R3 STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY)\r\n"),
                      server("* STATUS INBOX (MESSAGES 3 UIDNEXT 91 UIDVALIDITY 7)\r\nR3 OK done\r\n"),
                      fetch_of(4, "90"), server(message(3, 90)), done(4)},
                     7, 3);
    CHECK_FALSE(confirmed.taken.ended);
    CHECK(confirmed.surprise == "");
    CHECK(desk.stored() == std::vector<std::uint32_t>{5, 6, 90});
}

TEST_CASE("folder intake: UIDs in disorder, and one UID for two messages, freeze the folder",
          "[retriever][hostile-36]") {
    const bool doubled = GENERATE(false, true);
    CAPTURE(doubled);
    Desk desk;
    const auto second = doubled ? message(2, 6, "another message\r\n") : message(3, 5);
    const auto said = desk.connect(
        {search(2, 1), found(2, "5 6"), fetch_of(3, "5:6"), server(message(1, 6)), server(second), done(3)}, 7, 3);
    REQUIRE(said.taken.ended);
    CHECK(said.taken.ended->how == Ended::How::folder);
    CHECK(said.taken.ended->person_needed);
    CHECK(holds(desk.folder().frozen, "UIDs do not rise"));
    CHECK(desk.folder().cursor < 6);
    // What came first is there once; the other content is nowhere.
    CHECK(desk.stored() == std::vector<std::uint32_t>{6});
    CHECK(holds(desk.body_of(6), "Subject: 6"));
}

TEST_CASE("folder intake: the same UID answered twice is taken once, whatever the second answer holds",
          "[retriever][hostile-36]") {
    Desk desk;
    const auto said = desk.connect({search(2, 1), found(2, "5"), fetch_of(3, "5"), server(message(1, 5)),
                                    server(message(1, 5, "another message\r\n")), done(3)},
                                   6, 1);
    CHECK_FALSE(said.taken.ended);
    CHECK(desk.stored() == std::vector<std::uint32_t>{5});
    CHECK(holds(desk.body_of(5), "Subject: 5"));
}

TEST_CASE("folder intake: messages in falling order are all taken, and the cursor waits for the last",
          "[retriever][hostile-36]") {
    Desk desk;
    const auto said = desk.connect({search(2, 1), found(2, "7 6 5"), fetch_of(3, "5:7"), server(message(3, 7)),
                                    server(message(2, 6)), server(message(1, 5)), done(3)},
                                   8, 3);
    CHECK_FALSE(said.taken.ended);
    CHECK(desk.stored() == std::vector<std::uint32_t>{7, 6, 5});
    CHECK(desk.folder().cursor == 7);
    Desk cut;
    const auto lost = cut.connect({search(2, 1), found(2, "7 6 5"), fetch_of(3, "5:7"), server(message(3, 7))}, 8, 3);
    REQUIRE(lost.taken.ended);
    CHECK(cut.folder().cursor == 0);
}

TEST_CASE("folder intake: UIDVALIDITY 0 freezes and takes nothing", "[retriever][hostile-36]") {
    Desk desk;
    const auto first =
        desk.connect({search(2, 1), found(2, "5"), fetch_of(3, "5"), server(message(1, 5)), done(3)}, 6, 1);
    REQUIRE_FALSE(first.taken.ended);
    const auto said = desk.connect({}, 9, 3, 0);
    REQUIRE(said.opened);
    CHECK(said.opened->how == Ended::How::folder);
    CHECK(said.opened->person_needed);
    CHECK(holds(desk.folder().frozen, "no UIDVALIDITY"));
    CHECK(desk.folder().uid_validity == 7);
    CHECK(desk.folder().cursor == 5);
    CHECK(desk.stored() == std::vector<std::uint32_t>{5});
    const auto again = desk.connect({search_past(2, 6), found(2, "5")}, 6, 1);
    CHECK_FALSE(again.opened);
    CHECK(desk.folder().frozen == "");
}

TEST_CASE("folder intake: another message's data, or none, leaves the message pending with its reason",
          "[retriever][hostile-37]") {
    const std::string wrong = GENERATE(std::string(), "* 9 FETCH (UID 99 BODY[] {5}\r\nother)\r\n",
                                       "* 1 FETCH (UID 5 BODY[] NIL)\r\n", "* 1 FETCH (UID 5 FLAGS ())\r\n");
    CAPTURE(wrong);
    Desk desk;
    const auto said =
        desk.connect({search(2, 1), found(2, "5"), fetch_of(3, "5"), server(wrong), done(3),
                      client("R4 UID SEARCH UID 5\r\n"), found(4, "5"), fetch_of(5, "5"), server(wrong), done(5)},
                     6, 1);
    CHECK_FALSE(said.taken.ended);
    CHECK(said.surprise == "");
    CHECK(desk.stored().empty());
    REQUIRE(desk.pending().size() == 1);
    CHECK(desk.pending()[0].uid == 5);
    CHECK(holds(desk.pending()[0].reason, "without the message"));
}

TEST_CASE("folder intake: after BYE in the middle of a fetch the next connection goes on behind what was kept",
          "[retriever][hostile-38]") {
    const std::string end =
        GENERATE(std::string("* BYE going down\r\n"), "* 2 FETCH (UID 6 BODY[] {100}\r\nhalf of it");
    CAPTURE(end);
    Desk desk;
    const auto cut =
        desk.connect({search(2, 1), found(2, "5 6 7"), fetch_of(3, "5:7"), server(message(1, 5)), server(end)}, 8, 3);
    REQUIRE(cut.taken.ended);
    CHECK(desk.stored() == std::vector<std::uint32_t>{5});
    CHECK(desk.folder().cursor == 5);
    const auto next = desk.connect(
        {search_past(2, 6), found(2, "6 7"), fetch_of(3, "6:7"), server(message(2, 6) + message(3, 7)), done(3)}, 8, 3);
    CHECK_FALSE(next.taken.ended);
    CHECK(next.surprise == "");
    CHECK(desk.stored() == std::vector<std::uint32_t>{5, 6, 7});
}

namespace {

const std::string large_body = "Subject: large\r\n\r\n" + std::string(300'000, 'x');

/// A first connection that breaks after so many bytes of the large message 5.
void break_off_after(Desk& desk, std::size_t bytes) {
    const auto head = "* 1 FETCH (UID 5 BODY[] {" + std::to_string(large_body.size()) + "}\r\n";
    const auto said = desk.connect(
        {search(2, 1), found(2, "5 6"), fetch_of(3, "5:6"), server(head + large_body.substr(0, bytes))}, 7, 2);
    CHECK(said.surprise == "");
    REQUIRE(said.taken.ended);
    CHECK(desk.stored().empty());
}

void check_both(Desk& desk, const Desk::Said& said) {
    CHECK(said.surprise == "");
    CHECK_FALSE(said.taken.ended);
    CHECK(desk.stored().size() == 2);
    CHECK(desk.body_of(5) == large_body);
    CHECK(holds(desk.body_of(6), "Subject: 6"));
}

}  // namespace

TEST_CASE("folder intake: a large body of which only the end of the response is missing begins again", "[retriever]") {
    Desk desk;
    break_off_after(desk, large_body.size());
    const auto said = desk.connect({search(2, 1), found(2, "5 6"), fetch_of(3, "5:6"), server(message(2, 6)),
                                    server(message(1, 5, large_body)), done(3)},
                                   7, 2);
    check_both(desk, said);
}

TEST_CASE("folder intake: a rest that is answered without bytes never becomes part of another message", "[retriever]") {
    Desk desk;
    const std::size_t kept = 200'000;
    break_off_after(desk, kept);
    const auto rest = std::to_string(kept) + "." + std::to_string(large_body.size() - kept);
    const std::string empty =
        GENERATE(std::string(), "* 1 FETCH (UID 5 FLAGS ())\r\n", "* 1 FETCH (UID 5 BODY[]<200000> NIL)\r\n");
    const auto said =
        desk.connect({search(2, 1), found(2, "5 6"), client("R3 UID FETCH 5 (UID BODY.PEEK[]<" + rest + ">)\r\n"),
                      server(empty + "R3 OK done\r\n"), fetch_of(4, "5:6"), server(message(2, 6)),
                      server(message(1, 5, large_body)), done(4)},
                     7, 2);
    check_both(desk, said);
}

TEST_CASE("folder intake: bodies that break parsers are kept byte for byte, because nothing parses them on the way",
          "[retriever][hostile-61]") {
    std::string nested, parts = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (int level = 0; level < 5000; ++level)
        nested += "Content-Type: multipart/mixed; boundary=" + std::to_string(level) + "\r\n\r\n--" +
                  std::to_string(level) + "\r\n";
    for (int part = 0; part < 20'000; ++part) parts += "--b\r\n\r\n";
    const std::vector<std::string> bodies{
        nested,
        parts,
        std::string(50'000, '\0'),
        std::string(60'000, '\r'),
        "Subject: " + std::string(100'000, '\xff') + "\r\n\r\n",
        "Subject: =?utf-8?B?" + std::string(100'000, '=') + "?=\r\nFrom: <" + std::string(50'000, '(') + ">\r\n\r\nx",
        "Date: Mon, 99 Xyz 99999 99:99:99 +9999\r\nMessage-ID: <" + std::string(1000, '<') + "\r\n\r\n",
    };
    Desk desk;
    std::string answers;
    for (std::size_t at = 0; at < bodies.size(); ++at)
        answers += message(static_cast<int>(at) + 1, static_cast<std::uint32_t>(at) + 1, bodies[at]);
    const auto said =
        desk.connect({search(2, 1), found(2, "1 2 3 4 5 6 7"), fetch_of(3, "1:7"), server(answers), done(3)}, 8, 7);
    CHECK_FALSE(said.taken.ended);
    for (std::size_t at = 0; at < bodies.size(); ++at) {
        CAPTURE(at);
        CHECK((desk.body_of(static_cast<std::uint32_t>(at) + 1) == bodies[at]));
    }
}

TEST_CASE("folder intake: a UID that shows only after a higher one is fetched all the same", "[retriever]") {
    Desk desk;
    const auto first = desk.connect({search(2, 1), found(2, "1 2 4 7"), fetch_of(3, "1:2,4,7"),
                                     server(message(1, 1) + message(2, 2) + message(3, 4) + message(4, 7)), done(3)},
                                    8, 4);
    CHECK_FALSE(first.taken.ended);
    CHECK(first.surprise == "");
    CHECK(desk.folder().cursor == 7);
    CHECK(desk.awaited() == std::vector<std::uint32_t>{3, 5, 6});

    const auto second = desk.connect(
        {search_of(2, "UID 3,5:6,8:*"), found(2, "5 7"), fetch_of(3, "5"), server(message(4, 5)), done(3)}, 8, 5);
    CHECK_FALSE(second.taken.ended);
    CHECK(second.surprise == "");
    CHECK(second.finished);
    CHECK(desk.stored() == std::vector<std::uint32_t>{1, 2, 4, 7, 5});
    CHECK(desk.folder().cursor == 7);
    CHECK(desk.awaited() == std::vector<std::uint32_t>{3, 6});

    // Looked for once more when the time is over, then they count as deleted.
    desk.clock.jumped = std::chrono::minutes(61);
    const auto third = desk.connect(
        {search_of(2, "UID 3,6,8:*"), found(2, "6 7"), fetch_of(3, "6"), server(message(5, 6)), done(3)}, 8, 6);
    CHECK_FALSE(third.taken.ended);
    CHECK(third.surprise == "");
    CHECK(desk.stored() == std::vector<std::uint32_t>{1, 2, 4, 7, 5, 6});
    CHECK(desk.awaited().empty());
    const auto last = desk.connect({search(2, 8), found(2, "7")}, 8, 6);
    CHECK_FALSE(last.taken.ended);
    CHECK(last.surprise == "");
}

TEST_CASE("folder intake: a UID that is awaited when the connection is lost before it is passed is awaited after it",
          "[retriever]") {
    Desk desk;
    const auto lost = desk.connect({search(2, 1), found(2, "2 4"), fetch_of(3, "2,4"), server(message(1, 2))}, 5, 2);
    REQUIRE(lost.taken.ended);
    CHECK(desk.folder().cursor == 2);
    CHECK(desk.awaited() == std::vector<std::uint32_t>{1, 3});
    const auto again = desk.connect({search_of(2, "UID 1,3:*"), found(2, "3 4"), fetch_of(3, "3:4"),
                                     server(message(2, 3) + message(3, 4)), done(3)},
                                    5, 3);
    CHECK_FALSE(again.taken.ended);
    CHECK(again.surprise == "");
    CHECK(desk.stored() == std::vector<std::uint32_t>{2, 3, 4});
    CHECK(desk.awaited() == std::vector<std::uint32_t>{1});
}

TEST_CASE("folder intake: a message that goes while it is fetched is awaited, too: it may only hide", "[retriever]") {
    Desk desk;
    const auto first = desk.connect({search(2, 1), found(2, "1 2"), fetch_of(3, "1:2"), server(message(2, 2)), done(3),
                                     search_of(4, "UID 1"), found(4, "")},
                                    3, 2);
    CHECK_FALSE(first.taken.ended);
    CHECK(first.surprise == "");
    CHECK(desk.folder().cursor == 2);
    CHECK(desk.pending().empty());
    CHECK(desk.awaited() == std::vector<std::uint32_t>{1});
    CHECK(desk.counters.messages_gone == 1);
    const auto second = desk.connect(
        {search_of(2, "UID 1,3:*"), found(2, "1 2"), fetch_of(3, "1"), server(message(1, 1)), done(3)}, 3, 2);
    CHECK_FALSE(second.taken.ended);
    CHECK(second.surprise == "");
    CHECK(desk.stored() == std::vector<std::uint32_t>{2, 1});
    CHECK(desk.awaited().empty());
}

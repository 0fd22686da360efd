// FolderShadow between a server that is played from a script and a store: every command is in the script, so that one
// that changes anything would be a surprise.

#include "engine/retriever/folder_shadow.hpp"

#include "tests/unit/retriever/folder_desk.hpp"

using namespace folder_desk;
using namespace std::chrono_literals;

namespace {

constexpr auto heads_asked_for =
    " (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT RECEIVED)])\r\n";

/// What another product has of a folder, as the server of these tests shows it.
struct Mail {
    std::uint32_t uid = 0;
    std::string id;
    std::string date = "27-Nov-2026 10:00:00 +0000";
    std::string flags{};
};

Turn heads(int tag, const std::string& set) {
    return client("R" + std::to_string(tag) + " UID FETCH " + set + heads_asked_for);
}
Turn heads_are(int tag, const std::vector<Mail>& mails) {
    std::string bytes;
    for (const auto& mail : mails) {
        const auto head = "Message-ID: <" + mail.id + "@sim.test>\r\nReceived: by sim.test\r\n\r\n";
        const auto number = std::to_string(mail.uid);
        bytes += "* " + number + " FETCH (UID " + number + " FLAGS (" + mail.flags + ") INTERNALDATE \"" + mail.date +
                 "\" RFC822.SIZE 1000 BODY[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT RECEIVED)] {" +
                 std::to_string(head.size()) + "}\r\n" + head + ")\r\n";
    }
    return server(bytes + "R" + std::to_string(tag) + " OK done\r\n");
}
Turn none_found(int tag) { return server("* SEARCH\r\nR" + std::to_string(tag) + " OK done\r\n"); }

struct Line {
    Desk desk;
    config::Shadow shadow{config::Shadow::Taken::seen, 15min};
    config::Start start{config::Start::From::fresh, {}};

    Line() { wall("2026-11-27 10:00:00"); }

    void wall(const std::string& time) {
        std::tm tm{};
        REQUIRE(strptime(time.c_str(), "%Y-%m-%d %H:%M:%S", &tm) != nullptr);
        desk.clock.jumped += WallTime(std::chrono::seconds(timegm(&tm))) - desk.clock.wall();
    }

    struct Open {
        std::uint32_t uid_next = 1;
        std::uint32_t validity = 7;
        std::string more{};  // in place of UIDNEXT
    };
    struct Said {
        FolderShadow::Looked looked;
        std::string surprise;
        bool finished = false;
    };
    /// A connection of its own: the folder is opened, and looked at as often as there are depths, with time in between.
    Said look(const Open& open, std::vector<Turn> turns,
              const std::vector<FolderShadow::Depth>& depths = {FolderShadow::Depth::whole},
              std::chrono::minutes between = 0min) {
        std::string shown = "* 9 EXISTS\r\n* OK [UIDVALIDITY " + std::to_string(open.validity) + "] v\r\n";
        if (open.uid_next != 0) shown += "* OK [UIDNEXT " + std::to_string(open.uid_next) + "] n\r\n";
        std::vector<Turn> all{server(greeting), client("R1 EXAMINE INBOX\r\n"),
                              server(shown + "R1 OK [READ-ONLY] done\r\n")};
        all.insert(all.end(), turns.begin(), turns.end());
        ScriptedStream stream(std::move(all));
        imap::Client client(stream, {}, {});
        REQUIRE(desk.result_of(client.greet()).has_value());
        IntakeHouse house{*desk.committer, desk.inbox, desk.budget, desk.clock, desk.counters};
        FolderShadow folder({"box", desk.mailbox, "INBOX", start, shadow}, house, {});
        const auto hindered = desk.result_of(folder.open(client));
        Said said;
        said.looked.ended = hindered;
        const bool stop = false;
        for (const auto depth : depths) {
            if (!said.looked.ended) said.looked = desk.result_of(folder.look(client, depth, stop));
            desk.clock.pass(between);
        }
        said.surprise = stream.surprise();
        said.finished = stream.finished();
        desk.settle();
        return said;
    }
    std::vector<store::ShadowMail> mails() {
        return *desk.commit([mailbox = desk.mailbox](store::Workbench bench) {
            return bench.store.shadows().mails(mailbox, {}, 1000);
        });
    }
    std::optional<store::ShadowMail> mail(std::string_view id) {
        for (auto& one : mails())
            if (one.message_id == std::string(id) + "@sim.test" && !one.again) return one;
        return std::nullopt;
    }
    store::ShadowFolder state() {
        return **desk.commit([this](store::Workbench bench) {
            return bench.store.shadows().folder(bench.store.folder(desk.mailbox, "INBOX")->number);
        });
    }
};

void check_script(const Line::Said& said) {
    CHECK(said.surprise == "");
    CHECK(said.finished);
    CHECK((said.looked.ended ? said.looked.ended->reason : "") == "");
}

}  // namespace

TEST_CASE("folder shadow: from the first contact on, each mail is followed until it is taken, or missed",
          "[retriever][shadow]") {
    Line line;
    // 8 mails are there before: nobody asks for them.
    check_script(line.look({9}, {client("R2 UID SEARCH UID 9:*\r\n"), found(2, "8")}));
    CHECK(line.mails().empty());

    line.wall("2026-11-27 10:00:30");
    const auto first = line.look(
        {11}, {client("R2 UID SEARCH UID 9:*\r\n"), found(2, "9 10"), heads(3, "9:10"),
               heads_are(3, {{9, "a", "27-Nov-2026 10:00:20 +0000"}, {10, "b", "27-Nov-2026 10:00:25 +0000"}})});
    check_script(first);
    CHECK(first.looked.arrived == 2);
    CHECK(first.looked.missed == 0);
    CHECK(first.looked.next_due == line.mail("a")->arrived_at + 15min);

    line.wall("2026-11-27 10:01:00");
    const auto second = line.look({11}, {client("R2 UID SEARCH UID 9:*\r\n"), found(2, "9 10"),
                                         client("R3 UID SEARCH UNSEEN UID 9:10\r\n"), found(3, "10")});
    check_script(second);
    CHECK(second.looked.taken == 1);
    REQUIRE(line.mail("a")->seen);
    CHECK(line.mail("a")->seen->at == line.mail("a")->arrived_at + 40s);

    line.wall("2026-11-27 10:20:00");
    const auto third = line.look({11}, {client("R2 UID SEARCH UID 9:*\r\n"), found(2, "9 10"),
                                        client("R3 UID SEARCH UNSEEN UID 10:10\r\n"), found(3, "10")});
    check_script(third);
    CHECK(third.looked.missed == 1);
    CHECK_FALSE(line.mail("b")->seen);

    // Removed at last, without ever having been flagged; whoever is not named is asked for once more.
    line.wall("2026-11-27 10:30:00");
    const auto fourth = line.look(
        {11}, {client("R2 UID SEARCH UID 9:*\r\n"), found(2, "9"), client("R3 UID SEARCH UID 10\r\n"), none_found(3)});
    check_script(fourth);
    CHECK(fourth.looked.missed == 0);
    REQUIRE(line.mail("b")->gone);
    CHECK(line.mail("b")->gone->after == line.mail("b")->arrived_at + 19min + 35s);
    CHECK_FALSE(line.mail("b")->seen);
    CHECK(line.state().unseen == 0);
}

TEST_CASE("folder shadow: a look for news asks for what is new and for what is not taken", "[retriever][shadow]") {
    Line line;
    using Depth = FolderShadow::Depth;
    SECTION("taken is seen") {
        const auto said =
            line.look({1},
                      {client("R2 UID SEARCH UID 1:*\r\n"), none_found(2), client("R3 UID SEARCH UID 1:*\r\n"),
                       found(3, "1 2 3"), heads(4, "1:3"), heads_are(4, {{1, "a"}, {2, "b"}, {3, "c"}}),
                       client("R5 UID SEARCH UID 4:*\r\n"), found(5, "3"), client("R6 UID SEARCH UNSEEN UID 1:3\r\n"),
                       found(6, "2"), client("R7 UID SEARCH UID 1,3\r\n"), found(7, "3")},
                      {Depth::whole, Depth::news, Depth::news});
        check_script(said);
        CHECK(said.looked.taken == 2);
        CHECK(line.mail("a")->gone);
        CHECK(line.mail("c")->seen);
        CHECK_FALSE(line.mail("c")->gone);
        CHECK_FALSE(line.mail("b")->seen);
    }
    SECTION("taken is removed: flags do not matter") {
        line.shadow.taken = config::Shadow::Taken::removed;
        const auto said = line.look(
            {1},
            {client("R2 UID SEARCH UID 1:*\r\n"), none_found(2), client("R3 UID SEARCH UID 1:*\r\n"), found(3, "1 2"),
             heads(4, "1:2"), heads_are(4, {{1, "a"}, {2, "b"}}), client("R5 UID SEARCH UID 3:*\r\n"), none_found(5),
             client("R6 UID SEARCH UID 1:2\r\n"), found(6, "2")},
            {Depth::whole, Depth::news, Depth::news});
        check_script(said);
        CHECK(said.looked.taken == 1);
        CHECK(line.mail("a")->gone);
        CHECK_FALSE(line.mail("b")->gone);
    }
}

TEST_CASE("folder shadow: what a view shows that may have stalled makes nothing missed or late",
          "[retriever][shadow]") {
    Line line;
    using Depth = FolderShadow::Depth;
    std::vector<Turn> turns{client("R2 UID SEARCH UID 1:*\r\n"),
                            none_found(2),
                            client("R3 UID SEARCH UID 1:*\r\n"),
                            found(3, "1"),
                            heads(4, "1"),
                            heads_are(4, {{1, "a", "27-Nov-2026 10:09:00 +0000"}}),
                            client("R5 UID SEARCH UID 2:*\r\n"),
                            none_found(5),
                            client("R6 UID SEARCH UNSEEN UID 1:1\r\n"),
                            found(6, "1"),
                            client("R7 UID SEARCH UID 2:*\r\n"),
                            none_found(7),
                            client("R8 UID SEARCH UNSEEN UID 1:1\r\n"),
                            found(8, "1"),
                            client("R9 UID SEARCH UID 1:*\r\n"),
                            found(9, "1"),
                            client("R10 UID SEARCH UNSEEN UID 1:1\r\n")};
    const std::vector<Depth> depths{Depth::whole, Depth::news, Depth::news, Depth::news, Depth::whole};
    SECTION("a view that is fresh shows that it was taken") {
        turns.push_back(none_found(10));
        const auto said = line.look({1}, turns, depths, 10min);
        check_script(said);
        CHECK(said.looked.missed == 0);
        REQUIRE(line.mail("a")->seen);
        CHECK(line.mail("a")->seen->after < line.mail("a")->arrived_at + 15min);  // in time, for all that is known
    }
    SECTION("or that it was not") {
        turns.push_back(found(10, "1"));
        const auto said = line.look({1}, turns, depths, 10min);
        check_script(said);
        CHECK(said.looked.missed == 1);
    }
    SECTION("until then nothing is said") {
        turns.resize(turns.size() - 3);
        const auto said = line.look({1}, turns, {Depth::whole, Depth::news, Depth::news, Depth::news}, 10min);
        check_script(said);
        CHECK(said.looked.missed == 0);
    }
}

TEST_CASE("folder shadow: what came and went between two looks is counted, and what shows up late is not lost",
          "[retriever][shadow]") {
    Line line;
    check_script(line.look({1}, {client("R2 UID SEARCH UID 1:*\r\n"), none_found(2)}));
    line.wall("2026-11-27 10:01:00");
    check_script(line.look({6}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "4"), heads(3, "4"),
                                 heads_are(3, {{4, "d", "27-Nov-2026 10:00:59 +0000"}})}));
    CHECK(line.state().unseen == 4);
    // 2 was there all the time: the server had not shown it. A mail that is told to be gone comes back.
    line.wall("2026-11-27 10:02:00");
    check_script(
        line.look({6}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "2"), client("R3 UID SEARCH UID 4\r\n"),
                        none_found(3), heads(4, "2"), heads_are(4, {{2, "b", "27-Nov-2026 10:00:58 +0000"}})}));
    CHECK(line.state().unseen == 3);
    CHECK(line.mail("b"));
    CHECK(line.mail("d")->gone);
    line.wall("2026-11-27 10:03:00");
    check_script(line.look(
        {6}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "2 4"), client("R3 UID SEARCH UNSEEN UID 2:2\r\n"),
              found(3, "2"), heads(4, "4"), heads_are(4, {{4, "d", "27-Nov-2026 10:00:59 +0000"}})}));
    CHECK_FALSE(line.mail("d")->gone);
    CHECK(line.mails().size() == 2);
}

TEST_CASE("folder shadow: another UIDVALIDITY brings neither misses nor doubles", "[retriever][shadow]") {
    Line line;
    check_script(line.look({5}, {client("R2 UID SEARCH UID 5:*\r\n"), none_found(2)}));
    line.wall("2026-11-27 10:01:00");
    check_script(line.look({8}, {client("R2 UID SEARCH UID 5:*\r\n"), found(2, "5 6 7"), heads(3, "5:7"),
                                 heads_are(3, {{5, "a", "27-Nov-2026 10:00:50 +0000", "\\Seen"},
                                               {6, "b", "27-Nov-2026 10:00:51 +0000"},
                                               {7, "c", "27-Nov-2026 10:00:52 +0000"}})}));
    REQUIRE(line.mails().size() == 3);
    // All have new UIDs. What was there before the first contact is in sight again, c is gone, and two are new, one of
    // them from the second of the last look.
    line.wall("2026-11-27 10:20:00");
    const auto said = line.look({6, 8}, {client("R2 UID SEARCH SINCE 26-Nov-2026\r\n"), found(2, "1 2 3 4 5"),
                                         client("R3 UID SEARCH UID 1:*\r\n"), found(3, "1 2 3 4 5"), heads(4, "1:5"),
                                         heads_are(4, {{1, "before", "27-Nov-2026 09:00:00 +0000"},
                                                       {2, "a", "27-Nov-2026 10:00:50 +0000", "\\Seen"},
                                                       {3, "b", "27-Nov-2026 11:00:51 +0100"},
                                                       {4, "just-then", "27-Nov-2026 10:00:59 +0000"},
                                                       {5, "new", "27-Nov-2026 10:19:00 +0000"}})});
    check_script(said);
    CHECK(said.looked.arrived == 2);
    CHECK(said.looked.missed == 2);  // b, as before, and one of the new ones
    CHECK(line.mail("a")->uid == 2);
    CHECK(line.mail("b")->uid == 3);
    CHECK(line.mail("b")->uid_validity == 8);
    CHECK(line.mail("c")->gone);
    CHECK_FALSE(line.mail("before"));  // nobody asked for it
    CHECK(line.mail("new"));
    // And that is remembered.
    line.wall("2026-11-27 10:21:00");
    check_script(line.look({6, 8}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "1 2 3 4 5"),
                                    client("R3 UID SEARCH UNSEEN UID 1:5\r\n"), found(3, "1 3 4 5")}));
    CHECK(line.mails().size() == 6);
}

TEST_CASE("folder shadow: under another UIDVALIDITY a mail that gives no head for a moment is not lost",
          "[retriever][shadow]") {
    Line line;
    check_script(line.look({1}, {client("R2 UID SEARCH UID 1:*\r\n"), none_found(2)}));
    line.wall("2026-11-27 10:01:00");
    check_script(line.look({4}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "1 2 3"), heads(3, "1:3"),
                                 heads_are(3, {{1, "a", "27-Nov-2026 10:00:50 +0000"},
                                               {2, "b", "27-Nov-2026 10:00:51 +0000"},
                                               {3, "c", "27-Nov-2026 10:00:52 +0000"}})}));
    line.wall("2026-11-27 10:20:00");
    const auto first = line.look(
        {3, 8}, {client("R2 UID SEARCH SINCE 26-Nov-2026\r\n"), found(2, "1 2"), client("R3 UID SEARCH UID 1:*\r\n"),
                 found(3, "1 2"), heads(4, "1:2"), heads_are(4, {{2, "b", "27-Nov-2026 10:00:51 +0000"}})});
    check_script(first);
    CHECK_FALSE(line.mail("a")->gone);
    CHECK_FALSE(line.mail("c")->gone);
    CHECK(line.state().compares);
    CHECK(first.looked.next_due);
    line.wall("2026-11-27 10:21:00");
    const auto second = line.look(
        {3, 8}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "1 2"), client("R3 UID SEARCH UNSEEN UID 2:2\r\n"),
                 found(3, "2"), heads(4, "1"), heads_are(4, {{1, "a", "27-Nov-2026 10:00:50 +0000"}})});
    check_script(second);
    CHECK(second.looked.missed == 2);
    CHECK(line.mails().size() == 3);
    CHECK(line.mail("a")->uid_validity == 8);
    CHECK(line.mail("c")->gone);
    CHECK_FALSE(line.state().compares);
}

TEST_CASE("folder shadow: a UIDNEXT that went back is a change of UIDs, too", "[retriever][shadow]") {
    Line line;
    check_script(line.look({1}, {client("R2 UID SEARCH UID 1:*\r\n"), none_found(2)}));
    line.wall("2026-11-27 10:01:00");
    check_script(line.look({4}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "1 2 3"), heads(3, "1:3"),
                                 heads_are(3, {{1, "a", "27-Nov-2026 10:00:50 +0000"},
                                               {2, "b", "27-Nov-2026 10:00:51 +0000"},
                                               {3, "c", "27-Nov-2026 10:00:52 +0000"}})}));
    line.wall("2026-11-27 10:02:00");
    const auto said = line.look(
        {3}, {client("R2 UID SEARCH SINCE 26-Nov-2026\r\n"), found(2, "1 2"), client("R3 UID SEARCH UID 1:*\r\n"),
              found(3, "1 2"), heads(4, "1:2"),
              heads_are(4, {{1, "b", "27-Nov-2026 10:00:51 +0000"}, {2, "c", "27-Nov-2026 10:00:52 +0000"}})});
    check_script(said);
    CHECK(said.looked.arrived == 0);
    CHECK(line.mail("b")->uid == 1);
    CHECK(line.mail("c")->uid == 2);
    CHECK(line.mail("a")->gone);
}

TEST_CASE("folder shadow: a server that gives out no UIDs for good to who only reads is not observed",
          "[retriever][shadow]") {
    Line line;
    const auto said = line.look({0}, {});
    REQUIRE(said.looked.ended);
    CHECK(said.looked.ended->person_needed);
    CHECK(
        said.looked.ended->reason ==
        "folder INBOX cannot be observed: the server does not say UIDNEXT to who only reads, so the UIDs that it shows "
        "him are not given out for good");
    CHECK(said.surprise == "");
    CHECK(line.mails().empty());
}

TEST_CASE("folder shadow: mail that was moved in counts from when it came, not from its date", "[retriever][shadow]") {
    Line line;
    check_script(line.look({1}, {client("R2 UID SEARCH UID 1:*\r\n"), none_found(2)}));
    line.wall("2026-11-27 12:00:00");
    const auto said = line.look({2}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "1"), heads(3, "1"),
                                      heads_are(3, {{1, "a", "1-Jan-2020 10:00:00 +0000"}})});
    check_script(said);
    CHECK(said.looked.missed == 0);
    CHECK(line.mail("a")->arrived_at == line.mail("a")->first_seen);
    // Moved out and back: it is the mail that it was.
    line.wall("2026-11-27 12:01:00");
    check_script(line.look(
        {2}, {client("R2 UID SEARCH UID 1:*\r\n"), none_found(2), client("R3 UID SEARCH UID 1\r\n"), none_found(3)}));
    line.wall("2026-11-27 12:02:00");
    check_script(line.look({3}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "2"), heads(3, "2"),
                                 heads_are(3, {{2, "a", "1-Jan-2020 10:00:00 +0000"}})}));
    REQUIRE(line.mails().size() == 2);
    CHECK(line.mails()[1].again);
}

TEST_CASE("folder shadow: mail that was moved out and back between two looks is the mail that it was",
          "[retriever][shadow]") {
    Line line;
    line.shadow.taken = config::Shadow::Taken::removed;
    check_script(line.look({1}, {client("R2 UID SEARCH UID 1:*\r\n"), none_found(2)}));
    check_script(
        line.look({2}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "1"), heads(3, "1"), heads_are(3, {{1, "a"}})}));
    line.wall("2026-11-27 12:03:00");
    const auto said =
        line.look({3}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "2"), client("R3 UID SEARCH UID 1\r\n"),
                        none_found(3), heads(4, "2"), heads_are(4, {{2, "a"}})});
    check_script(said);
    CHECK(said.looked.arrived == 0);
    CHECK(said.looked.missed == 0);
    REQUIRE(line.mails().size() == 2);
    CHECK(line.mails()[0].gone);
    CHECK(line.mails()[1].again);
}

TEST_CASE("folder shadow: a day to begin with has what arrived since then observed", "[retriever][shadow]") {
    Line line;
    line.start = {config::Start::From::date, std::chrono::sys_days(std::chrono::year(2026) / 11 / 26)};
    const auto said = line.look({9}, {client("R2 UID SEARCH SINCE 26-Nov-2026\r\n"), found(2, "7 8"),
                                      client("R3 UID SEARCH UID 7:*\r\n"), found(3, "7 8"), heads(4, "7:8"),
                                      heads_are(4, {{7, "a", "26-Nov-2026 08:00:00 +0000", "\\Seen \\Answered"},
                                                    {8, "b", "27-Nov-2026 09:00:00 +0000"}})});
    check_script(said);
    CHECK(said.looked.missed == 1);
    CHECK(line.mail("a")->seen);
    CHECK(line.state().since == store::Millis(std::chrono::sys_days(std::chrono::year(2026) / 11 / 26)));
}

TEST_CASE("folder shadow: what was forgotten for its age is not observed again, whatever is still there",
          "[retriever][shadow]") {
    Line line;
    check_script(line.look({1}, {client("R2 UID SEARCH UID 1:*\r\n"), none_found(2)}));
    line.wall("2026-11-27 10:01:00");
    check_script(line.look(
        {3}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "1 2"), heads(3, "1:2"),
              heads_are(3, {{1, "a", "27-Nov-2026 10:00:50 +0000"}, {2, "b", "27-Nov-2026 10:00:51 +0000"}})}));
    line.wall("2027-02-26 10:00:00");
    const auto forgotten = line.desk.commit([mailbox = line.desk.mailbox](store::Workbench bench) {
        return bench.store.shadows().forget(mailbox, bench.store.shadows().mails(mailbox, {}, 2)->back().arrived_at, 9);
    });
    CHECK(forgotten.value() == 1);
    check_script(line.look({3}, {client("R2 UID SEARCH UID 2:*\r\n"), found(2, "2"),
                                 client("R3 UID SEARCH UNSEEN UID 2:2\r\n"), found(3, "2")}));
    CHECK(line.mails().size() == 1);
}

TEST_CASE("folder shadow: a mail whose head is not delivered is asked for again with the next look",
          "[retriever][shadow]") {
    Line line;
    check_script(line.look({1}, {client("R2 UID SEARCH UID 1:*\r\n"), none_found(2)}));
    line.wall("2026-11-27 10:01:00");
    check_script(line.look({3}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "1 2"), heads(3, "1:2"),
                                 heads_are(3, {{2, "b", "27-Nov-2026 10:00:51 +0000"}})}));
    CHECK(line.mails().size() == 1);
    line.wall("2026-11-27 10:02:00");
    check_script(line.look(
        {3}, {client("R2 UID SEARCH UID 1:*\r\n"), found(2, "1 2"), client("R3 UID SEARCH UNSEEN UID 2:2\r\n"),
              found(3, "2"), heads(4, "1"), heads_are(4, {{1, "a", "27-Nov-2026 10:00:50 +0000"}})}));
    CHECK(line.mail("a"));
    CHECK(line.state().unseen == 0);
}

TEST_CASE("folder shadow: a folder without UIDVALIDITY, or one that cannot be opened or searched, says so",
          "[retriever][shadow]") {
    Line line;
    const auto none = line.look({1, 0}, {});
    REQUIRE(none.looked.ended);
    CHECK(none.looked.ended->how == Ended::How::folder);
    CHECK(holds(none.looked.ended->reason, "no UIDVALIDITY"));
    const auto refused = line.look({1}, {client("R2 UID SEARCH UID 1:*\r\n"), server("R2 NO not today\r\n")});
    REQUIRE(refused.looked.ended);
    CHECK(holds(refused.looked.ended->reason, "not today"));
    CHECK(line.mails().empty());
}

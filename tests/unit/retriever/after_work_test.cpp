// What becomes of mail on the server, against servers played from a script: what is done, in which commands, what is
// remembered, and what happens when it is interrupted or refused.

#include "engine/retriever/after_work.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/unit/retriever/after_desk.hpp"

using namespace retriever;
using namespace after_desk;

using namespace std::chrono_literals;

namespace {

/// What work with mail does over one connection.
struct WorkDesk : after_desk::Desk {
    using Desk::Desk;

    struct Said {
        AfterWork::Done done;
        std::string surprise;
        bool finished = false;
    };
    /// One connection, one look.
    Said perform(const AfterPolicy& policy, const Script& script, const std::string& capabilities = with_all) {
        AfterWork work({"box", mailbox, "INBOX", {"INBOX"}, policy}, house());
        return perform(work, script, capabilities);
    }
    Said perform(AfterWork& work, const Script& script, const std::string& capabilities = with_all) {
        ScriptedStream stream(Turns{server("* OK [CAPABILITY " + capabilities + "] ready\r\n")} + script.turns());
        imap::Client client(stream, {}, {});
        REQUIRE(result_of(client.greet()).has_value());
        const bool stop = false;
        Said said;
        said.done = result_of(work.perform(client, stop));
        said.surprise = stream.surprise();
        said.finished = stream.finished();
        settle();
        return said;
    }
};

AfterPolicy seen() { return {config::After::seen, "", {}}; }
AfterPolicy removed(int days = 0) { return {config::After::remove, "", std::chrono::days(days)}; }
AfterPolicy moved(std::string target = "Done") { return {config::After::move, std::move(target), {}}; }

const std::string done_there = "* LIST () \"/\" Done\r\n";
const std::string head = "From: a@b.c\r\nMessage-ID: <{}@sim.test>\r\n\r\n";

std::string head_of(std::uint32_t sequence, std::uint32_t uid, int message) {
    const auto text = fmt::format(fmt::runtime(head), message);
    return fmt::format("* {} FETCH (UID {} BODY[]<0> {{{}}}\r\n{})\r\n", sequence, uid, text.size(), text);
}

std::string fetch_head(std::uint32_t uid) { return fmt::format("UID FETCH {} (UID BODY.PEEK[]<0.16384>)", uid); }

void check_well(const WorkDesk::Said& said) {
    CHECK(said.surprise.empty());
    CHECK(said.finished);
    CHECK_FALSE(said.done.ended);
}

}  // namespace

TEST_CASE("after work: seen flags what is not flagged yet, in one command", "[retriever][after]") {
    WorkDesk desk(5, 0);
    Script script;
    script.select().search("UID 1:5 UNSEEN", "2 3 5").exchange("UID STORE 2:3,5 +FLAGS.SILENT (\\Seen)");
    const auto said = desk.perform(seen(), script);
    check_well(said);
    CHECK(said.done.mails == 3);
    CHECK(desk.state().done == 5);
    check_well(desk.perform(seen(), Script()));  // nothing is left to do: not a word
}

TEST_CASE("after work: nothing is deleted before every consumer has acknowledged it", "[retriever][after]") {
    WorkDesk desk(5, 2);
    REQUIRE(desk.commit([&](store::Workbench bench) { return bench.store.subscribe("archive", desk.mailbox); })
                .has_value());
    check_well(desk.perform(removed(), Script()));  // the second consumer has nothing yet
    REQUIRE(desk.commit([&](store::Workbench bench) { return bench.store.acknowledge("archive", desk.mailbox, 5); })
                .has_value());
    Script script;
    script.select()
        .search("UID 1:2", "1 2")
        .exchange("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        .exchange("UID EXPUNGE 1:2", "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n");
    const auto said = desk.perform(removed(), script);
    check_well(said);
    CHECK(said.done.mails == 2);
    CHECK(desk.state().done == 2);
}

TEST_CASE("after work: what was set aside, as it is damaged here, stays on the server", "[retriever][after]") {
    WorkDesk desk(3);
    REQUIRE(
        desk.commit([&](store::Workbench bench) {
                return bench.store.set_aside(
                    {.consumer = "tickets", .mailbox = desk.mailbox, .seq = 2, .at = desk.now(), .reason = "damaged"});
            })
            .has_value());
    Script script;
    script.select()
        .search("UID 1,3", "1 3")
        .exchange("UID STORE 1,3 +FLAGS.SILENT (\\Deleted)")
        .exchange("UID EXPUNGE 1,3", "* 1 EXPUNGE\r\n* 2 EXPUNGE\r\n");
    const auto said = desk.perform(removed(), script);
    check_well(said);
    CHECK(said.done.mails == 2);
    CHECK(desk.state().done == 3);
    check_well(desk.perform(removed(), Script()));
}

TEST_CASE("after work: what is not in the folder any more is done", "[retriever][after]") {
    WorkDesk desk(4);
    Script script;
    script.select()
        .search("UID 1:4", "3")
        .exchange("UID STORE 3 +FLAGS.SILENT (\\Deleted)")
        .exchange("UID EXPUNGE 3", "* 1 EXPUNGE\r\n");
    const auto said = desk.perform(removed(), script);
    check_well(said);
    CHECK(said.done.gone == 3);
    CHECK(desk.state().done == 4);
}

TEST_CASE("after work: a thousand mails cost a few commands", "[retriever][after]") {
    WorkDesk desk(1000);
    std::string all;
    for (int uid = 1; uid <= 1000; ++uid) all += fmt::format(" {}", uid);
    Script script;
    script.list("Done", done_there).select().search("UID 1:1000", all).exchange("UID MOVE 1:1000 Done");
    const auto said = desk.perform(moved(), script);
    check_well(said);
    CHECK(said.done.mails == 1000);
}

TEST_CASE("after work: a delay counts from when the mail was taken in, and says when it is over",
          "[retriever][after]") {
    WorkDesk desk(1);
    const auto first = desk.now();
    desk.clock.pass(24h);
    desk.add(2);
    desk.acknowledge(2);
    auto said = desk.perform(removed(3), Script());
    check_well(said);
    CHECK(said.done.next == first + std::chrono::days(3));
    desk.clock.pass(48h);
    Script script;
    script.select()
        .search("UID 1", "1")
        .exchange("UID STORE 1 +FLAGS.SILENT (\\Deleted)")
        .exchange("UID EXPUNGE 1", "* 1 EXPUNGE\r\n");
    said = desk.perform(removed(3), script);
    check_well(said);
    CHECK(said.done.next == first + std::chrono::days(4));
    CHECK(desk.state().done == 1);
}

TEST_CASE("after work: a folder to move to is made, with its name as the wire has it", "[retriever][after]") {
    WorkDesk desk(1);
    Script script;
    script.list("B&APw-ro", "")
        .exchange("CREATE B&APw-ro")
        .select()
        .search("UID 1", "1")
        .exchange("UID MOVE 1 B&APw-ro");
    check_well(desk.perform(moved("Büro"), script));
}

TEST_CASE("after work: a folder is found by its special use, whatever its name", "[retriever][after]") {
    WorkDesk desk(1);
    Script script;
    script.list("\"*\"", "* LIST () \"/\" INBOX\r\n* LIST (\\HasNoChildren \\Trash) \"/\" \"[Gmail]/Papierkorb\"\r\n")
        .select()
        .search("UID 1", "1")
        .exchange("UID MOVE 1 \"[Gmail]/Papierkorb\"");
    config::Mailbox mailbox;
    mailbox.after = config::After::remove;
    config::Provider gmail;
    gmail.preset = "gmail";
    check_well(desk.perform(after_policy_of(mailbox, gmail), script));  // delete there means so
}

TEST_CASE("after work: without a folder of that use, it waits and says so", "[retriever][after]") {
    WorkDesk desk(1);
    Script script;
    script.list("\"*\"", "* LIST () \"/\" INBOX\r\n");
    const auto said = desk.perform(moved("\\Trash"), script);
    check_well(said);
    CHECK(desk.state().parked == "the mailbox shows no folder for the use \\Trash");
    CHECK(said.done.next == desk.now() + 1min);
}

TEST_CASE("after work: mail is not moved to where it is fetched from", "[retriever][after]") {
    WorkDesk desk(1);
    Script script;
    script.list("\"*\"", "* LIST (\\Archive) \"/\" INBOX\r\n");
    check_well(desk.perform(moved("\\Archive"), script));
    CHECK(desk.state().parked == "mail would be moved to INBOX, which is fetched itself");
}

TEST_CASE("after work: under another UIDVALIDITY nothing is touched", "[retriever][after]") {
    WorkDesk desk(3);
    Script script;
    script.select(validity + 1);
    check_well(desk.perform(removed(), script));
    CHECK(desk.state().done == 0);
}

TEST_CASE("after work: mail of an older UIDVALIDITY is passed over, and never comes again", "[retriever][after]") {
    WorkDesk desk(0);
    desk.add(1, validity - 1);
    desk.add(2, validity - 1);
    desk.add(1);
    desk.acknowledge(3);
    Script script;
    script.select()
        .search("UID 1", "1")
        .exchange("UID STORE 1 +FLAGS.SILENT (\\Deleted)")
        .exchange("UID EXPUNGE 1", "* 1 EXPUNGE\r\n");
    check_well(desk.perform(removed(), script));
    CHECK(desk.state().done == 3);
}

TEST_CASE("after work: another policy begins at the front", "[retriever][after]") {
    WorkDesk desk(2);
    Script flagging;
    flagging.select().search("UID 1:2 UNSEEN", "1 2").exchange("UID STORE 1:2 +FLAGS.SILENT (\\Seen)");
    check_well(desk.perform(seen(), flagging));
    Script moving;
    moving.list("Done", done_there).select().search("UID 1:2", "1 2").exchange("UID MOVE 1:2 Done");
    check_well(desk.perform(moved(), moving));
    CHECK(desk.state().policy == "move:Done");
}

TEST_CASE("after work: a refusal waits with the server's words, and is tried again in time", "[retriever][after]") {
    WorkDesk desk(3);
    AfterWork work({"box", desk.mailbox, "INBOX", {"INBOX"}, removed()}, desk.house());
    const std::string no = "NO [NOPERM] You may not";
    Script script;
    script.select().search("UID 1:3", "1 2 3");
    for (const char* set : {"1:3", "1", "2:3", "2", "3"})
        script.exchange(fmt::format("UID STORE {} +FLAGS.SILENT (\\Deleted)", set), "", no);
    auto said = desk.perform(work, script);
    check_well(said);
    CHECK(said.done.mails == 0);
    CHECK(desk.state().parked.find("[NOPERM] You may not") != std::string::npos);
    CHECK(desk.state().done == 0);
    CHECK(said.done.next == desk.now() + 1min);

    check_well(desk.perform(work, Script()));       // not before its time
    check_well(desk.perform(removed(), Script()));  // nor after a restart
    desk.clock.pass(61s);
    Script again;
    again.select()
        .search("UID 1:3", "1 2 3")
        .exchange("UID STORE 1:3 +FLAGS.SILENT (\\Deleted)")
        .exchange("UID EXPUNGE 1:3");
    check_well(desk.perform(work, again));
    CHECK(desk.state().parked.empty());
    CHECK(desk.state().attempts == 0);
    CHECK(desk.state().done == 3);
}

TEST_CASE("after work: one mail that is refused stops no other", "[retriever][after]") {
    WorkDesk desk(4);
    AfterWork work({"box", desk.mailbox, "INBOX", {"INBOX"}, moved()}, desk.house());
    const std::string no = "NO [LIMIT] Too large";
    Script script;
    script.list("Done", done_there)
        .select()
        .search("UID 1:4", "1 2 3 4")
        .exchange("UID MOVE 1:4 Done", "", no)
        .exchange("UID MOVE 1:2 Done")
        .exchange("UID MOVE 3:4 Done", "", no)
        .exchange("UID MOVE 3 Done", "", no)
        .exchange("UID MOVE 4 Done");
    auto said = desk.perform(work, script);
    check_well(said);
    CHECK(said.done.mails == 3);
    CHECK(desk.state().done == 2);
    CHECK(desk.state().parked.find("Too large") != std::string::npos);

    desk.add(5);  // goes on behind it
    desk.acknowledge(5);
    Script more;
    more.select().search("UID 5", "5").exchange("UID MOVE 5 Done");
    check_well(desk.perform(work, more));
    CHECK(desk.state().done == 2);
    desk.clock.pass(61s);
    Script again;
    again.select().search("UID 3:5", "3").exchange("UID MOVE 3 Done");
    check_well(desk.perform(work, again));
    CHECK(desk.state().done == 5);
    CHECK(desk.state().parked.empty());
}

TEST_CASE("after work: a folder that opens for reading only waits", "[retriever][after]") {
    WorkDesk desk(1);
    Script script;
    script.select(validity, "OK [READ-ONLY] done");
    check_well(desk.perform(removed(), script));
    CHECK(desk.state().parked.find("for reading only") != std::string::npos);
}

TEST_CASE("after work: a full mailbox parks the job, a throttled account the session", "[retriever][after]") {
    WorkDesk desk(1);
    Script full;
    full.list("Done", done_there)
        .select()
        .search("UID 1", "1")
        .exchange("UID MOVE 1 Done", "", "NO [OVERQUOTA] Mailbox is full");
    check_well(desk.perform(moved(), full));
    CHECK(desk.state().parked.find("Mailbox is full") != std::string::npos);

    WorkDesk other(1);
    Script throttled;
    throttled.list("Done", done_there)
        .select()
        .search("UID 1", "1")
        .exchange("UID MOVE 1 Done", "", "BAD Request is throttled. Suggested Backoff Time: 5000 milliseconds");
    const auto said = other.perform(moved(), throttled);
    REQUIRE(said.done.ended);
    CHECK(said.done.ended->how == Ended::How::throttled);
    CHECK(said.done.ended->pause == 5s);
    CHECK(other.state().parked.empty());
}

TEST_CASE("after work: without UIDPLUS, EXPUNGE is said only when it takes nobody else's mail", "[retriever][after]") {
    WorkDesk desk(3, 2);
    Script alone;
    alone.select()
        .search("UID 1:2", "1 2")
        .exchange("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        .search("DELETED", "1 2")
        .exchange("EXPUNGE", "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n");
    check_well(desk.perform(removed(), alone, with_nothing));

    WorkDesk shared(2);
    Script left;
    left.select()
        .search("UID 1:2", "1 2")
        .exchange("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        .search("DELETED", "1 2 9");
    check_well(shared.perform(removed(), left, with_nothing));
    CHECK(shared.state().done == 2);  // flagged, and left
}

TEST_CASE("after work: where a server cannot move, it is copied, written down, and removed", "[retriever][after]") {
    WorkDesk desk(2);
    Script script;
    script.list("Done", done_there)
        .select()
        .search("UID 1:2", "1 2")
        .exchange("STATUS Done (MESSAGES UIDNEXT UIDVALIDITY)",
                  "* STATUS Done (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 9)\r\n")
        .exchange("UID COPY 1:2 Done", "", "OK [COPYUID 9 1:2 4:5] done")
        .exchange("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        .exchange("UID EXPUNGE 1:2", "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n");
    check_well(desk.perform(moved(), script, without_move));
    CHECK_FALSE(desk.intent());
    CHECK(desk.state().done == 2);
}

TEST_CASE("after work: a copy whose answer was lost is looked for, and not made twice", "[retriever][after]") {
    WorkDesk desk(3);
    Script cut;
    cut.list("Done", done_there)
        .select()
        .search("UID 1:3", "1 2 3")
        .exchange("STATUS Done (MESSAGES UIDNEXT UIDVALIDITY)",
                  "* STATUS Done (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 9)\r\n")
        .lost("UID COPY 1:3 Done");
    const auto lost = desk.perform(moved(), cut, without_move);
    CHECK(lost.surprise.empty());
    REQUIRE(lost.done.ended);
    REQUIRE(desk.intent());
    CHECK_FALSE(desk.intent()->copied);

    // Two of them had been copied, beside somebody else's mail. Heads that do not come at once are no proof.
    Script resumed;
    resumed.list("Done", done_there)
        .exchange("EXAMINE Done", "* 6 EXISTS\r\n* OK [UIDVALIDITY 9] v\r\n")
        .search("UID 4:*", "4 5 6")
        .exchange(fetch_head(4), head_of(4, 4, 77))
        .exchange(fetch_head(5), "", "NO [INUSE] Busy")
        .exchange(fetch_head(5), head_of(5, 5, 1))
        .exchange(fetch_head(6), head_of(6, 6, 2))
        .exchange("EXAMINE INBOX", "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n")
        .exchange(fetch_head(1))
        .exchange(fetch_head(1), head_of(1, 1, 1))
        .exchange(fetch_head(2), head_of(2, 2, 2))
        .exchange(fetch_head(3), head_of(3, 3, 3))
        .select()
        .search("UID 1:2", "1 2")
        .exchange("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        .exchange("UID EXPUNGE 1:2", "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n")
        .search("UID 1:3", "3")
        .exchange("STATUS Done (MESSAGES UIDNEXT UIDVALIDITY)",
                  "* STATUS Done (MESSAGES 6 UIDNEXT 7 UIDVALIDITY 9)\r\n")
        .exchange("UID COPY 3 Done")
        .exchange("UID STORE 3 +FLAGS.SILENT (\\Deleted)")
        .exchange("UID EXPUNGE 3", "* 1 EXPUNGE\r\n");
    check_well(desk.perform(moved(), resumed, without_move));
    CHECK_FALSE(desk.intent());
    CHECK(desk.state().done == 3);
}

TEST_CASE("after work: a copy that the server confirmed is only cleared away", "[retriever][after]") {
    WorkDesk desk(1);
    Script cut;
    cut.list("Done", done_there)
        .select()
        .search("UID 1", "1")
        .exchange("STATUS Done (MESSAGES UIDNEXT UIDVALIDITY)",
                  "* STATUS Done (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 9)\r\n")
        .exchange("UID COPY 1 Done", "", "OK [COPYUID 9 1 4] done")
        .lost("UID STORE 1 +FLAGS.SILENT (\\Deleted)");
    CHECK(desk.perform(moved(), cut, without_move).done.ended);
    REQUIRE(desk.intent());
    CHECK(desk.intent()->copied);
    Script resumed;
    resumed.list("Done", done_there)
        .select()
        .search("UID 1", "1")
        .exchange("UID STORE 1 +FLAGS.SILENT (\\Deleted)")
        .exchange("UID EXPUNGE 1", "* 1 EXPUNGE\r\n")
        .search("UID 1", "");
    check_well(desk.perform(moved(), resumed, without_move));
    CHECK_FALSE(desk.intent());
}

TEST_CASE("after work: when originals cannot be removed, they are not copied again", "[retriever][after]") {
    WorkDesk desk(2);
    const std::string no = "NO [NOPERM] You may not";
    Script script;
    script.list("Done", done_there)
        .select()
        .search("UID 1:2", "1 2")
        .exchange("STATUS Done (MESSAGES UIDNEXT UIDVALIDITY)",
                  "* STATUS Done (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 9)\r\n")
        .exchange("UID COPY 1:2 Done")
        .exchange("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)", "", no);
    check_well(desk.perform(moved(), script, without_move));
    CHECK(desk.state().parked.find("You may not") != std::string::npos);
    CHECK(desk.intent()->copied);
    desk.clock.pass(61s);
    Script again;
    again.list("Done", done_there)
        .select()
        .search("UID 1:2", "1 2")
        .exchange("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)", "", no);
    check_well(desk.perform(moved(), again, without_move));
    CHECK(desk.state().attempts == 2);
}

TEST_CASE("after work: a hang-up after any turn ends in an error, and is repeated without harm", "[retriever][after]") {
    Script whole;
    whole.list("Done", done_there).select().search("UID 1:2", "1 2").exchange("UID MOVE 1:2 Done");
    const auto turns = whole.turns();
    for (std::size_t kept = 0; kept < turns.size() - 1; ++kept) {
        CAPTURE(kept);
        WorkDesk desk(2);
        AfterWork work({"box", desk.mailbox, "INBOX", {"INBOX"}, moved()}, desk.house());
        ScriptedStream stream(Turns{server("* OK [CAPABILITY " + with_all + "] ready\r\n")} +
                              Turns(turns.begin(), turns.begin() + static_cast<std::ptrdiff_t>(kept)));
        imap::Client client(stream, {}, {});
        REQUIRE(desk.result_of(client.greet()).has_value());
        const bool stop = false;
        CHECK(desk.result_of(work.perform(client, stop)).ended);
        CHECK(desk.state().done == 0);
        check_well(desk.perform(moved(), whole));
        CHECK(desk.state().done == 2);
    }
}

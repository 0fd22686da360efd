// A mailbox whose server shows a mail in several folders under one id, as Gmail does with labels: its body is fetched
// once, unless something speaks against it being the same.

#include "tests/unit/retriever/folder_desk.hpp"

using namespace folder_desk;

namespace {

const std::string date = "02-Nov-2023 10:00:00 +0000";

struct Mail {
    std::string id;
    std::string text;
    [[nodiscard]] std::string bytes() const {
        return "Message-ID: <" + text + "@there.test>\r\nSubject: " + text + "\r\n\r\nhello\r\n";
    }
};
const Mail a{"101", "a"}, b{"102", "b"}, c{"103", "c"};

std::string whole(std::uint32_t uid, const Mail& mail, const std::string& bytes) {
    const auto number = std::to_string(uid);
    return "* " + number + " FETCH (UID " + number + " X-GM-MSGID " + mail.id + " INTERNALDATE \"" + date +
           "\" BODY[] {" + std::to_string(bytes.size()) + "}\r\n" + bytes + ")\r\n";
}
std::string whole(std::uint32_t uid, const Mail& mail) { return whole(uid, mail, mail.bytes()); }

std::string named(std::uint32_t uid, const Mail& mail, std::size_t bytes, const std::string& when = date) {
    const auto number = std::to_string(uid);
    return "* " + number + " FETCH (UID " + number + " X-GM-MSGID " + mail.id + " INTERNALDATE \"" + when +
           "\" RFC822.SIZE " + std::to_string(bytes) + ")\r\n";
}
std::string named(std::uint32_t uid, const Mail& mail) { return named(uid, mail, mail.bytes().size()); }

Turn names_of(int tag, const std::string& set) {
    return client("R" + std::to_string(tag) + " UID FETCH " + set + " (UID X-GM-MSGID INTERNALDATE RFC822.SIZE)\r\n");
}
Turn bodies_of(int tag, const std::string& set) {
    return client("R" + std::to_string(tag) + " UID FETCH " + set +
                  " (UID X-GM-MSGID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n");
}

/// Gmail, with a and b in the inbox: both taken.
struct Labels {
    Desk desk;
    Labels() {
        desk.capabilities = "IMAP4rev1 X-GM-EXT-1";
        desk.has_siblings = true;
        const auto said =
            desk.connect({search(2, 1), found(2, "5 6"), names_of(3, "5:6"), server(named(5, a) + named(6, b)), done(3),
                          bodies_of(4, "5:6"), server(whole(5, a) + whole(6, b)), done(4)},
                         7, 2);
        INFO(said.surprise);
        REQUIRE((said.finished && !said.opened && !said.taken.ended && said.taken.stored == 2));
        desk.opens = "Sales";
    }
    bool knows(std::uint32_t uid) {
        const auto look_up = [folder = desk.folder().number, uid](store::Workbench bench) -> Result<int> {
            const auto known = bench.store.knows(folder, 9, uid);
            if (!known) return known.error();
            return *known ? 1 : 0;
        };
        return *desk.commit(look_up) == 1;
    }
    void check(const Desk::Said& said) {
        INFO(said.surprise);
        CHECK(said.finished);
        CHECK_FALSE(said.opened);
        CHECK_FALSE(said.taken.ended);
    }
};

}  // namespace

TEST_CASE("labels: what another folder has shown is known, and only the rest is fetched", "[retriever]") {
    Labels labels;
    const auto said = labels.desk.connect(
        {search(2, 1), found(2, "1 2 3"), names_of(3, "1:3"), server(named(1, b) + named(2, c) + named(3, a)), done(3),
         bodies_of(4, "2"), server(whole(2, c)), done(4)},
        4, 3, 9);
    labels.check(said);
    CHECK(said.taken.stored == 1);
    CHECK(said.taken.known_before == 2);
    CHECK(labels.desk.stored() == std::vector<std::uint32_t>{5, 6, 2});  // of both folders
    CHECK((labels.knows(1) && labels.knows(2) && labels.knows(3)));
    CHECK(labels.desk.folder().cursor == 3);
    CHECK(labels.desk.rows().empty());
    // The next connection finds nothing new, and one that is copied again is known, too.
    labels.check(
        labels.desk.connect({search(2, 4), found(2, "4"), names_of(3, "4"), server(named(4, c)), done(3)}, 5, 4, 9));
    CHECK(labels.desk.folder().cursor == 4);
    CHECK(labels.desk.stored().size() == 3);
}

TEST_CASE("labels: nothing that is fetched can be left out because a server gives ids away twice", "[retriever]") {
    Labels labels;
    const auto [uid, told] = GENERATE_COPY(table<std::uint32_t, std::string>({
        {1, named(1, a, a.bytes().size() + 1)},                            // another size
        {1, named(1, a, a.bytes().size(), "02-Nov-2023 10:00:01 +0000")},  // another date
        {1, "* 1 FETCH (UID 1 X-GM-MSGID " + a.id + ")\r\n"},              // neither told
        {1, "* 1 FETCH (UID 1 X-GM-MSGID NIL RFC822.SIZE 12)\r\n"},        // no id
        {1, ""},                                                           // nothing at all
        {1, named(2, a)},                                                  // of another one
    }));
    CAPTURE(told);
    const Mail other{a.id, "d"};
    const auto said = labels.desk.connect({search(2, 1), found(2, "1"), names_of(3, "1"), server(told), done(3),
                                           bodies_of(4, "1"), server(whole(1, other)), done(4)},
                                          2, 1, 9);
    labels.check(said);
    CHECK(said.taken.stored == 1);
    CHECK(labels.desk.body_of(uid) == other.bytes());
    CHECK(labels.desk.folder().cursor == 1);
}

TEST_CASE("labels: a server that refuses to tell ids is asked for the bodies", "[retriever]") {
    Labels labels;
    const auto said =
        labels.desk.connect({search(2, 1), found(2, "1"), names_of(3, "1"), server("R3 BAD what is that\r\n"),
                             bodies_of(4, "1"), server(whole(1, a)), done(4)},
                            2, 1, 9);
    labels.check(said);
    CHECK(said.taken.stored == 0);  // its bytes are known
    CHECK(labels.knows(1));
}

TEST_CASE("labels: what has no Message-ID and no Received is never known by its id alone", "[retriever]") {
    Labels labels;
    const Mail form{"104", "form"};
    const std::string bytes = "Subject: form\r\n\r\nthe same each time\r\n";
    for (const std::uint32_t uid : {1U, 2U}) {
        const auto set = std::to_string(uid);
        const auto said = labels.desk.connect(
            {search(2, static_cast<int>(uid)), found(2, set), names_of(3, set), server(named(uid, form, bytes.size())),
             done(3), bodies_of(4, set), server(whole(uid, form, bytes)), done(4)},
            uid + 1, uid, 9);
        labels.check(said);
        CHECK(said.taken.stored == 1);
    }
}

TEST_CASE("labels: of a mail that was set aside the copy is fetched", "[retriever]") {
    Labels labels;
    const auto put = [mailbox = labels.desk.mailbox](store::Workbench bench) -> Result<void> {
        const auto rows = bench.store.messages(mailbox, 0, 1);
        auto step = bench.store.subscribe("tickets", mailbox);
        store::SetAside aside;
        aside.consumer = "tickets";
        aside.mailbox = mailbox;
        aside.seq = rows->front().seq;
        aside.reason = "damaged";
        if (step) step = bench.store.set_aside(aside);
        return step;
    };
    REQUIRE(labels.desk.commit(put).has_value());
    const auto said = labels.desk.connect({search(2, 1), found(2, "1"), names_of(3, "1"), server(named(1, a)), done(3),
                                           bodies_of(4, "1"), server(whole(1, a)), done(4)},
                                          2, 1, 9);
    labels.check(said);
    CHECK(said.taken.stored == 1);
    // From now on that one is the original.
    labels.desk.opens = "Later";
    labels.check(
        labels.desk.connect({search(2, 1), found(2, "8"), names_of(3, "8"), server(named(8, a)), done(3)}, 9, 1, 9));
}

TEST_CASE("labels: mailboxes with one folder, and servers without such ids, are asked for bodies at once",
          "[retriever]") {
    Desk desk;
    const bool siblings = GENERATE(false, true);
    desk.has_siblings = siblings;
    if (!siblings) desk.capabilities = "IMAP4rev1 X-GM-EXT-1";
    const auto said =
        desk.connect({search(2, 1), found(2, "5"), fetch_of(3, "5"), server(message(1, 5)), done(3)}, 6, 1);
    INFO(said.surprise);
    CHECK(said.finished);
    CHECK(said.taken.stored == 1);
}

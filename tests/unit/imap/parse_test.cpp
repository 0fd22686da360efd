#include <catch2/catch.hpp>

#include "protocols/imap/command.hpp"
#include "protocols/imap/cursor.hpp"
#include "protocols/imap/errc.hpp"
#include "protocols/imap/mailbox_name.hpp"
#include "protocols/imap/parse.hpp"
#include "protocols/imap/session.hpp"

using imap::NameCoding;
using imap::Response;
using imap::Syntax;
using Kind = imap::Response::Kind;

TEST_CASE("imap parse: each kind of response", "[imap]") {
    const Response tagged = imap::read_response("R4 OK [READ-WRITE] SELECT completed.\r\n");
    CHECK(tagged.kind == Kind::tagged);
    CHECK(tagged.tag == "R4");
    CHECK(tagged.name == "OK");
    CHECK(tagged.rest == "[READ-WRITE] SELECT completed.");
    const Response counted = imap::read_response("*  2556  EXISTS");
    CHECK(counted.is("exists"));
    CHECK(counted.number == 2556U);
    CHECK(imap::read_response("+").kind == Kind::continuation);
    CHECK(imap::read_response("+ e30=\r\n").rest == "e30=");
    for (const char* bare : {"", "*", "* ", "Server Unavailable. 15", "[COPYUID 55 31 6]", "x", " OK"}) {
        CAPTURE(bare);
        CHECK(imap::read_response(bare).kind == Kind::bare);
    }
}

TEST_CASE("imap parse: response codes, with and without words", "[imap]") {
    CHECK(imap::read_status_text("[UIDVALIDITY 17] words").code == "UIDVALIDITY 17");
    CHECK(imap::read_status_text("[UIDVALIDITY 17] words").text == "words");
    CHECK(imap::read_status_text("[HIGHESTMODSEQ 9]").code == "HIGHESTMODSEQ 9");
    CHECK(imap::read_status_text("[HIGHESTMODSEQ 9]").text.empty());
    CHECK(imap::read_status_text("[broken words").text == "[broken words");
    CHECK(imap::read_status_text("a\x1b[31mb").text == "a\\x1b[31mb");
    CHECK(imap::number_in("UIDNEXT 17", "uidnext") == 17U);
    CHECK_FALSE(imap::number_in("UIDNEXT", "UIDNEXT"));
    CHECK_FALSE(imap::number_in("UIDNEXTER 17", "UIDNEXT"));
    CHECK_FALSE(imap::number_in("UIDNEXT 17x", "UIDNEXT"));
}

TEST_CASE("imap parse: LIST, also as Exchange sends it", "[imap]") {
    const struct {
        const char* rest;
        const char* name;
        char delimiter;
    } table[] = {
        {"(\\HasNoChildren) \"/\" \"INBOX\"", "INBOX", '/'},
        {"() \".\" INBOX.Sent", "INBOX.Sent", '.'},
        {"() NIL \"\"", "", '\0'},
        {"() \"/\" {5}\r\na\"b\\c", "a\"b\\c", '/'},
        {"() \"\\\\\" \"a\\\\b\\\"c\"", "a\\b\"c", '\\'},
        {"() \"/\" Sent Items", "Sent Items", '/'},  // unquoted, with a blank
        {"() \"/\" odd\tname", "odd\tname", '/'},    // unquoted, with a control
        {"() \"/\" Calendar\"", "Calendar", '/'},    // opening quote missing
        {"() \"/\" \"half", "\"half", '/'},          // closing quote missing
        {"() \"/\" \"a\" (\"CHILDINFO\" (\"SUBSCRIBED\"))", "a", '/'},
        {"() \"/\" &AOQ-", "\xc3\xa4", '/'},
    };
    for (const auto& row : table) {
        CAPTURE(row.rest);
        const auto entry = imap::read_list_entry(row.rest, NameCoding::utf7);
        REQUIRE(entry);
        CHECK(entry->name == row.name);
        CHECK(entry->delimiter == row.delimiter);
    }
    for (const char* bad : {"", "(", "()", "() ", "() \"/\"", "() \"//\" a", "() / a", "(\\A \"/\" a", "() \"/\" "}) {
        CAPTURE(bad);
        CHECK_FALSE(imap::read_list_entry(bad, NameCoding::utf7));
    }
    CHECK(imap::read_list_entry("() \"/\" &AOQ-", NameCoding::utf8)->name == "&AOQ-");
}

TEST_CASE("imap parse: ESEARCH", "[imap]") {
    const auto found = [](std::string_view rest) -> std::string {
        imap::UidSet uids;
        const auto read = imap::read_esearch(rest, 1000, uids);
        return read ? uids.text() : read.error().message();
    };
    const std::string malformed = make_error_code(imap::errc::malformed_response).message();
    CHECK(found("(TAG \"A1\") UID ALL 4:18,21") == "4:18,21");
    CHECK(found("(TAG {2}\r\nA1) UID COUNT 2 ALL 18:4 MODSEQ 5 X (a (b))") == "4:18");
    CHECK(found("UID") == "");
    CHECK(found("") == "");
    for (const char* bad :
         {"(TAG", "UID ALL", "UID ALL x", "UID ALL 1:", "UID ALL 1:*", "UID ALL 1,,x", "UID MIN", ")"}) {
        CAPTURE(bad);
        CHECK(found(bad) == malformed);
    }
    imap::UidSet few;
    CHECK(imap::read_esearch("UID ALL 1,3,5", 2, few).error() == imap::errc::too_many_responses);
}

TEST_CASE("imap parse: STATUS", "[imap]") {
    const auto status = imap::read_status("\"my (box)\" (MESSAGES 231 X (1 (2)) UIDNEXT 44292 UIDVALIDITY 7)");
    REQUIRE(status.has_value());
    CHECK(status->exists == 231);
    CHECK(status->uid_next == 44292);
    CHECK(status->uid_validity == 7);
    CHECK(imap::read_status("my box (MESSAGES 2)")->exists == 2);
    CHECK(imap::read_status("box ()")->exists == 0);
    for (const char* bad :
         {"", "box", "box (", "box (MESSAGES", "box (MESSAGES 1", "box (MESSAGES)", "box (X ((((((1))))))"}) {
        CAPTURE(bad);
        CHECK(imap::read_status(bad).has_error());
    }
}

TEST_CASE("imap parse: literal announcements", "[imap]") {
    CHECK(imap::literal_announced("a {12}")->bytes == 12U);
    CHECK(imap::literal_announced("a {12+}")->bytes == 12U);
    CHECK(imap::literal_announced("a ~{12}")->text_bytes == 5);
    CHECK_FALSE(imap::literal_announced("{99999999999999999999999}")->bytes);
    for (const char* none : {"", "}", "{}", "{+}", "{1", "{1 }", "{-1}", "{x}", "1}", "{1}x"}) {
        CAPTURE(none);
        CHECK_FALSE(imap::literal_announced(none));
    }
}

TEST_CASE("imap parse: a cursor takes nothing when it cannot take all", "[imap]") {
    for (const char* bytes : {"\"abc", "\"abc\\", "{3}\r\nab", "{3}", "{3", "(a (b)", "(", "(\"a", ")"}) {
        CAPTURE(bytes);
        imap::Cursor at{bytes};
        CHECK_FALSE(at.string());
        CHECK_FALSE(at.skip_value(32));
        CHECK(at.rest == bytes);
    }
    imap::Cursor nested{"((((a))))"};
    CHECK_FALSE(nested.skip_value(3));
    CHECK(nested.skip_value(4));
    CHECK(nested.rest.empty());
}

TEST_CASE("imap parse: capabilities are upper case and bounded", "[imap]") {
    CHECK(imap::read_capabilities("imap4rev1 Idle  AUTH=XOAUTH2", 10) ==
          std::vector<std::string>{"IMAP4REV1", "IDLE", "AUTH=XOAUTH2"});
    CHECK(imap::read_capabilities("a b c", 2).size() == 2);
    CHECK(imap::read_capabilities("", 2).empty());
}

TEST_CASE("mailbox name: modified UTF-7 both ways", "[imap]") {
    const struct {
        const char* utf8;
        const char* wire;
    } table[] = {
        {"", ""},
        {"INBOX", "INBOX"},
        {"a&b", "a&-b"},
        {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
         "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
        {"Entw\xc3\xbcrfe", "Entw&APw-rfe"},
        {"\xf0\x9f\x93\xa7", "&2D3c5w-"},
        {"a\tb", "a&AAk-b"},
        {"\xc3\xa4&\xc3\xa4", "&AOQ-&-&AOQ-"},
        {"\xe2\x82\xac-", "&IKw--"},
    };
    for (const auto& row : table) {
        CAPTURE(row.utf8);
        CHECK(imap::mailbox_name_to_utf7(row.utf8) == row.wire);
        CHECK(imap::mailbox_name_from_utf7(row.wire) == row.utf8);
    }
}

TEST_CASE("mailbox name: what is no UTF-8 is replaced, what is no UTF-7 stays", "[imap][hostile-33]") {
    for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\x80"}) {
        CAPTURE(bad);
        CHECK(imap::mailbox_name_to_utf7(bad).find("&,,") == 0);  // U+FFFD
    }
    for (const char* as_is : {"&", "&A", "&A-", "&AOQ", "&2D0-", "&3Oc-", "a&b-c", "&!!!!-", "&&", "\xc3\xa4"}) {
        CAPTURE(as_is);
        CHECK(imap::mailbox_name_from_utf7(as_is) == as_is);
    }
    const std::string run(60'000, '&');
    CHECK(imap::mailbox_name_from_utf7(run) == run);
}

TEST_CASE("imap command: a string goes out as atom, quoted, or literal, whichever holds it", "[imap]") {
    const auto pieces = [](std::string_view text, Syntax syntax) {
        imap::Command command("R1", "SELECT");
        REQUIRE(command.astring(text, syntax).has_value());
        return std::move(command).pieces();
    };
    using Pieces = std::vector<std::string>;
    const Syntax plain;
    Syntax literal_plus;
    literal_plus.literals = Syntax::Literals::all_without_waiting;
    Syntax literal_minus;
    literal_minus.literals = Syntax::Literals::small_without_waiting;
    CHECK(pieces("INBOX", plain) == Pieces{"R1 SELECT INBOX\r\n"});
    CHECK(pieces("", plain) == Pieces{"R1 SELECT \"\"\r\n"});
    CHECK(pieces("nil", plain) == Pieces{"R1 SELECT \"nil\"\r\n"});
    CHECK(pieces("a b\\\"", plain) == Pieces{"R1 SELECT \"a b\\\\\\\"\"\r\n"});
    CHECK(pieces("\xc3\xa4", plain) == Pieces{"R1 SELECT {2}\r\n", "\xc3\xa4\r\n"});
    CHECK(pieces("\xc3\xa4", literal_plus) == Pieces{"R1 SELECT {2+}\r\n\xc3\xa4\r\n"});
    CHECK(pieces("\xc3\xa4", literal_minus) == Pieces{"R1 SELECT {2+}\r\n\xc3\xa4\r\n"});
    CHECK(pieces(std::string(5000, ' '), literal_minus).size() == 2);
    CHECK(pieces(std::string(5000, ' '), literal_plus).size() == 1);
    for (const std::string& bad : {std::string("a\rb"), std::string("a\nb"), std::string("a\0b", 3)}) {
        imap::Command command("R1", "SELECT");
        CHECK(command.astring(bad, plain).error() == imap::errc::bad_argument);
    }
}

TEST_CASE("imap session: keeps what untagged responses say of the mailbox", "[imap]") {
    imap::Session session;
    for (const char* text : {"* 5 EXISTS", "* OK [UIDVALIDITY 9] x", "* OK [UIDNEXT 12]", "* 2 EXPUNGE",
                             "* NO [UIDNEXT 99] x", "R1 OK [READ-ONLY] done", "* OK [HIGHESTMODSEQ 9]"})
        session.take_in(imap::read_response(text));
    CHECK(session.selected().exists == 4);
    CHECK(session.selected().uid_validity == 9);
    CHECK(session.selected().uid_next == 12);
    CHECK(session.selected().read_only);
    session.take_in(imap::read_response("R2 OK [CAPABILITY IMAP4rev1 LITERAL-] done"));
    CHECK(session.can("literal-"));
    CHECK_FALSE(session.can("LITERAL"));
    CHECK(session.syntax().literals == Syntax::Literals::small_without_waiting);
    CHECK(session.next_tag() == "R1");
    CHECK(session.next_tag() == "R2");
}

#include <catch2/catch.hpp>
#include <string>

#include "protocols/pop3/parse.hpp"

using namespace pop3;

TEST_CASE("pop3: status lines", "[pop3]") {
    struct Row {
        const char* line;
        bool accepted;
        const char* code;
        const char* text;
    };
    const Row rows[] = {
        {"+OK", true, "", ""},
        {"+ok  2 messages ", true, "", "2 messages"},
        {"-ERR [AUTH] Invalid", false, "AUTH", "Invalid"},
        {"-ERR [SYS/TEMP]", false, "SYS/TEMP", ""},
        {"-ERR [IN-USE]\tlocked", false, "IN-USE", "locked"},
        {"-ERR [no end", false, "", "[no end"},
        {"-ERR Protocol error. Connection is closed. 10", false, "", "Protocol error. Connection is closed. 10"},
        {"-ERR a\x01", false, "", "a\\x01"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.line);
        const auto answer = read_answer(row.line);
        REQUIRE(answer);
        CHECK(answer->ok() == row.accepted);
        CHECK(answer->code == row.code);
        CHECK(answer->text == row.text);
    }
    for (const char* line : {"", "OK", "* OK IMAP", "+OKAY", "-ERROR", "220 smtp", "+", "+ x"}) {
        CAPTURE(line);
        CHECK_FALSE(read_answer(line));
    }
}

TEST_CASE("pop3: continuations", "[pop3]") {
    CHECK(read_continuation("+") == std::string_view());
    CHECK(read_continuation("+ ") == std::string_view());
    CHECK(read_continuation("+ YQ==") == std::string_view("YQ=="));
    CHECK_FALSE(read_continuation("+OK"));
    CHECK_FALSE(read_continuation("-ERR"));
}

TEST_CASE("pop3: entries of listings", "[pop3]") {
    CHECK(read_stat("2 320")->messages == 2);
    CHECK(read_stat("2 320 and more")->bytes == 320);
    for (const char* text : {"", "2", "x 1", "2 -1", "99999999999999999999 1"}) CHECK_FALSE(read_stat(text));

    CHECK(read_list_entry("3 1205")->number == 3);
    CHECK(read_list_entry("3 1205 more")->bytes == 1205);
    CHECK(read_list_entry("4294967295 18446744073709551615")->number == 4294967295U);
    for (const char* line : {"", "3", "0 1", "4294967296 1", "3 x", "-1 1", "+1 1"}) {
        CAPTURE(line);
        CHECK_FALSE(read_list_entry(line));
    }

    CHECK(read_uidl_entry("2 QhdPYR:00WBw1Ph7x7", 70)->uidl == "QhdPYR:00WBw1Ph7x7");
    CHECK(read_uidl_entry("2  !~ ", 70)->uidl == "!~");
    CHECK(read_uidl_entry("2 " + std::string(70, 'a'), 70));
    for (const std::string& line : {std::string(""), std::string("2"), std::string("0 a"), std::string("2 a b"),
                                    std::string("2 \x7f"), std::string("2 \xc3\xa4"), "2 " + std::string(71, 'a')}) {
        CAPTURE(line);
        CHECK_FALSE(read_uidl_entry(line, 70));
    }
}

TEST_CASE("pop3: capabilities", "[pop3]") {
    Capabilities known;
    for (const char* line : {"TOP", "uidl", "USER", "STLS", "PIPELINING", "UTF8 USER", "RESP-CODES", "X-GOOGLE-RICO",
                             "", "SASL PLAIN xoauth2", "LOGIN-DELAY 300 USER", "EXPIRE 0"})
        read_capability(line, known);
    CHECK(known.top);
    CHECK(known.uidl);
    CHECK(known.user);
    CHECK(known.stls);
    CHECK(known.pipelining);
    CHECK(known.utf8);
    CHECK(known.offers("XOAUTH2"));
    CHECK(known.offers("plain"));
    CHECK_FALSE(known.offers("OAUTHBEARER"));
    CHECK(known.login_delay == std::chrono::seconds(300));
    CHECK(known.expires_after_days == 0U);

    Capabilities odd;
    for (const char* line : {"LOGIN-DELAY soon", "EXPIRE NEVER", "TOPS", "SASL"}) read_capability(line, odd);
    CHECK_FALSE(odd.login_delay);
    CHECK_FALSE(odd.expires_after_days);
    CHECK_FALSE(odd.top);
    CHECK(odd.mechanisms.empty());
    read_capability("LOGIN-DELAY 4294967295", odd);
    CHECK(odd.login_delay == std::chrono::hours(7 * 24));  // nobody is kept out for years
}

TEST_CASE("pop3: what refusals mean", "[pop3]") {
    using Kind = Hint::Kind;
    struct Row {
        const char* line;
        Kind kind;
    };
    const Row rows[] = {
        {"+OK [AUTH] fine", Kind::none},
        {"-ERR no such message", Kind::none},
        {"-ERR Authentication failure: unknown user name or bad password.", Kind::none},
        {"-ERR [AUTH] Username and password not accepted.", Kind::credentials},
        {"-ERR [IN-USE] another session", Kind::in_use},
        {"-ERR [in-use] another session", Kind::in_use},
        {"-ERR maildrop already locked", Kind::in_use},
        {"-ERR [LOGIN-DELAY] too soon", Kind::login_delay},
        {"-ERR [SYS/TEMP] later", Kind::temporary},
        {"-ERR [SYS/PERM] ask somebody", Kind::permanent},
        {"-ERR [SYS/TEMP] Too many simultaneous connections", Kind::too_many_connections},
        {"-ERR Session expired, please login again.", Kind::token_expired},
        {"-ERR Request is throttled. Suggested Backoff Time: 92415 milliseconds", Kind::throttled},
    };
    for (const Row& row : rows) {
        CAPTURE(row.line);
        CHECK(hint_of(*read_answer(row.line)).kind == row.kind);
    }
    CHECK(hint_of(*read_answer(rows[12].line)).back_off_ms == 92415U);
}

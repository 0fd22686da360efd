// What another product missed, took late or doubled: the judgement, the list and the report.

#include <catch2/catch.hpp>

#include "engine/retriever/shadow_identity.hpp"
#include "engine/retriever/shadow_list.hpp"
#include "engine/retriever/shadow_report.hpp"

using namespace retriever;
using namespace std::chrono_literals;
using Taken = config::Shadow::Taken;
using What = ShadowReport::What;

namespace {

store::Millis at(std::int64_t minutes) { return store::Millis(std::chrono::minutes(28'000'000 + minutes)); }

struct Between {
    int after = -1, at = -1;  // minutes; -1: it did not happen

    [[nodiscard]] std::optional<store::ShadowEvent> event() const {
        if (at < 0) return std::nullopt;
        return store::ShadowEvent{::at(after), ::at(at)};
    }
};

/// Arrived in minute 0.
store::ShadowMail mail_of(Between seen, Between gone) {
    store::ShadowMail mail;
    mail.folder = 1;
    mail.message_id = "a@b";
    mail.arrived_at = at(0);
    mail.first_seen = at(0);
    mail.seen = seen.event();
    mail.gone = gone.event();
    return mail;
}

struct Seen {
    std::string id;
    int arrived = 0;
    store::FolderNumber folder = 1;
    bool again = false;
};
store::ShadowMail seen(const Seen& given) {
    store::ShadowMail mail;
    mail.message_id = given.id;
    mail.arrived_at = at(given.arrived);
    mail.folder = given.folder;
    mail.again = given.again;
    mail.fingerprint = {static_cast<unsigned char>(given.arrived)};
    return mail;
}

ShadowReport compare(const std::vector<store::ShadowMail>& mails, const std::string& list, int until = 1000,
                     int since = 0) {
    ShadowReport::Question question;
    question.until = at(until);
    question.since = at(since);
    auto read = read_shadow_list(list);
    REQUIRE(read.fault.empty());
    ShadowReport report(std::move(question), &read);
    for (const auto& mail : mails) report.add(mail);
    report.finish();
    return report;
}

/// "missed a 5, doubled b" …
std::string rows_of(const ShadowReport& report) {
    static const std::map<What, std::string> words{{What::late, "late"},
                                                   {What::missed, "missed"},
                                                   {What::doubled, "doubled"},
                                                   {What::not_comparable, "incomparable"},
                                                   {What::unknown_here, "unknown"}};
    std::string text;
    for (const auto& row : report.rows()) {
        if (!text.empty()) text += ", ";
        text += words.at(row.what) + ' ' + (row.message_id.empty() ? "-" : row.message_id);
        if (row.times > 0) text += " x" + std::to_string(row.times);
    }
    return text;
}

std::string seconds_at(int minutes) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(at(minutes).time_since_epoch()).count());
}

}  // namespace

TEST_CASE("shadow judgement: nothing is late or missed but what was seen not to be taken when its time was over",
          "[retriever][shadow]") {
    struct Case {
        const char* what;
        Taken taken;
        Between seen, gone;
        int looked_at;
        ShadowFate fate;
        int delay;
        bool watched;
    };
    const auto given = GENERATE(values<Case>({
        {"its time is not over", Taken::seen, {}, {}, 14, ShadowFate::open, 0, true},
        {"over to the minute", Taken::seen, {}, {}, 15, ShadowFate::missed, 0, true},
        {"long over", Taken::seen, {}, {}, 9000, ShadowFate::missed, 0, true},
        {"flagged in time", Taken::seen, {2, 3}, {}, 9000, ShadowFate::taken, 3, true},
        {"flagged in the last moment", Taken::seen, {2, 15}, {}, 9000, ShadowFate::taken, 15, true},
        {"flagged while nobody looked", Taken::seen, {2, 300}, {}, 9000, ShadowFate::taken, 300, false},
        {"seen to be late", Taken::seen, {15, 16}, {}, 9000, ShadowFate::late, 16, true},
        {"late and then removed", Taken::seen, {20, 21}, {30, 31}, 9000, ShadowFate::late, 21, true},
        {"removed without a flag", Taken::seen, {}, {1, 2}, 9000, ShadowFate::taken, 2, true},
        {"removed late", Taken::seen, {}, {20, 22}, 9000, ShadowFate::late, 22, true},
        {"removed before it was flagged, as far as anybody saw",
         Taken::seen,
         {20, 22},
         {1, 2},
         9000,
         ShadowFate::taken,
         2,
         true},
        {"flagged is not removed", Taken::removed, {2, 3}, {}, 9000, ShadowFate::missed, 0, true},
        {"flagged is not removed, in time", Taken::removed, {2, 3}, {}, 3, ShadowFate::open, 0, true},
        {"removed in time", Taken::removed, {2, 3}, {4, 5}, 9000, ShadowFate::taken, 5, true},
        {"removed too late", Taken::removed, {2, 3}, {15, 20}, 9000, ShadowFate::late, 20, true},
        {"removed while nobody looked", Taken::removed, {}, {14, 16}, 9000, ShadowFate::taken, 16, false},
    }));
    CAPTURE(given.what);
    const config::Shadow shadow{given.taken, 15min};
    const auto judgement = judged(mail_of(given.seen, given.gone), shadow, at(given.looked_at));
    CHECK(judgement.fate == given.fate);
    CHECK(judgement.delay == std::chrono::minutes(given.delay));
    CHECK(judgement.watched == given.watched);
}

TEST_CASE("shadow judgement: by the time that the other product says", "[retriever][shadow]") {
    const config::Shadow shadow;
    const auto mail = mail_of({}, {});
    CHECK(judged(mail, shadow, std::optional<store::Millis>()).fate == ShadowFate::taken);
    CHECK(judged(mail, shadow, std::optional(at(15))).fate == ShadowFate::taken);
    const auto late = judged(mail, shadow, std::optional(at(16)));
    CHECK(late.fate == ShadowFate::late);
    CHECK(late.delay == 16min);
    CHECK(judged(mail, shadow, std::optional(at(-5))).delay == 0min);  // its clock runs ahead
}

TEST_CASE("shadow report: by the server, counts add up and rows name what was missed or late", "[retriever][shadow]") {
    ShadowReport::Question question;
    question.looked_at = {{1, at(100)}, {2, at(10)}};
    question.since = at(1);
    ShadowReport report(question, nullptr);
    auto mail = seen({"old", 0});
    report.add(mail);  // before the period
    report.add(seen({"missed", 1}));
    report.add(seen({"open in the other folder", 2, 2}));
    report.add(seen({"moved", 3, 1, true}));
    mail = seen({"late", 4});
    mail.seen = store::ShadowEvent{at(50), at(51)};
    report.add(mail);
    mail = seen({"taken", 5});
    mail.gone = store::ShadowEvent{at(5), at(6)};
    report.add(mail);
    mail = seen({"unwatched", 6});
    mail.seen = store::ShadowEvent{at(7), at(90)};
    report.add(mail);
    report.finish();
    const auto& counts = report.counts();
    CHECK(counts.observed == 5);
    CHECK(counts.observed == counts.taken + counts.late + counts.missed + counts.open + counts.not_comparable);
    CHECK(counts.taken == 2);
    CHECK(counts.gone_unflagged == 1);
    CHECK(counts.not_watched == 1);
    CHECK(counts.moved == 1);
    CHECK(counts.longest_delay == 47min);
    CHECK(rows_of(report) == "missed missed, late late");
}

TEST_CASE("shadow report: a list is compared mail by mail, as often as each one is there", "[retriever][shadow]") {
    struct Case {
        const char* what;
        std::vector<Seen> on_server;
        std::string list;
        std::string rows;
        std::uint64_t taken;
    };
    const std::string fingerprint_of_7 = "=07000000000000000000000000000000";
    const auto given = GENERATE_COPY(values<Case>({
        {"nothing at all", {}, "", "", 0},
        {"each once", {{"a@x", 1}, {"b@x", 2}}, "<b@x>\n<a@x>\n", "", 2},
        {"one is missing", {{"a@x", 1}, {"b@x", 2}}, "a@x\n", "missed b@x", 1},
        {"one came twice", {{"a@x", 1}}, "a@x\na@x\n", "doubled a@x x2", 1},
        {"two of one, and both came", {{"a@x", 1}, {"a@x", 2}}, "a@x\na@x\n", "", 2},
        {"two of one, and one came", {{"a@x", 1}, {"a@x", 2}}, "a@x\n", "missed a@x", 1},
        {"two of one, and three came", {{"a@x", 1}, {"a@x", 2}}, "a@x\na@x\na@x\n", "doubled a@x x3", 2},
        {"moved is one", {{"a@x", 1}, {"a@x", 2, 2, true}}, "a@x\n", "", 1},
        {"moved and taken twice", {{"a@x", 1}, {"a@x", 2, 2, true}}, "a@x\na@x\n", "doubled a@x x2", 1},
        {"never seen here", {{"a@x", 1}}, "a@x\nz@x\n", "unknown z@x x1", 1},
        {"still in time", {{"a@x", 990}}, "", "", 0},
        {"its time is over", {{"a@x", 985}}, "", "missed a@x", 0},
        {"no Message-ID, and nothing else tells", {{"", 7}}, "", "incomparable -", 0},
        {"no Message-ID, and the head tells", {{"", 7}}, fingerprint_of_7 + "\n", "", 1},
        {"no Message-ID, twice", {{"", 7}}, fingerprint_of_7 + "\n" + fingerprint_of_7 + "\n", "doubled - x2", 1},
        {"a Message-ID goes before the head", {{"a@x", 7}}, fingerprint_of_7 + " <a@x>\n", "", 1},
        {"late", {{"a@x", 1}}, "a@x " + seconds_at(17) + "\n", "late a@x", 0},
        {"the first of two times counts",
         {{"a@x", 1}},
         "a@x " + seconds_at(17) + "\na@x " + seconds_at(2) + "\n",
         "doubled a@x x2",
         1},
    }));
    CAPTURE(given.what);
    std::vector<store::ShadowMail> mails;
    for (const auto& one : given.on_server) mails.push_back(seen(one));
    const auto report = compare(mails, given.list);
    CHECK(rows_of(report) == given.rows);
    CHECK(report.counts().taken == given.taken);
    const auto& counts = report.counts();
    CHECK(counts.observed == counts.taken + counts.late + counts.missed + counts.open + counts.not_comparable);
}

TEST_CASE("shadow report: what lies before the period is compared, and not counted", "[retriever][shadow]") {
    const std::vector<store::ShadowMail> mails{seen({"old@x", 1}), seen({"missed-old@x", 2}), seen({"new@x", 50})};
    const auto report =
        compare(mails, "old@x " + seconds_at(1) + "\nnew@x\nbefore@x " + seconds_at(3) + "\nafter@x " + seconds_at(60),
                1000, 40);
    CHECK(report.counts().observed == 1);
    CHECK(report.counts().missed == 0);
    CHECK(rows_of(report) == "unknown after@x x1");
}

TEST_CASE("shadow report: pages hold each row once", "[retriever][shadow]") {
    std::vector<std::string> all;
    for (std::size_t skipped = 0;; skipped += 3) {
        ShadowReport::Question question;
        question.looked_at = {{1, at(1000)}};
        question.rows_skipped = skipped;
        question.rows_max = 3;
        ShadowReport report(question, nullptr);
        for (int i = 0; i < 10; ++i) report.add(seen({std::to_string(i), i}));
        report.finish();
        CHECK(report.rows_in_all() == 10);
        for (const auto& row : report.rows()) all.push_back(row.message_id);
        if (report.rows().size() < 3) break;
    }
    CHECK(all == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

TEST_CASE("shadow list: lines are read, and what is wrong is named with its line", "[retriever][shadow]") {
    const auto list = read_shadow_list(
        "# what fetchmail did\n\n<a@x> 2026-11-27T10:00:00Z\r\n b@x \nc@x 1700000000\n"
        "=0102030405060708090a0b0c0d0e0f10 <d@x>\t2026-11-27T11:00:00.123+01:00\n<e "
        "f@x>\n=ff02030405060708090a0b0c0d0e0f10");
    REQUIRE(list.fault.empty());
    REQUIRE(list.entries.size() == 6);
    CHECK(list.entries[0].message_id == "a@x");
    CHECK(list.entries[0].at == read_time("2026-11-27T10:00:00Z"));
    CHECK(list.entries[1] == ShadowListEntry{"b@x", {}, {}});
    CHECK(list.entries[2].at == store::Millis(std::chrono::seconds(1'700'000'000)));
    CHECK(list.entries[3].message_id == "d@x");
    CHECK(list.entries[3].at == list.entries[0].at);
    CHECK(list.entries[3].fingerprint.value()[0] == 1);
    CHECK(list.entries[4].message_id == "ef@x");
    CHECK(list.entries[5].message_id.empty());
    CHECK(list.entries[5].fingerprint.value()[0] == 255);
    for (const auto& entry : list.entries) CHECK(read_shadow_list(line_of(entry)).entries == std::vector{entry});

    for (const auto* wrong : {"a@x yesterday", "a@x 2026-11-27T10:00:00Z and more", "=12",
                              "=zz02030405060708090a0b0c0d0e0f10", "<>", "a@x 2026-13-01"}) {
        CAPTURE(wrong);
        const auto read = read_shadow_list("ok@x\n" + std::string(wrong) + "\n");
        CHECK(read.fault.find("line 2: found ") == 0);
    }
}

TEST_CASE("shadow list: times", "[retriever][shadow]") {
    const auto noon = store::Millis(std::chrono::sys_days(std::chrono::year(2026) / 11 / 27)) + 12h;
    for (const auto* text : {"2026-11-27T12:00:00Z", "2026-11-27T12:00:00", "2026-11-27t13:00:00+01:00",
                             "2026-11-27T06:30:00-05:30", "2026-11-27T12:00:00.999z", "1795780800"}) {
        CAPTURE(text);
        CHECK(read_time(text) == noon);
    }
    CHECK(read_time("2026-11-27") == noon - 12h);
    for (const auto* text :
         {"", "2026", "2026-11", "2026-11-31", "2026/11/27", "2026-11-27T", "2026-11-27 12:00:00", "2026-11-27T12:00",
          "2026-11-27T24:00:00Z", "2026-11-27T12:00:00+1:00", "2026-11-27T12:00:00.", "2026-11-27T12:00:00.Z", "-1",
          "253402300800", "99999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(read_time(text));
    }
}

TEST_CASE("shadow identity: the same on the server and in a file of another product", "[retriever][shadow]") {
    const std::string sent =
        "Received: from mx.example\r\n\tby sim.test; Fri, 27 Nov 2026 10:00:00 +0000\r\nMessage-ID:\r\n <a.b@c>\r\n"
        "Date: Fri, 27 Nov 2026 10:00:00 +0000\r\nFrom: A <a@c>\r\nSubject: folded\r\n again\r\n\r\n";
    std::string delivered = "Return-Path: <a@c>\nReceived: from imap by localhost with IMAP (other product)\n";
    for (const char c : sent)
        if (c != '\r') delivered += c;
    const auto here = shadow_identity_of(sent);
    const auto there = shadow_identity_of(delivered + "a body\n");
    CHECK(here.message_id == "a.b@c");
    CHECK(there.message_id == here.message_id);
    CHECK(there.fingerprint == here.fingerprint);
    CHECK(shadow_identity_of("Subject: other\r\n\r\n").fingerprint != here.fingerprint);

    CHECK(plain_message_id("<a@b> (comment)") == "a@b");
    CHECK(plain_message_id(" bare@b ") == "bare@b");
    CHECK(plain_message_id("<fold\r\n ed@b>") == "folded@b");
    CHECK(plain_message_id("<\xff@b>") == "\\xff@b");
    CHECK(plain_message_id("").empty());
    CHECK(plain_message_id("<" + std::string(5000, 'x') + "@b>").size() == message_id_bytes_max);
}

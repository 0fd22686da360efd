#include "queue/store/outbox.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "queue/store/open.hpp"
#include "tests/support/simulated_disk.hpp"

using namespace store;

namespace {

Millis at(std::int64_t count) { return Millis(std::chrono::milliseconds(count)); }

/// A store on a simulated disk; every use is within a transaction.
struct Post {
    Post() { reopen(); }
    void reopen() {
        opened = {};
        OpenOptions options;
        options.bodies.segment_bytes = 4096;
        OpenFailure failure;
        auto again = open_store(disk, "/data", options, &failure);
        INFO(failure.sentence);
        REQUIRE(again.has_value());
        opened = std::move(*again);
        REQUIRE(opened.store->begin().has_value());
    }
    void commit() {
        REQUIRE(opened.bodies->sync().has_value());
        REQUIRE(opened.store->commit().has_value());
        REQUIRE(opened.store->begin().has_value());
    }
    void roll_back() {
        opened.store->rollback();
        REQUIRE(opened.store->begin().has_value());
    }
    MailboxNumber mailbox(const std::string& id) { return *opened.store->put_mailbox(id, "{}"); }
    Outbox& outbox() { return opened.store->outbox(); }

    SimulatedDisk disk;
    OpenedStore opened;
};

Submission from(MailboxNumber mailbox, std::int64_t due, Lane lane = Lane::interactive) {
    return {.mailbox = mailbox,
            .lane = lane,
            .accepted_at = at(1'700'000'000'000),
            .due = at(due),
            .expires_at = at(due + 1000),
            .changed_at = at(1'700'000'000'000),
            .body = {.segment = 1, .offset = 32, .length = 100, .crc32c = 0xfffffff0},
            .key = "",
            .envelope = std::string("to\0whom", 7),
            .progress = "",
            .reason = ""};
}

Outcome becomes(SubmissionState state, std::optional<Millis> due = std::nullopt) {
    return {.state = state, .due = due, .attempts = 1, .at = at(5), .progress = "half", .reason = "so it is"};
}

std::vector<SubmissionId> ids_of(const std::vector<Submission>& submissions) {
    std::vector<SubmissionId> ids;
    for (const auto& one : submissions) ids.push_back(one.id);
    return ids;
}

}  // namespace

TEST_CASE("a submission comes back as it went in, before and after a restart", "[store][outbox]") {
    Post post;
    const auto mailbox = post.mailbox("desk");
    Submission wanted = from(mailbox, 10);
    wanted.key = "order-1";
    const auto accepted = post.outbox().accept(wanted);
    REQUIRE(accepted.has_value());
    CHECK_FALSE(accepted->known_before);
    wanted.id = accepted->id;
    CHECK(wanted.id >> 20 == 1'700'000'000'000);
    CHECK(post.outbox().submission(wanted.id).value() == wanted);
    post.commit();
    CHECK(post.outbox().submission(wanted.id).value() == wanted);
    CHECK(post.outbox().submission(wanted.id + 1).value() == std::nullopt);
}

TEST_CASE("the same key gives the same submission and writes nothing", "[store][outbox]") {
    Post post;
    const auto mailbox = post.mailbox("desk");
    Submission one = from(mailbox, 10);
    one.key = "order-1";
    const auto first = post.outbox().accept(one);
    const auto again = post.outbox().accept(one);
    CHECK(again->id == first->id);
    CHECK(again->known_before);
    CHECK(post.outbox().counts()->queued == 1);
    one.key.clear();
    CHECK_FALSE(post.outbox().accept(one)->known_before);
    CHECK_FALSE(post.outbox().accept(one)->known_before);
    CHECK(post.outbox().submission_by_key("").value() == std::nullopt);
    CHECK(post.outbox().submission_by_key("order-1").value() == first->id);
}

TEST_CASE("numbers of submissions rise, whatever the clock does", "[store][outbox]") {
    Post post;
    const auto mailbox = post.mailbox("desk");
    Submission one = from(mailbox, 10);
    SubmissionId last = 0;
    for (const std::int64_t now : {1000, 1000, 2000, 5, 2000}) {
        one.accepted_at = at(now);
        const auto accepted = post.outbox().accept(one);
        CHECK(accepted->id > last);
        last = accepted->id;
        post.commit();
        post.reopen();
    }
}

TEST_CASE("what is due is taken by lane, then by time, and only once", "[store][outbox]") {
    Post post;
    const auto mailbox = post.mailbox("desk");
    const auto other = post.mailbox("shop");
    auto add = [&](Submission one) { return post.outbox().accept(one)->id; };
    const auto bulk = add(from(mailbox, 1, Lane::bulk));
    const auto late = add(from(mailbox, 9, Lane::interactive));
    const auto early = add(from(mailbox, 5, Lane::interactive));
    const auto alarm = add(from(mailbox, 7, Lane::alarm));
    const auto future = add(from(mailbox, 11, Lane::alarm));
    const auto elsewhere = add(from(other, 2));

    CHECK(ids_of(*post.outbox().take_due(mailbox, at(10), 2)) == std::vector{alarm, early});
    CHECK(post.outbox().submission(alarm).value()->state == SubmissionState::sending);
    CHECK(ids_of(*post.outbox().take_due(mailbox, at(10), 9)) == std::vector{late, bulk});
    CHECK(post.outbox().take_due(mailbox, at(10), 9)->empty());
    CHECK(post.outbox().due_of(mailbox)->queued == at(11));
    CHECK(post.outbox().counts_of(mailbox).value() == Outbox::Counts{.queued = 1, .sending = 4});
    CHECK(post.outbox().due_of(other)->queued == at(2));
    static_cast<void>(future);
    static_cast<void>(elsewhere);
}

TEST_CASE("what was taken is settled once, and can be sent again when its time comes", "[store][outbox]") {
    Post post;
    const auto mailbox = post.mailbox("desk");
    const auto id = post.outbox().accept(from(mailbox, 1))->id;
    CHECK(post.outbox().settle(id, becomes(SubmissionState::delivered)).error() == errc::out_of_order);
    CHECK(post.outbox().take_due(mailbox, at(1), 1)->size() == 1);
    CHECK(post.outbox().change(id, becomes(SubmissionState::held)).error() == errc::out_of_order);
    REQUIRE(post.outbox().settle(id, becomes(SubmissionState::queued, at(50))).has_value());
    CHECK(post.outbox().take_due(mailbox, at(49), 1)->empty());
    const auto again = *post.outbox().take_due(mailbox, at(50), 1);
    REQUIRE(again.size() == 1);
    CHECK(again.front().attempts == 1);
    CHECK(again.front().progress == "half");
    REQUIRE(post.outbox().settle(id, becomes(SubmissionState::delivered)).has_value());
    CHECK(post.outbox().settle(id, becomes(SubmissionState::failed)).error() == errc::out_of_order);
    CHECK(post.outbox().change(id, becomes(SubmissionState::queued, at(1))).error() == errc::out_of_order);
    CHECK(post.outbox().counts().value() == Outbox::Counts());
    CHECK(post.outbox().settle(id + 1, becomes(SubmissionState::failed)).error() == errc::unknown_id);
}

TEST_CASE("a state and a due time that do not go together are refused", "[store][outbox]") {
    Post post;
    const auto mailbox = post.mailbox("desk");
    const auto id = post.outbox().accept(from(mailbox, 1))->id;
    CHECK(post.outbox().change(id, becomes(SubmissionState::queued)).error() == errc::out_of_order);
    CHECK(post.outbox().change(id, becomes(SubmissionState::held, at(1))).error() == errc::out_of_order);
    CHECK(post.outbox().change(id, becomes(SubmissionState::sending)).error() == errc::out_of_order);
    CHECK(post.outbox().change(id, becomes(SubmissionState::failed, at(1))).error() == errc::out_of_order);
    Submission wrong = from(mailbox, 1);
    wrong.state = SubmissionState::delivered;
    CHECK(post.outbox().accept(wrong).error() == errc::out_of_order);
    wrong = from(mailbox + 1, 1);
    CHECK(post.outbox().accept(wrong).error() == errc::unknown_id);
}

TEST_CASE("what was being sent when the daemon died is known as taken, and nothing sends it by itself",
          "[store][outbox]") {
    Post post;
    const auto mailbox = post.mailbox("desk");
    const auto id = post.outbox().accept(from(mailbox, 1))->id;
    CHECK(post.outbox().take_due(mailbox, at(1), 1)->size() == 1);
    post.commit();
    post.reopen();
    CHECK(ids_of(*post.outbox().taken(10)) == std::vector{id});
    CHECK(post.outbox().take_due(mailbox, at(99), 1)->empty());
    CHECK(post.outbox().counts()->sending == 1);
    REQUIRE(post.outbox().settle(id, becomes(SubmissionState::in_doubt, at(70))).has_value());
    CHECK(post.outbox().take_due(mailbox, at(99), 1)->empty());
    CHECK(post.outbox().due_of(mailbox)->doubtful == at(70));
    CHECK(post.outbox().due_of(mailbox)->queued == std::nullopt);
    const auto looked = *post.outbox().take_doubtful(mailbox, at(99), 1);
    REQUIRE(ids_of(looked) == std::vector{id});
    CHECK(looked.front().state == SubmissionState::in_doubt);
    CHECK(post.outbox().taken(10)->size() == 1);
    REQUIRE(post.outbox().settle(id, becomes(SubmissionState::in_doubt)).has_value());  // an operator's word is awaited
    CHECK(post.outbox().due(0, 10)->empty());
    CHECK(post.outbox().counts()->in_doubt == 1);
    REQUIRE(post.outbox().change(id, becomes(SubmissionState::queued, at(80))).has_value());
    CHECK(post.outbox().take_due(mailbox, at(80), 1)->size() == 1);
}

TEST_CASE("bodies stay until their submission is settled, through restarts", "[store][outbox]") {
    Post post;
    const auto mailbox = post.mailbox("desk");
    std::vector<Submission> sent;
    for (int i = 0; i < 30; ++i) {
        Submission one = from(mailbox, 1);
        one.body = *post.opened.bodies->append(std::string(300, static_cast<char>('a' + i)));
        one.id = post.outbox().accept(one)->id;
        sent.push_back(one);
        post.commit();
    }
    post.reopen();
    CHECK(post.opened.findings.empty());
    auto release = [&] {
        const auto released = *post.opened.store->release_segments(post.opened.bodies->sealed());
        post.commit();
        post.opened.bodies->reclaim(released);
        return released;
    };
    CHECK(release().empty());
    REQUIRE(post.outbox().take_due(mailbox, at(1), 100)->size() == sent.size());
    const auto first = sent.front().body.segment;
    std::size_t left_there = 0;
    for (const auto& one : sent) left_there += one.body.segment == first ? 1 : 0;
    REQUIRE(left_there > 1);
    for (const auto& one : sent) {
        if (one.body.segment != first) continue;
        CHECK(release().empty());
        CHECK(post.opened.bodies->read(one.body, 0, 300).has_value());
        REQUIRE(post.outbox().settle(one.id, becomes(SubmissionState::delivered)).has_value());
    }
    post.roll_back();  // none of that after the last commit holds: one is being sent again
    CHECK(release().empty());
    for (const auto& one : post.outbox().taken(100).value())
        static_cast<void>(post.outbox().settle(one.id, becomes(SubmissionState::delivered)));
    post.commit();
    CHECK(std::set<std::uint64_t>{release().front()} == std::set{first});

    const auto highest = sent.back().body.segment;
    post.reopen();
    const auto next = *post.opened.bodies->append("after all of them");
    CHECK(next.segment > highest);  // numbers are not used twice though their rows are gone
}

TEST_CASE("settled submissions are forgotten by age, waiting ones never", "[store][outbox]") {
    Post post;
    const auto mailbox = post.mailbox("desk");
    std::vector<SubmissionId> ids;
    for (int i = 0; i < 10; ++i) {
        Submission one = from(mailbox, 1);
        one.key = "key-" + std::to_string(i);
        ids.push_back(post.outbox().accept(one)->id);
    }
    for (const auto& one : *post.outbox().take_due(mailbox, at(1), 8)) {
        Outcome outcome = becomes(SubmissionState::delivered);
        outcome.at = at(one.id == ids[5] ? 900 : 100);
        REQUIRE(post.outbox().settle(one.id, outcome).has_value());
    }
    SubmissionId after = 0;
    int rounds = 0;
    do {
        after = *post.outbox().forget(after, at(500), 3);
        ++rounds;
    } while (after != 0);
    CHECK(rounds == 4);
    CHECK(ids_of(*post.outbox().submissions(Outbox::Which::all, 0, 100)) == std::vector{ids[5], ids[8], ids[9]});
    CHECK(ids_of(*post.outbox().submissions(Outbox::Which::waiting, 0, 100)) == std::vector{ids[8], ids[9]});
    CHECK(post.outbox().submission_by_key("key-0").value() == std::nullopt);
    CHECK(post.outbox().submission_by_key("key-9").value() == ids[9]);
}

TEST_CASE("events are numbered in order and their numbers never come again", "[store][outbox]") {
    Post post;
    const auto mailbox = post.mailbox("desk");
    OutboxEvent event{.submission = 7, .mailbox = mailbox, .at = at(3), .kind = "accepted", .detail = "{}"};
    CHECK(*post.outbox().add_event(event) == 1);
    CHECK(*post.outbox().add_event(event) == 2);
    post.commit();
    REQUIRE(post.outbox().forget_events(2).has_value());
    post.commit();
    post.reopen();
    CHECK(*post.outbox().add_event(event) == 3);
    const auto events = *post.outbox().events(2, 10);
    REQUIRE(events.size() == 1);
    CHECK(events.front().kind == "accepted");
    CHECK(events.front().submission == 7);
}

TEST_CASE("an event that was rolled back leaves no gap", "[store][outbox]") {
    Post post;
    const OutboxEvent event{.submission = 7, .mailbox = 1, .at = at(3), .kind = "accepted", .detail = "{}"};
    CHECK(*post.outbox().add_event(event) == 1);
    post.commit();
    CHECK(*post.outbox().add_event(event) == 2);
    post.roll_back();
    CHECK(*post.outbox().add_event(event) == 2);
}

TEST_CASE("random work on an outbox, with rollbacks and restarts, gives what a model in memory gives",
          "[store][outbox]") {
    struct Model {
        std::map<SubmissionId, Submission> rows;
        std::set<SubmissionId> taken;
    };
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
        Post post;
        const std::vector<MailboxNumber> mailboxes{post.mailbox("a"), post.mailbox("b"), post.mailbox("c")};
        post.commit();
        Model now, durable;
        auto pick = [&]() -> SubmissionId {
            if (now.rows.empty()) return 1;
            return std::next(now.rows.begin(), below(now.rows.size()))->first;
        };
        auto apply = [&](Submission& row, const Outcome& outcome) {
            row.state = outcome.state;
            row.due = outcome.due;
            row.attempts = outcome.attempts;
            row.changed_at = outcome.at;
            row.progress = outcome.progress;
            row.reason = outcome.reason;
        };
        auto any_outcome = [&] {
            const auto state = static_cast<SubmissionState>(below(7));
            std::optional<Millis> due;
            if (state == SubmissionState::queued || (state == SubmissionState::in_doubt && below(2) == 0))
                due = at(below(50));
            return Outcome{.state = state,
                           .due = due,
                           .attempts = static_cast<std::uint32_t>(below(9)),
                           .at = at(below(99)),
                           .progress = std::to_string(below(100)),
                           .reason = "r"};
        };
        for (int step = 0; step < 600; ++step) {
            switch (below(9)) {
                case 0:
                case 1:
                case 2: {
                    Submission one = from(mailboxes[static_cast<std::size_t>(below(3))], below(50),
                                          lanes[static_cast<std::size_t>(below(3))]);
                    if (below(3) == 0) one.key = "k" + std::to_string(below(40));
                    const auto accepted = *post.outbox().accept(one);
                    const auto known = std::find_if(now.rows.begin(), now.rows.end(), [&](const auto& row) {
                        return !one.key.empty() && row.second.key == one.key;
                    });
                    CHECK(accepted.known_before == (known != now.rows.end()));
                    if (accepted.known_before) {
                        CHECK(accepted.id == known->first);
                    } else {
                        one.id = accepted.id;
                        now.rows[one.id] = one;
                    }
                    break;
                }
                case 3: {
                    const auto mailbox = mailboxes[static_cast<std::size_t>(below(3))];
                    const Millis then = at(below(60));
                    const auto limit = static_cast<std::size_t>(1 + below(4));
                    const bool doubtful = below(3) == 0;
                    std::vector<std::tuple<Lane, Millis, SubmissionId>> order;
                    for (const auto& [id, row] : now.rows) {
                        const auto wanted = doubtful ? SubmissionState::in_doubt : SubmissionState::queued;
                        if (row.mailbox == mailbox && row.state == wanted && row.due && *row.due <= then)
                            order.emplace_back(doubtful ? Lane::alarm : row.lane, *row.due, id);
                    }
                    std::sort(order.begin(), order.end());
                    if (order.size() > limit) order.resize(limit);
                    std::vector<SubmissionId> wanted;
                    for (const auto& [lane, due, id] : order) wanted.push_back(id);
                    const auto got = doubtful ? post.outbox().take_doubtful(mailbox, then, limit)
                                              : post.outbox().take_due(mailbox, then, limit);
                    CHECK(ids_of(*got) == wanted);
                    for (const auto id : wanted) {
                        now.taken.insert(id);
                        now.rows[id].due.reset();
                        if (!doubtful) now.rows[id].state = SubmissionState::sending;
                    }
                    break;
                }
                case 4:
                case 5: {
                    const auto id = pick();
                    const auto outcome = any_outcome();
                    const bool right = now.taken.contains(id) && outcome.state != SubmissionState::sending;
                    CHECK(post.outbox().settle(id, outcome).has_value() == right);
                    if (right) {
                        apply(now.rows[id], outcome);
                        now.taken.erase(id);
                    }
                    break;
                }
                case 6: {
                    const auto id = pick();
                    const auto outcome = any_outcome();
                    const bool right = now.rows.contains(id) && !now.taken.contains(id) &&
                                       !is_settled(now.rows[id].state) && outcome.state != SubmissionState::sending;
                    CHECK(post.outbox().change(id, outcome).has_value() == right);
                    if (right) apply(now.rows[id], outcome);
                    break;
                }
                case 7:
                    post.commit();
                    durable = now;
                    if (below(3) == 0) post.reopen();
                    break;
                default:
                    post.roll_back();
                    now = durable;
                    if (below(3) == 0) post.reopen();
            }
            std::map<MailboxNumber, Outbox::Counts> counts;
            std::map<MailboxNumber, Outbox::Due> due;
            std::vector<Submission> all, waiting;
            for (const auto& [id, row] : now.rows) {
                all.push_back(row);
                const bool listed = row.state == SubmissionState::queued || row.state == SubmissionState::sending ||
                                    row.state == SubmissionState::in_doubt || row.state == SubmissionState::held;
                if (listed) waiting.push_back(row);
                auto& here = counts[row.mailbox];
                here.queued += row.state == SubmissionState::queued;
                here.sending += row.state == SubmissionState::sending;
                here.in_doubt += row.state == SubmissionState::in_doubt;
                here.held += row.state == SubmissionState::held;
                if (!row.due) continue;
                auto& when =
                    row.state == SubmissionState::in_doubt ? due[row.mailbox].doubtful : due[row.mailbox].queued;
                if (!when || *row.due < *when) when = row.due;
            }
            REQUIRE(post.outbox().submissions(Outbox::Which::all, 0, 10'000).value() == all);
            REQUIRE(post.outbox().submissions(Outbox::Which::waiting, 0, 10'000).value() == waiting);
            for (const auto mailbox : mailboxes) {
                REQUIRE(post.outbox().counts_of(mailbox).value() == counts[mailbox]);
                const auto here = *post.outbox().due_of(mailbox);
                REQUIRE(here.queued == due[mailbox].queued);
                REQUIRE(here.doubtful == due[mailbox].doubtful);
            }
            REQUIRE(post.outbox().taken(1000)->size() == now.taken.size());
        }
    }
}

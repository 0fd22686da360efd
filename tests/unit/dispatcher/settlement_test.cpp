#include "engine/dispatcher/settlement.hpp"

#include <catch2/catch.hpp>

using namespace dispatcher;
using namespace std::chrono_literals;
using store::SubmissionState;
using submission::Fate;
using submission::Progress;

namespace {

const store::Millis now(1'000'000s);

smtp::Reply reply(const std::string& text) {
    if (text.empty()) return {};
    return *(*smtp::read_reply(text + "\r\n", {}))->reply;
}

/// An attempt at one mail with as many recipients as there are replies.
struct Trial {
    explicit Trial(std::vector<std::string> to_recipients, const std::string& to_body = "250 2.0.0 ok",
                   const std::string& to_sender = "250 ok") {
        submission.state = SubmissionState::sending;
        submission.expires_at = now + 1h;
        attempt.server = "mx.test:587";
        attempt.answer.sender = reply(to_sender);
        attempt.answer.body = reply(to_body);
        for (std::size_t place = 0; place < to_recipients.size(); ++place) {
            attempt.asked.push_back(place);
            attempt.answer.recipients.push_back(reply(to_recipients[place]));
        }
        progress.recipients.resize(to_recipients.size());
    }
    Settlement settle() const { return settled(submission, progress, attempt, now, rules); }
    static Progress after(const Settlement& settlement, std::size_t recipients) {
        return *submission::progress_from(settlement.outcome.progress, recipients);
    }

    store::Submission submission;
    Progress progress;
    Attempt attempt;
    SettlingRules rules;
};

}  // namespace

TEST_CASE("a mail that everybody took is delivered", "[dispatcher]") {
    const auto got = Trial({"250 ok", "250 ok"}).settle();
    CHECK(got.outcome.state == SubmissionState::delivered);
    CHECK(got.delivered == std::vector<std::size_t>{0, 1});
    CHECK(got.failed.empty());
    CHECK(got.effect.cause == Cause::accepted);
    CHECK(got.outcome.attempts == 0);
}

TEST_CASE("each recipient has a fate of its own, and only who waits is asked again", "[dispatcher][hostile-16]") {
    Trial trial({"250 ok", "550 5.1.1 no such user", "450 4.2.0 greylisted"});
    const auto got = trial.settle();
    CHECK(got.outcome.state == SubmissionState::queued);
    CHECK(got.outcome.attempts == 1);
    CHECK(got.outcome.due == now + 45s);
    CHECK(got.failed == std::vector<std::size_t>{1});
    const auto progress = Trial::after(got, 3);
    CHECK(progress.recipients[0].state == Fate::State::delivered);
    CHECK(progress.recipients[1].state == Fate::State::failed);
    CHECK(progress.recipients[2].state == Fate::State::waiting);

    Trial again({"250 ok"});
    again.attempt.asked = {2};
    again.progress = progress;
    const auto last = again.settle();
    CHECK(last.outcome.state == SubmissionState::failed);
    CHECK(last.outcome.reason == "550 5.1.1 no such user");
    CHECK(last.failed.empty());  // who failed before is not told a second time
}

TEST_CASE("no fault of the account fails, counts or ages a mail", "[dispatcher][hostile-26]") {
    const char* faults[] = {"535 5.7.3 Authentication unsuccessful",
                            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
                            "432 4.3.2 Concurrent connections limit exceeded",
                            "550 5.4.5 Daily user sending limit exceeded",
                            "451 4.7.500 Server busy",
                            "421 4.3.2 Service not available"};
    for (const auto* fault : faults) {
        CAPTURE(fault);
        Trial trial({""}, "", fault);
        trial.submission.expires_at = now - 24h;
        trial.submission.attempts = 50;
        const auto got = trial.settle();
        CHECK(got.outcome.state == SubmissionState::queued);
        CHECK(got.outcome.attempts == 50);
        CHECK(got.outcome.due == now);
        CHECK(got.failed.empty());
        CHECK(static_cast<int>(got.effect.cause) != static_cast<int>(Cause::accepted));
        CHECK(got.effect.reason.find(reply(fault).text()) != std::string::npos);
    }
    Trial lost({"250 ok"});
    lost.attempt.broke = "connection lost";
    lost.submission.expires_at = now - 24h;
    const auto got = lost.settle();
    CHECK(got.outcome.state == SubmissionState::queued);
    CHECK(got.effect.cause == Cause::connection);
}

TEST_CASE("a mail that is put off again and again fails at its age, after some attempts", "[dispatcher]") {
    Trial trial({"450 4.2.0 later"});
    trial.submission.expires_at = now - 1s;
    trial.submission.attempts = 1;
    CHECK(trial.settle().outcome.state == SubmissionState::queued);  // it had but one
    trial.submission.attempts = 2;
    const auto got = trial.settle();
    CHECK(got.outcome.state == SubmissionState::failed);
    CHECK(got.failed == std::vector<std::size_t>{0});
    CHECK(got.outcome.reason.find("given up after 3 attempts; the last: 450 4.2.0 later") != std::string::npos);
}

TEST_CASE("too many recipients in one mail: the rest goes at once, but not for ever", "[dispatcher][hostile-16]") {
    const auto split = Trial({"250 ok", "452 4.5.3 Too many recipients"}).settle();
    CHECK(split.outcome.state == SubmissionState::queued);
    CHECK(split.outcome.due == now);
    CHECK(split.outcome.attempts == 0);
    CHECK(split.effect.cause == Cause::accepted);
    const auto none = Trial({"452 4.5.3 Too many recipients"}, "").settle();
    CHECK(none.outcome.state == SubmissionState::queued);
    CHECK(none.outcome.attempts == 1);
    CHECK(none.outcome.due > now);
}

TEST_CASE("a server that lacks what the mail needs ends it with the reason", "[dispatcher][hostile-21]") {
    Trial trial({""}, "");
    trial.attempt.answer.obstacle = smtp::Obstacle::too_large;
    const auto got = trial.settle();
    CHECK(got.outcome.state == SubmissionState::failed);
    CHECK(got.outcome.reason.find("mx.test:587 cannot be given it") == 0);
    CHECK(got.failed == std::vector<std::size_t>{0});
    trial.attempt.answer.obstacle = smtp::Obstacle::eightbitmime_missing;
    trial.attempt.unfit = "it is signed";
    CHECK(trial.settle().outcome.reason.ends_with("does not offer 8BITMIME; it cannot be converted: it is signed"));
}

TEST_CASE("a connection lost after the last byte leaves the mail in doubt, and it is not sent again by itself",
          "[dispatcher][hostile-10][hostile-20]") {
    Trial trial({"250 ok", "550 5.1.1 no such user"}, "");
    trial.attempt.broke = "connection lost";
    trial.attempt.in_doubt = true;
    const auto got = trial.settle();
    CHECK(got.outcome.state == SubmissionState::in_doubt);
    CHECK(got.outcome.due == now + 60s);
    const auto progress = Trial::after(got, 2);
    CHECK(progress.doubts == 1);
    CHECK(progress.recipients[0].state == Fate::State::in_doubt);
    CHECK(progress.recipients[1].state == Fate::State::failed);
}

TEST_CASE("a refusal after a doubt that nobody resolved says that the mail may have arrived", "[dispatcher]") {
    Trial trial({"250 ok"}, "554 5.6.0 not that");
    CHECK(Trial::after(trial.settle(), 1).recipients[0].said == "554 5.6.0 not that");
    trial.progress.doubts = 1;
    trial.progress.recipients[0].state = Fate::State::in_doubt;
    const auto got = trial.settle();
    CHECK(got.outcome.state == SubmissionState::failed);
    const auto said = Trial::after(got, 1).recipients[0].said;
    CHECK(said == "554 5.6.0 not that; an earlier attempt was in doubt, so it may have arrived all the same");
    CHECK(got.outcome.reason == said);
    // Whoever was refused in the attempt that is in doubt itself has not got it.
    Trial both({"250 ok", "550 5.1.1 unknown"});
    both.attempt.in_doubt = true;
    CHECK(Trial::after(both.settle(), 2).recipients[1].said == "550 5.1.1 unknown");
}

TEST_CASE("a mail that is found has reached whom the server had taken, not whom it had put off", "[dispatcher]") {
    Trial trial({"250 ok", "450 4.2.1 busy", "550 5.1.1 no such user"}, "");
    trial.attempt.broke = "connection lost";
    trial.attempt.in_doubt = true;
    const auto doubt = trial.settle();
    const auto found =
        after_look(trial.submission, Trial::after(doubt, 3), Sight::found, "found in Sent", now, LookingRules());
    CHECK(found.state == SubmissionState::queued);
    CHECK(found.due == now);
    auto progress = *submission::progress_from(found.progress, 3);
    CHECK(progress.recipients[0].state == Fate::State::delivered);
    CHECK(progress.recipients[1].state == Fate::State::waiting);
    CHECK(progress.recipients[2].state == Fate::State::failed);
    CHECK(progress.copies == 1);
    CHECK(progress.waiting() == 1);
}

TEST_CASE("of whom no reply came it is not known whether they have a mail that was found, unless they were alone",
          "[dispatcher]") {
    Trial trial({"250 ok", ""}, "");
    trial.attempt.broke = "connection lost";
    trial.attempt.in_doubt = true;
    const auto doubt = trial.settle();
    const auto found =
        after_look(trial.submission, Trial::after(doubt, 2), Sight::found, "found in Sent", now, LookingRules());
    CHECK(found.state == SubmissionState::in_doubt);
    CHECK_FALSE(found.due.has_value());
    CHECK(found.reason ==
          "found in Sent; whether 1 of its recipients were accepted is not known: release or cancel it");
    CHECK(submission::progress_from(found.progress, 2)->recipients[0].state == Fate::State::delivered);

    Trial alone({""}, "");
    alone.attempt.broke = "connection lost";
    alone.attempt.in_doubt = true;
    const auto single = after_look(alone.submission, Trial::after(alone.settle(), 1), Sight::found, "found in Sent",
                                   now, LookingRules());
    CHECK(single.state == SubmissionState::delivered);
}

TEST_CASE("a mail that left for some of its recipients is one more copy among sent mail", "[dispatcher]") {
    CHECK(Trial::after(Trial({"250 ok", "450 4.2.1 busy"}).settle(), 2).copies == 1);
    CHECK(Trial::after(Trial({"450 4.2.1 busy"}, "").settle(), 1).copies == 0);
}

TEST_CASE("what was found among sent mail is delivered", "[dispatcher]") {
    Trial trial({"250 ok"});
    trial.progress.doubts = 1;
    const auto found = after_look(trial.submission, trial.progress, Sight::found, "found in Sent", now, {});
    CHECK(found.state == SubmissionState::delivered);
    trial.progress.recipients[0] = {Fate::State::failed, "550 no"};
    CHECK(after_look(trial.submission, trial.progress, Sight::found, "found", now, {}).state ==
          SubmissionState::failed);
}

TEST_CASE("what is not found is looked for again, then sent once more, then held", "[dispatcher]") {
    Trial trial({"250 ok"});
    trial.progress.doubts = 1;
    const LookingRules rules;
    auto progress = trial.progress;
    std::vector<std::chrono::milliseconds> waits;
    store::Outcome outcome;
    for (int look = 0; look < 10; ++look) {
        outcome = after_look(trial.submission, progress, Sight::not_found, "not in Sent", now, rules);
        if (outcome.state != SubmissionState::in_doubt) break;
        waits.push_back(*outcome.due - now);
        progress = *submission::progress_from(outcome.progress, 1);
    }
    CHECK(waits == std::vector<std::chrono::milliseconds>{3min, 10min});
    CHECK(outcome.state == SubmissionState::queued);
    CHECK(outcome.due == now);
    progress.doubts = 2;
    outcome = after_look(trial.submission, progress, Sight::not_found, "not in Sent", now, rules);
    CHECK(outcome.state == SubmissionState::in_doubt);
    CHECK_FALSE(outcome.due.has_value());
}

TEST_CASE("out of sight it is held, or sent once more where that is wanted", "[dispatcher]") {
    Trial trial({"250 ok"});
    trial.progress.doubts = 1;
    LookingRules rules;
    auto outcome = after_look(trial.submission, trial.progress, Sight::no_sight, "no imap host", now, rules);
    CHECK(outcome.state == SubmissionState::in_doubt);
    CHECK_FALSE(outcome.due.has_value());
    CHECK(outcome.reason.find("release or cancel") != std::string::npos);
    rules.out_of_sight = OutOfSight::retry;
    outcome = after_look(trial.submission, trial.progress, Sight::no_sight, "no imap host", now, rules);
    CHECK(outcome.state == SubmissionState::queued);
    trial.progress.doubts = 2;
    outcome = after_look(trial.submission, trial.progress, Sight::no_sight, "no imap host", now, rules);
    CHECK(outcome.state == SubmissionState::in_doubt);
}

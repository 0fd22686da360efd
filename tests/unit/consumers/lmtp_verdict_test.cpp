#include <catch2/catch.hpp>

#include "engine/consumers/lmtp_verdict.hpp"

using namespace consumers;
using Fault = Delivered::Fault;

namespace {

smtp::Reply reply(const std::string& line) {
    const auto read = smtp::read_reply(line + "\r\n", {});
    REQUIRE(read.has_value());
    return *(*read)->reply;
}

smtp::Submission taken() {
    smtp::Submission submission;
    submission.sender = reply("250 ok");
    submission.recipients = {reply("250 ok")};
    submission.body = reply("250 saved");
    return submission;
}

}  // namespace

TEST_CASE("lmtp: what is accepted after the data is delivered", "[consumers][lmtp]") {
    CHECK(verdict_of(taken(), "a@b").delivered);
}

TEST_CASE("lmtp: a refusal belongs to the server, to the mailbox, or to the mail", "[consumers][lmtp]") {
    enum class At { sender, recipient, body };
    struct Case {
        At at;
        std::string line;
        Fault fault;
    };
    const Case cases[] = {
        {At::sender, "451 4.3.0 later", Fault::consumer},
        {At::sender, "550 5.7.1 not from you", Fault::consumer},
        {At::sender, "552 5.3.4 too long", Fault::refused},
        {At::sender, "552 too long", Fault::refused},
        {At::recipient, "550 5.1.1 no such user", Fault::mailbox},
        {At::recipient, "550 no such user", Fault::mailbox},
        {At::recipient, "452 4.2.2 full", Fault::mailbox},
        {At::recipient, "421 4.3.2 shutting down", Fault::consumer},
        {At::recipient, "552 5.3.4 too long", Fault::refused},
        {At::body, "421 4.3.2 shutting down", Fault::consumer},
        {At::body, "451 4.3.1 no room on the system", Fault::consumer},
        {At::body, "452 4.2.2 mailbox full", Fault::mailbox},
        {At::body, "552 5.2.2 mailbox full", Fault::mailbox},
        {At::body, "550 5.1.1 no such user", Fault::mailbox},
        {At::body, "552 5.2.3 too long for it", Fault::refused},
        {At::body, "451 4.2.0 larger than the maximum size", Fault::mail},
        {At::body, "550 5.2.1 disabled", Fault::mailbox},
        {At::body, "554 5.6.0 malformed", Fault::refused},
        {At::body, "550 5.7.1 a virus", Fault::refused},
        {At::body, "554 no", Fault::refused},
        {At::body, "451 try again", Fault::mail},
        {At::body, "451 4.6.0 cannot convert it now", Fault::mail},
    };
    for (const auto& one : cases) {
        CAPTURE(one.line);
        auto submission = taken();
        submission.body = {};
        if (one.at == At::sender) submission.sender = reply(one.line);
        if (one.at == At::recipient) submission.recipients = {reply(one.line)};
        if (one.at == At::body) submission.deliveries = {reply(one.line)};
        if (one.at == At::body) submission.body = submission.deliveries.front();
        const auto verdict = verdict_of(submission, "a@b");
        CHECK_FALSE(verdict.delivered);
        CHECK(verdict.fault == one.fault);
        CHECK(verdict.says.find(one.line.substr(0, 3)) != std::string::npos);
        CHECK(verdict.sender_refused == (one.at == At::sender && one.line.starts_with('5')));
    }
}

TEST_CASE("lmtp: what the server does not offer belongs to the mail or to the mailbox", "[consumers][lmtp]") {
    auto submission = taken();
    submission.obstacle = smtp::Obstacle::too_large;
    CHECK(verdict_of(submission, "a@b").fault == Fault::refused);
    submission.obstacle = smtp::Obstacle::smtputf8_missing;
    CHECK(verdict_of(submission, "a@b").fault == Fault::mailbox);
}

#include "engine/retriever/doorbell.hpp"

#include <catch2/catch.hpp>

using retriever::Doorbell;

namespace {

struct House final : Doorbell::Porter {
    asio::io_context context{1};
    queue::Inbox inbox{context.get_executor()};
    Doorbell bell;
    std::vector<store::MailboxNumber> heard;

    void rung(store::MailboxNumber mailbox) override { heard.push_back(mailbox); }
    void open(store::MailboxNumber mailbox, bool acknowledgements) {
        bell.open(mailbox, {"box" + std::to_string(mailbox), &inbox, this, acknowledgements});
    }
    std::vector<store::MailboxNumber> listen() {
        context.restart();
        context.poll();
        return std::exchange(heard, {});
    }
};

using Numbers = std::vector<store::MailboxNumber>;
using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("doorbell: many rings are heard once, and later ones again", "[retriever][after]") {
    House house;
    house.open(1, true);
    for (int ring = 0; ring < 100; ++ring) house.bell.acknowledged(1);
    CHECK(house.listen() == Numbers{1});
    CHECK(house.listen().empty());
    house.bell.ring(1);
    CHECK(house.listen() == Numbers{1});
}

TEST_CASE("doorbell: acknowledgements ring only where they concern somebody", "[retriever][after]") {
    House house;
    house.open(1, false);
    house.bell.acknowledged(1);
    house.bell.acknowledged(2);
    house.bell.ring(2);
    CHECK(house.listen().empty());
    house.bell.ring(1);
    CHECK(house.listen() == Numbers{1});
}

TEST_CASE("doorbell: what has rung stays unanswered until everything until then is done", "[retriever][after]") {
    House house;
    house.open(1, true);
    house.open(2, false);
    CHECK(house.bell.unanswered() == Ids{"box1"});  // a first look is due
    const auto rings = house.bell.rings(1);
    house.bell.acknowledged(1);
    house.bell.answered(1, rings);
    CHECK(house.bell.unanswered() == Ids{"box1"});
    house.bell.answered(1, house.bell.rings(1));
    CHECK(house.bell.unanswered().empty());
}

TEST_CASE("doorbell: a closed door hears nothing, not even what is under way", "[retriever][after]") {
    House house;
    house.open(1, true);
    house.bell.ring(1);
    house.bell.close(1);
    CHECK(house.listen().empty());
    CHECK(house.bell.unanswered().empty());
}

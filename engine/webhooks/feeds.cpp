#include "engine/webhooks/feeds.hpp"

#include <algorithm>

#include "engine/config/documents.hpp"

using namespace std::chrono_literals;

namespace webhooks {
namespace {

constexpr auto within = 5s;  // whoever ends waits for it

bool same(const Feed& feed, const Feeds::Served& served) {
    return config::to_document(feed.webhook()) == config::to_document(served.webhook) &&
           feed.receiver().key == served.receiver.key && feed.receiver().tls == served.receiver.tls;
}

}  // namespace

void Feeds::serve(std::vector<Served> webhooks) {
    std::vector<std::unique_ptr<Feed>> feeds;
    for (auto& served : webhooks) {
        const auto there = std::find_if(feeds_.begin(), feeds_.end(),
                                        [&](const auto& feed) { return feed != nullptr && same(*feed, served); });
        if (there != feeds_.end()) {
            feeds.push_back(std::move(*there));
            continue;
        }
        feeds.push_back(std::make_unique<Feed>(uses_, std::move(served.webhook), std::move(served.receiver)));
        feeds.back()->start();
    }
    for (auto& feed : feeds_) {
        if (feed == nullptr) continue;
        feed->cancel();
        retired_.push_back(std::move(feed));
    }
    feeds_ = std::move(feeds);
}

void Feeds::cancel() {
    for (auto& feed : feeds_) feed->cancel();
}

awaitable<void> Feeds::join() {
    for (auto& feed : feeds_) co_await feed->join();
    for (auto& feed : retired_) co_await feed->join();
}

awaitable<void> Feeds::post_alarm(store::OutboxEvent event) {
    std::vector<Receiver> receivers;
    for (const auto& feed : feeds_) {
        const auto& topics = feed->webhook().events;
        if (std::find(topics.begin(), topics.end(), config::Topic::alarms) != topics.end())
            receivers.push_back(feed->receiver());
    }
    for (auto& receiver : receivers) {
        auto parcel = parcel_of(event, {}, uses_.source);
        co_await post(uses_.seams, std::move(receiver), std::move(parcel), within);
    }
}

std::vector<Feeds::State> Feeds::states() const {
    std::vector<State> states;
    for (const auto& feed : feeds_) states.push_back({feed->webhook().id, feed->stats()});
    return states;
}

}  // namespace webhooks

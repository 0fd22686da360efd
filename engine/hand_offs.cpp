#include "engine/hand_offs.hpp"

#include "engine/config/documents.hpp"
#include "engine/config/words.hpp"
#include "engine/make_consumer.hpp"
#include "engine/runtime/run_on.hpp"

using namespace std::chrono_literals;

namespace {

using Kind = config::Consumer::Kind;

constexpr auto replaced_within = 10s;  // what is under way at a consumer that is configured anew

std::string place_of(const config::Consumer& consumer) {
    switch (consumer.kind) {
        case Kind::maildir:
            return consumer.path;
        case Kind::lmtp:
            return consumer.address;
        case Kind::webhook:
            return consumer.url;
        case Kind::command:
            return consumer.program.front();
        case Kind::pull:
            break;
    }
    return {};
}

}  // namespace

Outlet& HandOffs::outlet(const std::string& consumer) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[consumer];
    if (!entry.outlet) entry.outlet = std::make_unique<Outlet>();
    return *entry.outlet;
}

awaitable<void> HandOffs::serve(std::vector<Served> consumers) {
    std::map<std::string, Served> wanted;
    for (auto& served : consumers) {
        auto id = served.consumer.id;
        wanted.emplace(std::move(id), std::move(served));
    }
    std::vector<std::string> gone;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, entry] : entries_)
            if (!wanted.contains(id)) gone.push_back(id);
    }
    for (const auto& id : gone) co_await retire(id);
    for (auto& [id, served] : wanted) {
        auto& place = outlet(id);
        auto document = config::to_document(served.consumer);
        const bool same = is_served_so(id, served, document);
        const auto running = place.current();
        if (same && running) running->look_again();
        if (same) continue;
        co_await retire(id);
        {
            const std::lock_guard lock(mutex_);
            auto& entry = entries_[id];
            entry.served = std::move(served);
            entry.document = std::move(document);
        }
        co_await begin(id);
    }
}

bool HandOffs::is_served_so(const std::string& id, const Served& served, const std::string& document) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.document != document) return false;
    const auto& there = found->second.served;
    return there.tls == served.tls && there.key == served.key && there.fault == served.fault;
}

awaitable<void> HandOffs::retire(const std::string& id) {
    auto& place = outlet(id);
    runtime::Shard* shard = nullptr;
    {
        const std::lock_guard lock(mutex_);
        auto& entry = entries_[id];
        entry.served = {};
        entry.document.clear();
        shard = entry.shard;
    }
    const auto running = place.current();
    if (!running) co_return;
    place.put(nullptr);
    retired_.push_back(running);
    co_await runtime::run_on(shard->executor(), begin_to_drain(running, shard, replaced_within));
    co_await runtime::run_on(shard->executor(), running->drain());
}

awaitable<void> HandOffs::begin(const std::string& id) {
    consumers::HandOff::Options options;
    options.consumer = id;
    std::unique_ptr<consumers::Consumer> consumer;
    runtime::Shard* shard = nullptr;
    {
        const std::lock_guard lock(mutex_);
        auto& entry = entries_[id];
        const auto& configured = entry.served.consumer;
        if (configured.kind == Kind::pull || !entry.served.fault.empty()) co_return;
        if (configured.kind == Kind::maildir) {
            entry.shard = &uses_.filing;
            consumer = uses_.outside.make_consumer(configured, uses_.filing);
        } else {
            entry.shard = &uses_.calling;
            consumer = make_consumer(entry.served, uses_.calling, options);
        }
        shard = entry.shard;
    }
    const consumers::HandOff::Uses uses{shard->executor(), shard->inbox(), shard->timers(), shard->seams().random,
                                        uses_.committer,   uses_.bodies,   uses_.counters,  &uses_.acknowledgements};
    auto hand_off = std::make_shared<consumers::HandOff>(std::move(options), uses, std::move(consumer));
    outlet(id).put(hand_off);
    co_await runtime::run_on(shard->executor(), start(hand_off));
}

awaitable<void> HandOffs::start(std::shared_ptr<consumers::HandOff> hand_off) {
    hand_off->start();
    co_return;
}

awaitable<void> HandOffs::drain(std::chrono::milliseconds grace) {
    std::vector<std::pair<std::shared_ptr<consumers::HandOff>, runtime::Shard*>> running;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, entry] : entries_) {
            if (auto hand_off = entry.outlet->current()) running.emplace_back(std::move(hand_off), entry.shard);
        }
    }
    for (const auto& [hand_off, shard] : running)
        co_await runtime::run_on(shard->executor(), begin_to_drain(hand_off, shard, grace));
    for (const auto& [hand_off, shard] : running) co_await runtime::run_on(shard->executor(), hand_off->drain());
}

/// Writing to files ends by itself.
awaitable<void> HandOffs::begin_to_drain(std::shared_ptr<consumers::HandOff> hand_off, runtime::Shard* shard,
                                         std::chrono::milliseconds grace) const {
    if (shard != &uses_.filing) hand_off->drain_within(grace);
    co_return;
}

bool HandOffs::idle() const {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) {
        const auto hand_off = entry.outlet->current();
        if (hand_off && !hand_off->idle()) return false;
    }
    return true;
}

std::vector<HandOffs::State> HandOffs::states() const {
    std::vector<State> states;
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) {
        const auto& consumer = entry.served.consumer;
        const auto hand_off = entry.outlet->current();
        if (!hand_off && entry.served.fault.empty()) continue;
        State state{id, std::string(config::word_of(config::kind_words, consumer.kind)), place_of(consumer), {}};
        if (hand_off) state.stats = hand_off->stats();
        if (!hand_off) state.stats.last_reason = entry.served.fault;
        states.push_back(std::move(state));
    }
    return states;
}

std::string HandOffs::reason_of(const std::string& consumer, std::string_view mailbox) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(consumer);
    if (found == entries_.end()) return {};
    const auto hand_off = found->second.outlet->current();
    if (!hand_off) return found->second.served.fault;
    return hand_off->reason_of(mailbox);
}

#include "engine/hand_offs.hpp"

#include "engine/config/documents.hpp"

HandOffs::HandOffs(Outside& outside, runtime::Shard& shard, store::Committer& committer, const store::Bodies& bodies,
                   runtime::Counters& counters, consumers::Acknowledgements& acknowledgements)
    : outside_(outside),
      shard_(shard),
      committer_(committer),
      bodies_(bodies),
      counters_(counters),
      acknowledgements_(acknowledgements) {}

Outlet& HandOffs::outlet(const std::string& consumer) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[consumer];
    if (!entry.outlet) entry.outlet = std::make_unique<Outlet>();
    return *entry.outlet;
}

awaitable<void> HandOffs::serve(std::vector<config::Consumer> consumers) {
    std::map<std::string, config::Consumer> wanted;
    for (auto& consumer : consumers) wanted.emplace(consumer.id, std::move(consumer));
    std::vector<std::string> names;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, entry] : entries_) names.push_back(id);
    }
    for (const auto& [id, consumer] : wanted) names.push_back(id);
    for (const auto& id : names) {
        auto& place = outlet(id);
        const auto found = wanted.find(id);
        const auto document = found == wanted.end() ? std::string() : config::to_document(found->second);
        bool same = false;
        {
            const std::lock_guard lock(mutex_);
            same = entries_[id].document == document;
        }
        const auto running = place.current();
        if (same) {
            if (running) running->look_again();
            continue;
        }
        if (running) {
            place.put(nullptr);
            retired_.push_back(running);
            co_await running->drain();
        }
        {
            const std::lock_guard lock(mutex_);
            entries_[id].document = document;
            if (found != wanted.end()) entries_[id].consumer = found->second;
        }
        if (found == wanted.end() || found->second.kind != config::Consumer::Kind::maildir) continue;
        auto consumer = outside_.make_consumer(found->second, shard_);
        const consumers::HandOff::Uses uses{shard_.executor(), shard_.inbox(), shard_.timers(), shard_.seams().random,
                                            committer_,        bodies_,        counters_,       &acknowledgements_};
        consumers::HandOff::Options options;
        options.consumer = id;
        auto hand_off = std::make_shared<consumers::HandOff>(std::move(options), uses, std::move(consumer));
        place.put(hand_off);
        hand_off->start();
    }
}

awaitable<void> HandOffs::drain() {
    std::vector<std::shared_ptr<consumers::HandOff>> running;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, entry] : entries_) {
            if (auto hand_off = entry.outlet->current()) running.push_back(std::move(hand_off));
        }
    }
    for (const auto& hand_off : running) co_await hand_off->drain();
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
        const auto hand_off = entry.outlet->current();
        if (hand_off) states.push_back({id, "maildir", entry.consumer.path, hand_off->stats()});
    }
    return states;
}

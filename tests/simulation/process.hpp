#pragma once

#include <filesystem>
#include <memory>

#include "engine/engine.hpp"
#include "tests/simulation/application.hpp"
#include "tests/simulation/network.hpp"

namespace simulation {

/// What the daemon needs of the real file system: a key and an authority, the same in each run. Made once.
class Ground {
public:
    Ground();
    ~Ground();
    Ground(const Ground&) = delete;
    Ground& operator=(const Ground&) = delete;
    [[nodiscard]] std::filesystem::path key_file() const { return directory_ / "key"; }
    [[nodiscard]] std::filesystem::path ca_file() const { return directory_ / "ca.pem"; }

private:
    std::filesystem::path directory_;
};

/// One run of the daemon in the simulated world: from a start to an end or a death.
class Process final : public Outside {
public:
    struct Place {
        const VirtualClock& clock;
        SimulatedDisk& disk;
        Network& network;
        Application& application;
        Fate& fate;
        Events& events;
    };
    Process(Place place, std::uint64_t seed) : place_(place), random_(seed) {}

    /// Starts. False, with the reason in words, when it cannot.
    bool start(const config::RunFlags& flags, const EngineSizes& sizes);
    [[nodiscard]] Engine& engine() { return *engine_; }
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

    [[nodiscard]] const Clock& clock() const override { return place_.clock; }
    Random& random() override { return random_; }
    store::Disk& disk() override { return place_.disk; }
    std::unique_ptr<net::Dialer> make_dialer(asio::io_context&, Timers& timers, Random&) override {
        return place_.network.make_dialer(timers);
    }
    std::unique_ptr<net::Resolver> make_resolver(asio::io_context& context, Timers& timers) override {
        return std::make_unique<net::SystemResolver>(context, timers);  // nobody checks anything here
    }
    std::unique_ptr<consumers::Consumer> make_consumer(const config::Consumer&, runtime::Shard& shard) override {
        return place_.application.make_consumer(shard);
    }

private:
    Place place_;
    Dice random_;
    std::string failure_;
    std::unique_ptr<Engine> engine_;  // ends before what it uses
};

/// Makes the store of a new installation and imports the document into it. Throws when it cannot.
void install(store::Disk& disk, const config::RunFlags& flags, const EngineSizes& sizes, std::string_view document);

}  // namespace simulation

#pragma once

#include "engine/config/flags.hpp"
#include "engine/consumers/maildir_files.hpp"
#include "engine/outside.hpp"
#include "protocols/net/system_dialer.hpp"

/// The world as the daemon finds it: the machine's clocks, random numbers, files and network.
class Machine final : public Outside {
public:
    /// Throws StartError when the flags name no usable way to the network.
    explicit Machine(const config::RunFlags& flags);

    [[nodiscard]] const Clock& clock() const override { return clock_; }
    Random& random() override { return random_; }
    store::Disk& disk() override { return disk_; }
    std::unique_ptr<net::Dialer> make_dialer(asio::io_context& context, Timers& timers, Random& random) override;
    std::unique_ptr<net::Resolver> make_resolver(asio::io_context& context, Timers& timers) override;
    std::unique_ptr<consumers::Consumer> make_consumer(const config::Consumer& consumer,
                                                       runtime::Shard& shard) override;

private:
    SystemClock clock_;
    SystemRandom random_;
    store::SystemDisk disk_;
    net::SystemDialer::Options dialling_;
    consumers::PosixMaildirFiles maildir_files_;
};

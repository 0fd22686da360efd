#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "tests/support/directory.hpp"
#include "tools/rohrpost-powercut/checker.hpp"
#include "tools/rohrpost-powercut/mounts.hpp"
#include "tools/rohrpost-powercut/referee.hpp"

namespace powercut {

/// What one program reached.
struct Score {
    std::string name, version, configuration;
    std::size_t points = 0, points_with_loss = 0, points_with_repeats = 0, points_amiss = 0;
    MailNames acknowledged, lost, doubled, left_behind;  // each mail once, however many points saw it
    std::size_t torn = 0;                                // of the point where there were most
    std::size_t failed = 0;                              // points after which the program did not start or end well
    std::uint64_t syncs = 0, mails = 0;                  // while mail was taken in

    [[nodiscard]] bool clean() const { return points_with_loss + points_with_repeats + points_amiss + failed == 0; }
};

/// One program, played until `points` power cuts have been made and looked into.
class Game {
public:
    struct Wish {
        std::string program;
        std::size_t points = 0;
        std::string file_system = "ext4";
        std::uint64_t seed = 1;
        bool break_sync = false;     // its sync calls do nothing: the control
        std::filesystem::path keep;  // images of cuts that went wrong; empty: none
        std::size_t checkers = 2;
        std::filesystem::path preload;  // the library
    };
    /// Mounts and namespaces are the calling thread's, which must have called leave_for_own_mounts().
    explicit Game(Wish wish);
    ~Game();

    Score play();

private:
    using Process = support::Process;

    [[nodiscard]] bool over() const { return points_ >= wish_.points; }
    void open_disk(const Image& image);
    void close_disk();
    void begin_world();
    void prepare();
    void start(const Process::Start& start);
    void live();
    void fetch_once();
    void arrive();
    [[nodiscard]] Process::Start under_test(Process::Start start) const;

    // With mutex_ held:
    void cut(const std::string& moment);
    bool note_acknowledged();
    [[nodiscard]] Mailboxes server_now() const;

    void heard(const SyncEvent& event);
    void judged(const Cut& cut, const Verdict& verdict);

    Wish wish_;
    support::TemporaryDirectory directory_;
    std::mt19937_64 random_;
    Program program_;
    std::unique_ptr<sim::Authority> authority_;
    std::unique_ptr<PostOffice> office_;
    Image formatted_, last_image_;
    std::optional<VolatileDisk> disk_;
    Descriptor disk_file_;
    std::optional<Mounted> mounted_;
    std::unique_ptr<Process> process_;

    std::mutex mutex_;  // guards all below, and what a cut looks at
    Score score_;
    std::size_t points_ = 0;
    std::uint64_t syncs_ = 0;
    MailNames acknowledged_;
    std::uint32_t world_ = 0;  // changes only while no cut is being looked into
    bool prepared_ = false;
    std::size_t events_of_setting_up_ = 0;
    bool dark_ = true;  // nothing that happens counts
    std::size_t announced_ = 0;

    std::unique_ptr<Checker> checker_;
    std::unique_ptr<Referee> referee_;
};

}  // namespace powercut

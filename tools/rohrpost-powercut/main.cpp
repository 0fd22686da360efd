// rohrpost-powercut: pulls the plug on Rohrpost and on other mail fetchers at counted moments, starts them again on
// what is left, and counts what was lost and what came twice.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iterator>

#include "tests/support/places.hpp"
#include "tools/rohrpost-powercut/game.hpp"

namespace {

using powercut::Game;
using powercut::Score;

constexpr int found_wanting = 70, not_possible_here = 77, usage = 64;

/// Why it cannot work on this machine; empty: it can.
std::string obstacle() {
    if (::getuid() != 0) return "it mounts file systems: it must run as root";
    for (const char* device : {"/dev/fuse", "/dev/loop-control"})
        if (::access(device, R_OK | W_OK) != 0) return fmt::format("there is no {} to be used", device);
    return {};
}

std::string remarks_on(const Score& score) {
    std::vector<std::string> remarks;
    if (score.failed > 0) remarks.push_back(fmt::format("did not start again after {} cuts", score.failed));
    if (!score.left_behind.empty())
        remarks.push_back(fmt::format("{} mails not taken from the server", score.left_behind.size()));
    if (score.torn > 0) remarks.push_back(fmt::format("up to {} files that are no whole mail", score.torn));
    return fmt::format("{}", fmt::join(remarks, "; "));
}

constexpr std::string_view table_head =
    "| program | version | configuration | points | acknowledged | lost (points) | doubled (points) | syncs per "
    "message | besides |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

std::string row_of(const Score& score) {
    const double syncs = score.mails == 0 ? 0 : static_cast<double>(score.syncs) / static_cast<double>(score.mails);
    return fmt::format("| {} | {} | {} | {} | {} | {} ({}) | {} ({}) | {:.1f} | {} |\n", score.name, score.version,
                       score.configuration, score.points, score.acknowledged.size(), score.lost.size(),
                       score.points_with_loss, score.doubled.size(), score.points_with_repeats, syncs,
                       remarks_on(score));
}

int list(const std::vector<std::string>& programs, const std::string& file_system) {
    try {
        for (const std::string& program : programs)
            for (const std::string& package : powercut::packages_of(program)) fmt::print("{}\n", package);
    } catch (const std::exception& reason) {
        fmt::print(stderr, "rohrpost-powercut: {}\n", reason.what());
        return usage;
    }
    if (file_system == "xfs") fmt::print("xfsprogs\n");
    if (file_system == "btrfs") fmt::print("btrfs-progs\n");
    return 0;
}

int play(Game::Wish wish, const std::vector<std::string>& programs, std::size_t points, std::size_t peer_points) {
    bool as_wanted = true;
    try {
        std::string table(table_head);
        for (const std::string& program : programs) {
            wish.program = program;
            wish.points = program == "rohrpost" ? points : peer_points;
            const Score score = Game(wish).play();
            table += row_of(score);
            if (wish.break_sync)
                as_wanted = as_wanted && score.points_with_loss > 0;
            else if (program == "rohrpost")
                as_wanted = score.clean();
        }
        fmt::print("{}", table);
    } catch (const std::exception& reason) {
        fmt::print(stderr, "rohrpost-powercut: {}\n", reason.what());
        return found_wanting;
    }
    if (!as_wanted)
        fmt::print(stderr, "rohrpost-powercut: {}\n",
                   wish.break_sync ? "nothing was lost although nothing was synced: this check cannot fail"
                                   : "Rohrpost lost or doubled mail");
    return as_wanted ? 0 : found_wanting;
}

}  // namespace

int main(int count, char** words) {
    CLI::App app("Pulls the plug on mail fetchers at counted moments, and counts what is lost and doubled.");
    Game::Wish wish;
    std::size_t points = 1000, peer_points = 120;
    std::vector<std::string> programs{"rohrpost"};
    app.add_option("--points", points, "Power cuts for Rohrpost")->capture_default_str();
    app.add_option("--peer-points", peer_points, "Power cuts for each other program")->capture_default_str();
    app.add_option("--programs", programs, "Which, by name; with a comma between")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--file-system", wish.file_system, "ext4, xfs or btrfs")->capture_default_str();
    app.add_option("--seed", wish.seed, "Of sizes, numbers and lost sectors")->capture_default_str();
    app.add_option("--keep", wish.keep, "A folder for the images of cuts that went wrong");
    app.add_flag("--break-sync", wish.break_sync, "The control: sync calls do nothing, and loss must be found");
    bool list_packages = false;
    app.add_flag("--list-packages", list_packages, "Only print the Debian packages that these programs are in");
    CLI11_PARSE(app, count, words);
    if (list_packages) return list(programs, wish.file_system);
    if (const std::string reason = obstacle(); !reason.empty()) {
        fmt::print(stderr, "rohrpost-powercut: {}\n", reason);
        return not_possible_here;
    }
    wish.preload = support::binary_directory() + "/libpowercut_preload.so";
    try {
        return powercut::in_a_world_of_its_own([&] { return play(wish, programs, points, peer_points); });
    } catch (const std::exception& reason) {  // a container that allows no such thing
        fmt::print(stderr, "rohrpost-powercut: {}\n", reason.what());
        return not_possible_here;
    }
}

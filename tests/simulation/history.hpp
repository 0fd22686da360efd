#pragma once

#include <optional>

#include "tests/simulation/stage.hpp"

namespace simulation {

/// Where a history is interrupted: at the so-many-th act of a kind.
struct Cut {
    enum class At { file, network, turn } at = At::file;
    std::uint64_t number = 0;
    Stage::Ending ending = Stage::Ending::power_cut;
    std::optional<std::uint64_t> again = std::nullopt;  // file call of the recovery at which it dies once more
};

/// What becomes of mail on the server in a history.
struct After {
    std::string policy = "keep";
    bool can_move = true;
    bool pop3 = false;  // fetched so
};

/// A few minutes that are always the same: mail small and large, deletions, an expiring token, a late UID, a reload, a
/// folder that is renumbered, and once more while it is compared;
/// mail that is sent, one to a recipient who is refused, one whose reply is lost. Interrupted anywhere and resumed, the
/// application gets the same mail in the same order, what it sends arrives once, and the server's folders end the same.
/// Where the daemon changes folders, nobody else does.
class History {
public:
    History(const Ground& ground, std::optional<Cut> cut, After after);

    /// False: a violation.
    bool run();
    [[nodiscard]] Stage& stage() noexcept { return stage_; }
    /// What the application took, in order for each mailbox, by its bytes. Repeats count once. What arrived of it. And
    /// what the server's folders hold.
    [[nodiscard]] std::string log();
    /// Acts of the whole history, from its first start on.
    [[nodiscard]] std::uint64_t count(Cut::At at) const;

private:
    void write_script();
    void remove_once_taken(std::uint32_t number, std::uint32_t letter);
    void resume();
    [[nodiscard]] std::string folders();

    Stage stage_;
    After after_;
    std::optional<Cut> cut_;
    std::uint64_t calls_before_ = 0;
};

/// Cuts the history at every `stride`-th act of every kind, from `first` on, and compares. Prints what differs.
/// True when nothing does.
bool interrupt_everywhere(const Ground& ground, const After& after, std::uint64_t first, std::uint64_t stride);

}  // namespace simulation

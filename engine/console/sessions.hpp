#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/base/clock.hpp"
#include "protocols/base/random.hpp"

namespace console {

/// Who is logged in to the console. In memory alone: after a restart everybody logs in again. An id is never one that a
/// browser brought: it is made at log-in. One shard.
class Sessions {
public:
    static constexpr std::size_t sessions_max = 64;  // the one that was used least lately makes room
    static constexpr std::chrono::minutes idle_max{30};
    static constexpr std::chrono::hours age_max{12};

    Sessions(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

    struct Session {
        std::string csrf;     // what every form of it carries
        std::string browser;  // secret of the cookie that its sign-ins are bound to
        std::uint64_t generation = 0;
        Monotonic begun{}, used{};
    };
    /// The new session's id, for its cookie. `generation` is that of the token that opened it.
    std::string begin(std::uint64_t generation);
    /// Of that id; nullopt: none, over, or opened with a token that is no more. Counts as use.
    std::optional<Session> find(std::string_view id, std::uint64_t generation);
    void end(std::string_view id);
    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

    /// 256 random bits as 43 characters.
    std::string fresh();

private:
    void forget_old(std::uint64_t generation);

    const Clock& clock_;
    Random& random_;
    std::map<std::string, Session> sessions_;  // by the hash of the id, so that looking one up tells nothing of others
};

}  // namespace console

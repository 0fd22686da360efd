#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "protocols/base/clock.hpp"

namespace simulation {

/// What happened, in order: the last lines for people, all of it in one number that two runs can be compared by. And
/// the first thing that should not have happened. One thread.
class Events {
public:
    explicit Events(const Clock& clock) : clock_(clock) {}

    template <class... Values>
    void note(fmt::format_string<Values...> form, Values&&... values) {
        write(fmt::format(form, std::forward<Values>(values)...));
    }
    void write(std::string_view line);
    /// Counts in the comparison, without a line.
    void mix(std::uint64_t value) noexcept;
    /// A broken invariant. The first one counts.
    template <class... Values>
    void violated(fmt::format_string<Values...> form, Values&&... values) {
        const auto words = fmt::format(form, std::forward<Values>(values)...);
        write("VIOLATION " + words);
        if (violation_.empty()) violation_ = words;
    }

    void print_all() noexcept { printing_ = true; }
    [[nodiscard]] const std::string& violation() const noexcept { return violation_; }
    [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
    [[nodiscard]] const std::deque<std::string>& last() const noexcept { return last_; }

private:
    static constexpr std::size_t kept_lines = 60;

    const Clock& clock_;
    std::deque<std::string> last_;
    std::string violation_;
    std::uint64_t hash_ = 0xcbf29ce484222325U;
    bool printing_ = false;
};

/// The product's log goes into the events as long as this lives.
class LogIntoEvents {
public:
    explicit LogIntoEvents(Events& events);
    ~LogIntoEvents();
    LogIntoEvents(const LogIntoEvents&) = delete;
    LogIntoEvents& operator=(const LogIntoEvents&) = delete;
};

}  // namespace simulation

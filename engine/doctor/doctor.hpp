#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "engine/doctor/examination.hpp"

namespace doctor {

/// Runs checks, a few at a time, and keeps their reports for those who come for them. One shard. Ends after close().
class Doctor {
public:
    struct Uses {
        asio::any_io_executor shard;
        Surroundings surroundings;
        Grants& grants;
    };
    explicit Doctor(Uses uses, Examination::Options options = {});

    /// The id of a check that runs from now on; nullopt: too many others do.
    std::optional<std::string> begin(Plan plan);

    struct Progress {
        std::size_t done = 0, steps = 0;
        std::shared_ptr<const Report> report;  // nullptr: it runs
    };
    /// How far it is; waits until it has ended or that time is over. nullopt: no such check, or it ended long ago.
    awaitable<std::optional<Progress>> look(std::string id, std::chrono::milliseconds within);

    /// Where browsers come back to, once that is known.
    void redirect_to(std::string redirect_uri) { redirect_uri_ = std::move(redirect_uri); }
    [[nodiscard]] const std::string& redirect_uri() const noexcept { return redirect_uri_; }

    /// Ends what runs.
    awaitable<void> close();

    static constexpr std::size_t running_max = 4, kept_max = 16;

private:
    struct Check {
        std::string id;
        std::shared_ptr<Examination> examination;
    };
    static awaitable<void> run(std::shared_ptr<Examination> examination);

    Uses uses_;
    Examination::Options options_;
    std::string redirect_uri_;
    std::list<Check> checks_;  // the newest last
    runtime::Scope scope_;     // last
};

}  // namespace doctor

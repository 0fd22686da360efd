#pragma once

#include "tests/simulation/stage.hpp"

namespace simulation {

/// A few hours of a daemon's life, as a seed has it: mail, people, and everything that can go wrong. Then the faults
/// end, and everything must come to rest with nothing lost and nothing doubled.
class Scenario {
public:
    Scenario(std::uint64_t seed, const Ground& ground);

    /// False: a violation; stage().events says which.
    bool run();
    [[nodiscard]] Stage& stage() noexcept { return stage_; }
    [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
    [[nodiscard]] std::uint64_t deaths() const noexcept { return deaths_; }

private:
    void write_script();
    void happen();
    void something_of_people();
    void arrive(std::uint32_t number, std::chrono::milliseconds hidden);
    void another_product_hears(std::uint32_t number);
    void something_of_correspondence();
    void something_of_provider();
    void renumber(std::uint32_t number);
    void something_of_submission();
    void let_go();
    void something_of_disk();
    void something_of_process();
    void calm_down();
    void come_back();
    bool live_until(const std::function<bool()>& done, std::chrono::milliseconds span);
    [[nodiscard]] std::size_t some_size();
    [[nodiscard]] std::string some_folder(std::uint32_t number);

    std::uint64_t seed_;
    Dice dice_;
    Stage stage_;
    Weather weather_;
    Moods moods_;
    std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> renumbered_;  // how often each folder was
    bool calm_ = false;
    Monotonic comes_back_at_{};
    std::uint64_t deaths_ = 0;
};

}  // namespace simulation

#include "engine/doctor/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/runtime/log.hpp"

namespace doctor {
namespace {

std::string fresh_id(Random& random) {
    std::array<std::byte, 8> bytes{};
    random.fill(bytes);
    std::string id;
    for (const auto byte : bytes) id += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return id;
}

}  // namespace

Doctor::Doctor(Uses uses, Examination::Options options)
    : uses_(std::move(uses)),
      options_(options),
      scope_(uses_.shard, [](const std::string& name, const std::string& what) {
          spdlog::error("check={} id=crashed reason={}", runtime::value(name), runtime::value(what));
      }) {}

std::optional<std::string> Doctor::begin(Plan plan) {
    const auto runs = [](const Check& check) { return check.examination->report() == nullptr; };
    if (static_cast<std::size_t>(std::count_if(checks_.begin(), checks_.end(), runs)) >= running_max) {
        return std::nullopt;
    }
    if (checks_.size() >= kept_max) checks_.erase(std::find_if_not(checks_.begin(), checks_.end(), runs));
    Check check;
    check.id = fresh_id(uses_.surroundings.seams.random);
    check.examination =
        std::make_shared<Examination>(uses_.surroundings, uses_.grants, scope_, std::move(plan), options_);
    scope_.spawn("examination", run(check.examination));
    checks_.push_back(check);
    return check.id;
}

awaitable<void> Doctor::run(std::shared_ptr<Examination> examination) { co_await examination->run(); }

awaitable<std::optional<Doctor::Progress>> Doctor::look(std::string id, std::chrono::milliseconds within) {
    const auto found =
        std::find_if(checks_.begin(), checks_.end(), [&id](const Check& check) { return check.id == id; });
    if (found == checks_.end()) co_return std::nullopt;
    const auto examination = found->examination;
    co_await examination->wait(within);
    Progress progress;
    progress.done = examination->steps_done();
    progress.steps = examination->steps();
    progress.report = examination->report();
    co_return progress;
}

awaitable<void> Doctor::close() {
    scope_.cancel();
    co_await scope_.join();
}

}  // namespace doctor

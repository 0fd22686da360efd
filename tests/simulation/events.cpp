#include "tests/simulation/events.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <cstdio>

namespace simulation {

namespace {

class EventSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    explicit EventSink(Events& events) : events_(events) {}

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        events_.note("log {} {}", spdlog::level::to_short_c_str(message.level),
                     std::string_view(message.payload.data(), message.payload.size()));
    }
    void flush_() override {}

private:
    Events& events_;
};

}  // namespace

void Events::write(std::string_view line) {
    for (const char c : line) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now().time_since_epoch()).count();
    mix(static_cast<std::uint64_t>(at));
    last_.push_back(fmt::format("{:>11.3f} {}", static_cast<double>(at) / 1000.0, line));
    if (last_.size() > kept_lines) last_.pop_front();
    if (printing_) fmt::print(stderr, "{}\n", last_.back());
}

void Events::mix(std::uint64_t value) noexcept { hash_ = (hash_ ^ value) * 0x100000001b3U; }

LogIntoEvents::LogIntoEvents(Events& events) {
    auto log = std::make_shared<spdlog::logger>("simulation", std::make_shared<EventSink>(events));
    log->set_level(spdlog::level::info);
    spdlog::set_default_logger(std::move(log));
}

LogIntoEvents::~LogIntoEvents() {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("nothing", std::make_shared<spdlog::sinks::null_sink_mt>()));
}

}  // namespace simulation

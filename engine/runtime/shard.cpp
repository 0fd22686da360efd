#include "engine/runtime/shard.hpp"

#include <pthread.h>

namespace runtime {

Shard::Shard(std::string name, const Clock& clock, Random& random, std::size_t budget_bytes,
             const MakeDialer& make_dialer)
    : name_(std::move(name)),
      work_(context_.get_executor()),
      timers_(clock),
      inbox_(context_.get_executor()),
      budget_(budget_bytes),
      dialer_(make_dialer(context_, timers_, random)),
      seams_{timers_, random, *dialer_} {}

Shard::~Shard() { stop(); }

void Shard::follow_machine() { driver_.emplace(context_, timers_); }

void Shard::start() {
    follow_machine();
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
        context_.run();
    });
}

void Shard::stop() {
    work_.reset();
    context_.stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace runtime

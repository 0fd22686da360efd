#include "engine/runtime/scope.hpp"

#include "protocols/base/ensure.hpp"

namespace runtime {

/// Shared with the completion of each coroutine, so that a late one finds it.
struct Scope::State {
    struct Task {
        std::string name;
        asio::cancellation_signal cancel;
    };
    State(asio::any_io_executor on, Report to) : shard(std::move(on)), report(std::move(to)) {}

    asio::any_io_executor shard;
    Report report;
    std::list<Task> tasks;
    Parking joiner;
    bool cancelled = false;
};

namespace {

void tell(const Scope::Report& report, const std::string& name, const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) return;
        report(name, error.what());
    } catch (const std::exception& error) {
        report(name, error.what());
    }
}

}  // namespace

Scope::Scope(asio::any_io_executor shard, Report report)
    : state_(std::make_shared<State>(std::move(shard), std::move(report))) {}

Scope::~Scope() {
    cancel();
    state_->report = [](const std::string&, const std::string&) {};
}

void Scope::spawn(std::string name, awaitable<void> coroutine) {
    if (state_->cancelled) return;
    const auto task = state_->tasks.emplace(state_->tasks.end());
    task->name = std::move(name);
    auto ended = [state = state_, task](const std::exception_ptr& failure) {
        if (failure) tell(state->report, task->name, failure);
        state->tasks.erase(task);
        if (state->tasks.empty() && state->joiner.occupied()) state->joiner.wake();
    };
    asio::co_spawn(state_->shard, std::move(coroutine),
                   asio::bind_cancellation_slot(task->cancel.slot(), std::move(ended)));
}

void Scope::cancel() {
    state_->cancelled = true;
    auto next = state_->tasks.begin();
    while (next != state_->tasks.end()) {
        auto& task = *next++;  // emitting may end the task
        task.cancel.emit(asio::cancellation_type::terminal);
    }
}

awaitable<void> Scope::join() {
    while (!state_->tasks.empty()) co_await state_->joiner.wait();
}

std::size_t Scope::running() const noexcept { return state_->tasks.size(); }

}  // namespace runtime

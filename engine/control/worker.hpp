#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "protocols/wait/parking.hpp"
#include "queue/inbox.hpp"

namespace control {

/// A thread for what takes too long for a shard or for the committer, such as reading a whole mail and taking it apart.
/// One piece of work after the other, so that one mail at a time is in memory. The thread starts with the first one.
/// Any shard may hand work in; the shards' inboxes outlive this object, which waits for the work that is being done
/// and gives up the rest.
class Worker {
public:
    static constexpr std::size_t waiting_max = 64;

    Worker();
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Runs `work()` on the thread and gives its result on the shard of `home`; nullopt: waiting_max wait already, or
    /// this object ended first.
    /// `work` is moved there and owns what it uses; it throws nothing but want of memory.
    template <class Work>
    auto run(queue::Inbox& home, Work work) -> awaitable<std::optional<std::invoke_result_t<Work>>>;

private:
    struct Impl;
    enum class Turn { work, give_up };
    using Task = std::function<void(Turn)>;
    [[nodiscard]] bool add(Task task);
    std::unique_ptr<Impl> impl_;
};

template <class Work>
auto Worker::run(queue::Inbox& home, Work work) -> awaitable<std::optional<std::invoke_result_t<Work>>> {
    using Answer = std::invoke_result_t<Work>;
    struct Shared {
        explicit Shared(Work what) : task(std::move(what)) {}
        Work task;
        Parking parking;
        std::optional<Answer> answer;
    };
    class Back final : public queue::Inbox::Note {
    public:
        explicit Back(std::shared_ptr<Shared> to) : shared_(std::move(to)) {}
        void deliver() noexcept override { shared_->parking.wake(); }

    private:
        std::shared_ptr<Shared> shared_;  // outlives a caller that was cancelled
    };
    auto shared = std::make_shared<Shared>(std::move(work));
    // Once it is on its way back, nothing of it is touched here.
    Task task = [to = &home, kept = shared](Turn turn) mutable {
        if (turn == Turn::work) kept->answer.emplace(kept->task());
        to->put(std::make_unique<Back>(std::move(kept)));
    };
    if (!add(std::move(task))) co_return std::nullopt;
    co_await shared->parking.wait();
    co_return std::move(shared->answer);
}

}  // namespace control

#include "engine/control/worker.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace control {

struct Worker::Impl {
    void work() {
        pthread_setname_np(pthread_self(), "mail-view");
        std::unique_lock lock(mutex);
        for (;;) {
            changed.wait(lock, [this] { return ending || !tasks.empty(); });
            if (ending) return;
            auto task = std::move(tasks.front());
            tasks.pop_front();
            lock.unlock();
            task(Turn::work);
            task = nullptr;
            lock.lock();
        }
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Task> tasks;
    bool ending = false;
    std::thread thread;
};

Worker::Worker() : impl_(std::make_unique<Impl>()) {}

Worker::~Worker() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ending = true;
    }
    impl_->changed.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
    for (auto& task : impl_->tasks) task(Turn::give_up);
}

bool Worker::add(Task task) {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->tasks.size() >= waiting_max) return false;
    if (!impl_->thread.joinable()) {
        try {
            impl_->thread = std::thread([impl = impl_.get()] { impl->work(); });
        } catch (const std::system_error&) {  // the limit of threads, or of memory
            return false;
        }
    }
    impl_->tasks.push_back(std::move(task));
    impl_->changed.notify_one();
    return true;
}

}  // namespace control

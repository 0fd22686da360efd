#include "queue/store/committer.hpp"

#include <pthread.h>

#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "protocols/base/ensure.hpp"
#include "queue/work_queue.hpp"

namespace store {

struct Committer::Impl {
    Impl(std::unique_ptr<Store> rows, std::unique_ptr<Bodies> segments, const Clock& time, Options limits)
        : store(std::move(rows)),
          bodies(std::move(segments)),
          clock(time),
          options(limits),
          queue(limits.queue_capacity) {}

    void run();
    bool step();
    void wait_for_company();
    void refuse_queued();
    void commit_group();
    error_code apply_group();
    error_code finish_group();
    Result<std::vector<std::uint64_t>> unneeded_segments();
    void fail_group(error_code reason);
    void deliver_group();

    const std::unique_ptr<Store> store;
    const std::unique_ptr<Bodies> bodies;
    const Clock& clock;
    const Options options;
    queue::WorkQueue<std::unique_ptr<Job>> queue;
    std::thread thread;

    // The committer's thread only.
    std::vector<std::unique_ptr<Job>> group;
    std::size_t company = 0;          // jobs of the last group, and those that had come when it was done
    std::chrono::nanoseconds took{};  // the last group
    Monotonic reclaimed_at{};

    mutable std::mutex stats_mutex;
    Stats stats;
};

void Committer::Impl::run() {
    constexpr std::chrono::seconds before_rest(5);
    auto next_commit = clock.now();
    bool resting = false;
    for (;;) {
        if (options.commit_interval.count() > 0) std::this_thread::sleep_until(next_commit);
        const std::size_t jobs_max = stats.disk_full ? 1 : options.group_jobs_max;
        while (queue.wait_batch(group, jobs_max, std::chrono::steady_clock::now() + before_rest) == 0) {
            if (queue.closed()) return;
            if (!resting) store->rest();
            resting = true;
        }
        resting = false;
        if (jobs_max > 1 && options.commit_interval.count() == 0) wait_for_company();
        next_commit = clock.now() + options.commit_interval;
        commit_group();
    }
}

/// Who is answered often comes back at once. Those that were answered together are waited for, less long than a commit
/// takes, or they fall apart into two crowds, each of which waits for the other one's commit. A lone job waits for
/// nobody.
void Committer::Impl::wait_for_company() {
    constexpr std::chrono::nanoseconds wait_max = std::chrono::milliseconds(5);
    constexpr int looks = 3;
    const auto look = std::min(took / 2, wait_max) / looks;
    for (int each = 0; each < looks && group.size() + queue.length() < company; ++each) {
        if (queue.closed()) break;
        std::this_thread::sleep_for(look);
    }
    queue.try_pop_batch(group, options.group_jobs_max - group.size());
}

bool Committer::Impl::step() {
    // On a full disk each job is a group of its own, so that one that needs no room is not held back by one that does.
    const std::size_t jobs_max = stats.disk_full ? 1 : options.group_jobs_max;
    if (queue.try_pop_batch(group, jobs_max) == 0) return false;
    commit_group();
    return true;
}

void Committer::Impl::refuse_queued() {
    std::vector<std::unique_ptr<Job>> late;
    while (queue.try_pop_batch(late, options.group_jobs_max) > 0) {
        for (auto& job : late) {
            job->reason_ = errc::closed;
            queue::Inbox& home = job->home_;
            home.put(std::move(job));
        }
        late.clear();
    }
}

void Committer::Impl::commit_group() {
    const auto begun = clock.now();
    error_code reason = stats.stopped_by;
    if (!reason) {
        reason = apply_group();
        if (!reason) reason = finish_group();
        if (reason) {
            store->rollback();
            bodies->rollback();
        }
    }
    if (reason) fail_group(reason);
    {
        const std::lock_guard lock(stats_mutex);
        stats.jobs += group.size();
        ++stats.groups;
        took = clock.now() - begun;
        stats.commit_time += took;
        stats.disk_full = reason == errc::disk_full || (stats.disk_full && bodies->short_of_room());
        if (reason && reason != errc::disk_full) stats.stopped_by = reason;
        const auto usage = bodies->usage();
        stats.syncs = usage.syncs;
        stats.body_bytes = usage.body_bytes;
    }
    company = group.size() + queue.length();
    deliver_group();
}

/// Empty when every job was applied or refused alone; else why the whole group must go.
error_code Committer::Impl::apply_group() {
    const auto begun = store->begin();
    if (!begun) return begun.error();
    const Workbench bench{*store, *bodies};
    for (auto& job : group) {
        job->reason_ = job->apply(bench);
        if (job->reason_ == errc::io_failed || job->reason_ == errc::disk_full) return job->reason_;
    }
    return {};
}

/// Bodies first, then the rows that name them.
error_code Committer::Impl::finish_group() {
    const auto synced = bodies->sync();
    if (!synced) return synced.error();
    const auto unneeded = unneeded_segments();
    if (!unneeded) return unneeded.error();
    const auto committed = store->commit();
    if (!committed) return committed.error();
    bodies->reclaim(*unneeded);
    return {};
}

Result<std::vector<std::uint64_t>> Committer::Impl::unneeded_segments() {
    constexpr std::chrono::seconds between_looks(1);
    const auto now = clock.now();
    if (now - reclaimed_at < between_looks) return std::vector<std::uint64_t>();
    reclaimed_at = now;
    return store->release_segments(bodies->sealed());
}

void Committer::Impl::fail_group(error_code reason) {
    for (auto& job : group) {
        if (!job->reason_) job->reason_ = reason;
    }
}

/// One wake-up for each shard.
void Committer::Impl::deliver_group() {
    std::map<queue::Inbox*, std::vector<std::unique_ptr<queue::Inbox::Note>>> homeward;
    for (auto& job : std::exchange(group, {})) {
        queue::Inbox* const home = &job->home_;
        homeward[home].push_back(std::move(job));
    }
    for (auto& [home, notes] : homeward) home->put(std::move(notes));
}

Committer::Committer(std::unique_ptr<Store> store, std::unique_ptr<Bodies> bodies, const Clock& clock, Options options)
    : impl_(std::make_unique<Impl>(std::move(store), std::move(bodies), clock, options)) {}

Committer::~Committer() { stop(); }

void Committer::start() {
    ensure(!impl_->thread.joinable(), "the committer is started once");
    impl_->thread = std::thread([impl = impl_.get()] {
        pthread_setname_np(pthread_self(), "committer");
        impl->run();
    });
}

void Committer::stop() {
    impl_->queue.close();
    if (impl_->thread.joinable()) impl_->thread.join();
    while (impl_->step()) continue;
}

bool Committer::step() { return impl_->step(); }

awaitable<void> Committer::submit(std::unique_ptr<Job> job) {
    co_await impl_->queue.push(std::move(job));
    if (impl_->queue.closed()) impl_->refuse_queued();
}

bool Committer::try_submit(std::unique_ptr<Job>& job) {
    if (!impl_->queue.try_push(job)) return false;
    if (impl_->queue.closed()) impl_->refuse_queued();
    return true;
}

Committer::Stats Committer::stats() const {
    const std::lock_guard lock(impl_->stats_mutex);
    Stats stats = impl_->stats;
    stats.queue_length = impl_->queue.length();
    return stats;
}

}  // namespace store

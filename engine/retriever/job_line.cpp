#include "engine/retriever/job_line.hpp"

namespace retriever {

JobLine::~JobLine() {
    for (auto& job : overflow_) {  // never submitted: their bytes are no longer held
        if (!house_.committer.try_submit(job)) job->done(store::errc::closed);
    }
}

void JobLine::put(std::unique_ptr<store::Job> job, std::size_t bytes) {
    (void)house_.budget.take(bytes);
    if (!overflow_.empty() || !house_.committer.try_submit(job)) overflow_.push_back(std::move(job));
}

imap::FetchSink::Flow JobLine::flow() const noexcept {
    using Flow = imap::FetchSink::Flow;
    const bool full =
        house_.budget.used_bytes() >= house_.budget.bytes_max() || progress_->in_flight_bytes >= in_flight_bytes_max_;
    return overflow_.empty() && !full && !progress_->failed ? Flow::go_on : Flow::wait;
}

awaitable<Result<void>> JobLine::room() {
    while (!overflow_.empty()) {
        auto job = std::move(overflow_.front());
        overflow_.pop_front();
        co_await house_.committer.submit(std::move(job));
    }
    co_await house_.budget.room();
    while (progress_->in_flight_bytes >= in_flight_bytes_max_) co_await progress_->moved.wait();
    if (progress_->failed) co_return progress_->failed;
    co_return Result<void>();
}

awaitable<Result<void>> JobLine::settle() {
    auto roomy = co_await room();
    if (!roomy) co_return roomy.error();
    while (progress_->outstanding > 0) co_await progress_->moved.wait();
    if (progress_->failed) co_return progress_->failed;
    co_return Result<void>();
}

}  // namespace retriever

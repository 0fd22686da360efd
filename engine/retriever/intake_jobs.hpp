#pragma once
/// The jobs that carry bodies from a session to the committer's thread. Included by the intakes only.

#include <memory>
#include <string>
#include <utility>

#include "engine/retriever/job_line.hpp"

namespace retriever {

struct Streaming {
    store::StreamedBody body = 0;
    bool open = false;
    error_code failed;
};

/// Why nothing can be added to a body. It may never have been opened: its job was in a group that failed before it.
inline error_code fault_of(Streaming& streaming) {
    if (!streaming.open && !streaming.failed) streaming.failed = store::errc::closed;
    return streaming.failed;
}

/// The hand-off reads on by itself while there is more: in a stream of mail it need not hear of each one.
inline constexpr std::uint64_t announce_each = 32;

/// A job of an intake: counts itself out and gives its bytes back to the shard.
class IntakeJob : public store::Job {
public:
    IntakeJob(const IntakeHouse& house, store::MailboxNumber mailbox, std::shared_ptr<Progress> progress,
              std::size_t bytes)
        : Job(house.inbox),
          progress_(std::move(progress)),
          budget_(house.budget),
          arrivals_(house.arrivals),
          mailbox_(mailbox),
          bytes_(bytes) {
        ++progress_->outstanding;
        progress_->in_flight_bytes += bytes_;
    }
    void done(error_code reason) noexcept override {
        if (reason && !progress_->failed) progress_->failed = reason;
        if (!reason) durable();
        budget_.give_back(bytes_);
        --progress_->outstanding;
        progress_->in_flight_bytes -= bytes_;
        if (progress_->unannounced >= (progress_->outstanding == 0 ? 1 : announce_each)) {
            progress_->unannounced = 0;
            if (arrivals_ != nullptr) arrivals_->arrived(mailbox_);
        }
        progress_->moved.wake();
    }

protected:
    virtual void durable() noexcept {}
    std::shared_ptr<Progress> progress_;

private:
    queue::ByteBudget& budget_;
    Arrivals* arrivals_;
    store::MailboxNumber mailbox_;
    std::size_t bytes_;
};

/// The job that puts a message into the ledger: counts it once that is durable.
class LedgerJob : public IntakeJob {
public:
    LedgerJob(const IntakeHouse& house, store::MailboxNumber mailbox, std::shared_ptr<Progress> progress,
              std::size_t bytes)
        : IntakeJob(house, mailbox, std::move(progress), bytes),
          clock_(house.clock),
          counters_(house.counters),
          arrived_(house.clock.now()) {}

protected:
    void durable() noexcept final {
        if (known_before_) {
            ++progress_->known_before;
            counters_.messages_known_before.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        ++progress_->stored;
        progress_->stored_bytes += stored_bytes_;
        counters_.messages_stored.fetch_add(1, std::memory_order_relaxed);
        counters_.message_bytes_stored.fetch_add(stored_bytes_, std::memory_order_relaxed);
        counters_.arrival_to_durable.add(clock_.now() - arrived_);
        ++progress_->unannounced;
    }
    bool known_before_ = false;       // set by apply(), as is
    std::uint64_t stored_bytes_ = 0;  // of its body

private:
    const Clock& clock_;
    runtime::Counters& counters_;
    Monotonic arrived_;
};

class OpenJob final : public IntakeJob {
public:
    OpenJob(const IntakeHouse& house, store::MailboxNumber mailbox, std::shared_ptr<Progress> progress,
            std::shared_ptr<Streaming> streaming, std::uint64_t bytes)
        : IntakeJob(house, mailbox, std::move(progress), 0), streaming_(std::move(streaming)), body_bytes_(bytes) {}
    error_code apply(store::Workbench bench) override {
        auto body = bench.bodies.open(body_bytes_);
        if (body) {
            streaming_->body = *body;
            streaming_->open = true;
        } else {
            streaming_->failed = body.error();
        }
        return streaming_->failed;
    }

private:
    std::shared_ptr<Streaming> streaming_;
    std::uint64_t body_bytes_;
};

class ChunkJob final : public IntakeJob {
public:
    ChunkJob(const IntakeHouse& house, store::MailboxNumber mailbox, std::shared_ptr<Progress> progress,
             std::shared_ptr<Streaming> streaming, std::string chunk)
        : IntakeJob(house, mailbox, std::move(progress), chunk.size()),
          streaming_(std::move(streaming)),
          chunk_(std::move(chunk)) {}
    error_code apply(store::Workbench bench) override {
        if (const auto broken = fault_of(*streaming_)) return broken;
        auto written = bench.bodies.write(streaming_->body, chunk_);
        if (!written) streaming_->failed = written.error();
        return streaming_->failed;
    }

private:
    std::shared_ptr<Streaming> streaming_;
    std::string chunk_;
};

class AbandonJob final : public IntakeJob {
public:
    AbandonJob(const IntakeHouse& house, store::MailboxNumber mailbox, std::shared_ptr<Progress> progress,
               std::shared_ptr<Streaming> streaming)
        : IntakeJob(house, mailbox, std::move(progress), 0), streaming_(std::move(streaming)) {}
    error_code apply(store::Workbench bench) override {
        if (streaming_->open) bench.bodies.abandon(streaming_->body);
        streaming_->open = false;
        return {};
    }

private:
    std::shared_ptr<Streaming> streaming_;
};

}  // namespace retriever

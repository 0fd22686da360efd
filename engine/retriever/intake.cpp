#include "engine/retriever/intake.hpp"

#include <algorithm>

#include "engine/retriever/fingerprint.hpp"
#include "engine/retriever/stand_in.hpp"

namespace retriever {

struct Streaming {
    store::StreamedBody body = 0;
    bool open = false;
    error_code failed;
};

namespace {

/// The hand-off reads on by itself while there is more: in a stream of mail it need not hear of each one.
constexpr std::uint64_t announce_each = 32;

/// Why nothing can be added to a body. It may never have been opened: its job was in a group that failed before it.
error_code fault_of(Streaming& streaming) {
    if (!streaming.open && !streaming.failed) streaming.failed = store::errc::closed;
    return streaming.failed;
}

/// A job of an intake: counts itself out and gives its bytes back to the shard.
class IntakeJob : public store::Job {
public:
    IntakeJob(const Intake::House& house, store::MailboxNumber mailbox, std::shared_ptr<Progress> progress,
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

class OpenJob final : public IntakeJob {
public:
    OpenJob(const Intake::House& house, store::MailboxNumber mailbox, std::shared_ptr<Progress> progress,
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
    ChunkJob(const Intake::House& house, store::MailboxNumber mailbox, std::shared_ptr<Progress> progress,
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
    AbandonJob(const Intake::House& house, store::MailboxNumber mailbox, std::shared_ptr<Progress> progress,
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

/// One message: its body (whole, or streamed before), its ledger row, and the cursor where it came in order.
class MessageJob final : public IntakeJob {
public:
    struct What {
        store::Message message;
        std::string body;
        std::shared_ptr<Streaming> streaming;
        bool in_order = false;
        std::uint32_t follows = 0;  // the cursor moves here → uid when it has come this far
    };
    MessageJob(const Intake::House& house, std::shared_ptr<Progress> progress, What what)
        : IntakeJob(house, what.message.mailbox, std::move(progress), what.body.size()),
          what_(std::move(what)),
          clock_(house.clock),
          counters_(house.counters),
          arrived_(house.clock.now()) {}

    error_code apply(store::Workbench bench) override {
        auto& message = what_.message;
        if (what_.streaming) {
            if (const auto broken = fault_of(*what_.streaming)) return broken;
        }
        auto place = what_.streaming ? bench.bodies.finish(what_.streaming->body) : bench.bodies.append(what_.body);
        if (what_.streaming) what_.streaming->open = false;
        if (!place) return place.error();
        message.body = *place;
        auto added = bench.store.add_message(message);
        if (!added) return added.error();
        known_before_ = added->known_before;
        if (!what_.in_order) return {};
        auto moved = bench.store.advance_cursor(message.folder, message.uid_validity, what_.follows, message.uid);
        return moved ? error_code{} : moved.error();
    }

protected:
    void durable() noexcept override {
        if (known_before_) {
            ++progress_->known_before;
            counters_.messages_known_before.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        ++progress_->stored;
        progress_->stored_bytes += what_.message.body.length;
        counters_.messages_stored.fetch_add(1, std::memory_order_relaxed);
        counters_.message_bytes_stored.fetch_add(what_.message.body.length, std::memory_order_relaxed);
        counters_.arrival_to_durable.add(clock_.now() - arrived_);
        ++progress_->unannounced;
    }

private:
    What what_;
    const Clock& clock_;
    runtime::Counters& counters_;
    Monotonic arrived_;
    bool known_before_ = false;
};

}  // namespace

Intake::Intake(Source source, Sizes sizes, House house, std::uint32_t cursor)
    : source_(std::move(source)),
      sizes_(sizes),
      house_(house),
      progress_(std::make_shared<Progress>()),
      frontier_(cursor) {}

Intake::~Intake() {
    drop_streaming();
    for (auto& job : overflow_) {  // never submitted: their bytes are no longer held
        if (!house_.committer.try_submit(job)) job->done(store::errc::closed);
    }
}

void Intake::expect(const imap::UidSet& wanted) {
    for (const auto& range : wanted.ranges()) remaining_.add(range);
}

void Intake::resume(Unfinished unfinished) {
    uid_ = unfinished.uid;
    announced_ = unfinished.bytes;
    received_ = unfinished.received;
    body_.clear();
    head_ = std::move(unfinished.head);
    internal_date_ = std::move(unfinished.internal_date);
    streaming_ = std::move(unfinished.streaming);
    taking_ = Taking::streaming;
    resuming_ = true;
}

void Intake::rest_is_over() {
    if (!std::exchange(resuming_, false)) return;
    taking_ = Taking::nothing;
    drop_streaming();
}

imap::FetchSink::Flow Intake::body_begins(const imap::FetchItem& known, std::uint64_t bytes) {
    if (resuming_) {
        if (taking_ == Taking::streaming && bytes == announced_ - received_) return flow();
        drop_streaming();  // the server has another message under this UID: begin again from its first byte
        taking_ = Taking::nothing;
        return flow();
    }
    drop_streaming();  // of a body whose end never came
    uid_ = known.uid;
    internal_date_ = known.internal_date;
    announced_ = bytes;
    received_ = 0;
    body_.clear();
    head_.clear();
    if (bytes > sizes_.message_bytes_max) {
        taking_ = Taking::oversize;
    } else if (bytes > sizes_.stream_above_bytes) {
        taking_ = Taking::streaming;
        streaming_ = std::make_shared<Streaming>();
        put(std::make_unique<OpenJob>(house_, source_.mailbox, progress_, streaming_, bytes), 0);
    } else {
        taking_ = Taking::whole;
        body_.reserve(bytes);
    }
    return flow();
}

imap::FetchSink::Flow Intake::body_bytes(std::string_view chunk) {
    received_ += chunk.size();
    if (taking_ == Taking::whole) {
        body_.append(chunk);
    } else if (taking_ == Taking::streaming) {
        if (head_.size() < sizes_.head_bytes_max) head_.append(chunk.substr(0, sizes_.head_bytes_max - head_.size()));
        while (!chunk.empty()) {
            body_.reserve(sizes_.block_bytes);
            const auto piece = chunk.substr(0, sizes_.block_bytes - body_.size());
            body_.append(piece);
            chunk.remove_prefix(piece.size());
            if (body_.size() == sizes_.block_bytes) put_block();
        }
    }
    return flow();
}

/// What has come in of a large body since its last block.
void Intake::put_block() {
    if (!streaming_ || body_.empty()) return;
    const auto bytes = body_.size();
    put(std::make_unique<ChunkJob>(house_, source_.mailbox, progress_, streaming_, std::exchange(body_, {})), bytes);
}

imap::FetchSink::Flow Intake::fetched(const imap::FetchItem& item) {
    const auto taken = std::exchange(taking_, Taking::nothing);
    const bool resumed = std::exchange(resuming_, false);
    if (!item.has_body || taken == Taking::nothing) {
        drop_streaming();  // the rest was asked for, and did not come
        if (item.has_body && !resumed) dropped_.add(item.uid);
        return flow();
    }
    if (taken == Taking::oversize) {
        oversize_.add(item.uid);
        return flow();
    }
    if (received_ != announced_ || (resumed && item.uid != uid_)) {
        drop_streaming();
        if (!resumed) dropped_.add(item.uid);
        return flow();
    }
    put_block();
    if (taken == Taking::whole && is_stand_in(body_)) {
        stood_in_.add(item.uid);
        return flow();
    }
    const std::string_view date = resumed ? std::string_view(internal_date_) : std::string_view(item.internal_date);
    const std::string_view head = taken == Taking::whole ? std::string_view(body_) : std::string_view(head_);

    MessageJob::What what;
    what.message.mailbox = source_.mailbox;
    what.message.folder = source_.folder.number;
    what.message.uid_validity = source_.uid_validity;
    what.message.uid = item.uid;
    what.message.id = message_id_of(source_.mailbox_id, source_.folder.name, source_.uid_validity, item.uid);
    what.message.fingerprint = fingerprint_of(head, date);
    what.message.received_at = std::chrono::time_point_cast<std::chrono::milliseconds>(house_.clock.wall());
    const auto seconds = imap::read_internal_date(date);
    what.message.internal_date = seconds ? store::Millis(std::chrono::seconds(*seconds)) : what.message.received_at;
    what.in_order = !remaining_.empty() && remaining_.ranges().front().first == item.uid;
    what.follows = frontier_;
    if (what.in_order) frontier_ = item.uid;
    remaining_.remove(item.uid);
    what.body = std::move(body_);
    what.streaming = std::move(streaming_);
    body_ = {};
    streaming_.reset();
    head_.clear();
    const std::size_t bytes = what.body.size();
    ++handed_over_;
    put(std::make_unique<MessageJob>(house_, progress_, std::move(what)), bytes);
    return flow();
}

void Intake::body_broken() noexcept {
    if (taking_ == Taking::streaming) return;  // the next connection may go on from here
    taking_ = Taking::nothing;
    body_ = {};
}

awaitable<Result<void>> Intake::room() {
    while (!overflow_.empty()) {
        auto job = std::move(overflow_.front());
        overflow_.pop_front();
        co_await house_.committer.submit(std::move(job));
    }
    co_await house_.budget.room();
    while (progress_->in_flight_bytes >= sizes_.in_flight_bytes_max) co_await progress_->moved.wait();
    if (progress_->failed) co_return progress_->failed;
    co_return Result<void>();
}

awaitable<Result<void>> Intake::settle() {
    put_block();
    auto roomy = co_await room();
    if (!roomy) co_return roomy.error();
    while (progress_->outstanding > 0) co_await progress_->moved.wait();
    if (progress_->failed) co_return progress_->failed;
    co_return Result<void>();
}

void Intake::accounted(std::uint32_t top) {
    frontier_ = std::max(frontier_, top);
    remaining_ = {};
}

std::optional<Unfinished> Intake::take_unfinished() {
    if (progress_->failed || taking_ != Taking::streaming || !streaming_ || uid_ == 0 || received_ == 0)
        return std::nullopt;
    // All bytes, but not the end of the response: there is no rest to ask for (a count of 0 is no partial fetch).
    if (received_ >= announced_) return std::nullopt;
    taking_ = Taking::nothing;
    Unfinished unfinished;
    unfinished.uid_validity = source_.uid_validity;
    unfinished.uid = uid_;
    unfinished.bytes = announced_;
    unfinished.received = received_;
    unfinished.head = std::move(head_);
    unfinished.internal_date = std::move(internal_date_);
    unfinished.streaming = std::move(streaming_);
    return unfinished;
}

void Intake::put(std::unique_ptr<store::Job> job, std::size_t bytes) {
    (void)house_.budget.take(bytes);
    if (!overflow_.empty() || !house_.committer.try_submit(job)) overflow_.push_back(std::move(job));
}

imap::FetchSink::Flow Intake::flow() const noexcept {
    const bool full = house_.budget.used_bytes() >= house_.budget.bytes_max() ||
                      progress_->in_flight_bytes >= sizes_.in_flight_bytes_max;
    return overflow_.empty() && !full && !progress_->failed ? Flow::go_on : Flow::wait;
}

void Intake::drop_streaming() noexcept {
    if (!streaming_) return;
    body_.clear();
    put(std::make_unique<AbandonJob>(house_, source_.mailbox, progress_, std::move(streaming_)), 0);
    streaming_.reset();
}

}  // namespace retriever

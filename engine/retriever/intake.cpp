#include "engine/retriever/intake.hpp"

#include <algorithm>

#include "engine/retriever/fingerprint.hpp"
#include "engine/retriever/intake_jobs.hpp"
#include "engine/retriever/recognition.hpp"
#include "engine/retriever/stand_in.hpp"
#include "queue/store/crc32c.hpp"

namespace retriever {

namespace {

/// One message: its body (whole, or streamed before), its ledger row, and the cursor where it came in order.
class MessageJob final : public LedgerJob {
public:
    struct What {
        store::Message message;
        std::string body;
        std::shared_ptr<Streaming> streaming;
        bool in_order = false;
        std::uint32_t follows = 0;  // the cursor moves here → uid when it has come this far
        std::optional<Newcomer> newcomer;
        bool proves = false;      // equal fingerprints, equal messages
        bool renumbered = false;  // its UID may have stood for another message
        std::string email_id;     // what the server calls this content; empty: it does not say
    };
    MessageJob(const IntakeHouse& house, std::shared_ptr<Progress> progress, What what)
        : LedgerJob(house, what.message.mailbox, std::move(progress), what.body.size()), what_(std::move(what)) {}

    error_code apply(store::Workbench bench) override {
        auto& message = what_.message;
        if (what_.streaming) {
            if (const auto broken = fault_of(*what_.streaming)) return broken;
        }
        std::optional<store::BodyPlace> streamed;
        if (what_.streaming) {
            const auto place = bench.bodies.finish(what_.streaming->body);
            what_.streaming->open = false;
            if (!place) return place.error();
            streamed = *place;
        }
        const auto facts = streamed ? BodyFacts{streamed->length, streamed->crc32c}
                                    : BodyFacts{what_.body.size(), store::crc32c(what_.body)};
        auto standing = Standing::fresh;
        if (what_.newcomer) {
            const auto found = standing_of(bench.store, *what_.newcomer, message.mailbox, facts);
            if (!found) return found.error();
            standing = *found;
        }
        bool wanted = standing == Standing::fresh || standing == Standing::doubtful;
        if (wanted && what_.proves) {
            const auto copy = is_copy(bench.store, facts);
            if (!copy) return copy.error();
            wanted = !*copy;
        }
        known_before_ = !wanted;
        const auto kept = wanted ? keep(bench, streamed, standing)
                                 : bench.store.remove_pending(message.folder, message.uid_validity, message.uid);
        if (!kept) return kept.error();
        if (!what_.in_order) return {};
        auto moved = bench.store.advance_cursor(message.folder, message.uid_validity, what_.follows, message.uid);
        return moved ? error_code{} : moved.error();
    }

private:
    Result<void> keep(store::Workbench bench, const std::optional<store::BodyPlace>& streamed, Standing standing) {
        auto& message = what_.message;
        auto place = streamed ? Result<store::BodyPlace>(*streamed) : bench.bodies.append(what_.body);
        if (!place) return place.error();
        message.body = *place;
        stored_bytes_ = place->length;
        const auto own = own_id(bench.store);
        if (!own) return own.error();
        message.id = *own;
        const auto added = bench.store.add_message(message);
        if (!added) return added.error();
        known_before_ = added->known_before;
        const auto noted = note_email_id(bench.store, added->seq);
        if (!noted) return noted;
        if (standing != Standing::doubtful) return {};
        return bench.store.accounting().mark_repeat(message.mailbox, added->seq);
    }

    /// It is in the ledger from another place, byte for byte: somebody moved or copied it, or a label shows it twice.
    Result<bool> is_copy(store::Store& store, const BodyFacts& body) {
        const auto& message = what_.message;
        const auto twin = store.twin_of(message.mailbox, message.fingerprint, body.length, body.crc32c);
        if (!twin) return {boost::system::in_place_error, twin.error()};
        if (*twin == 0) return false;
        const auto known = store.knows(message.folder, message.uid_validity, message.uid);
        if (!known) return {boost::system::in_place_error, known.error()};
        if (*known) return false;
        const auto placed = store.add_place(message.folder, message.uid_validity, message.uid, *twin);
        if (!placed) return {boost::system::in_place_error, placed.error()};
        const auto noted = note_email_id(store, *twin);
        if (!noted) return {boost::system::in_place_error, noted.error()};
        return true;
    }

    /// So that copies of it need not be fetched. Servers may give equal bytes one id (RFC 8474 §5.1), and those without
    /// Message-ID and Received may be two messages for all that.
    Result<void> note_email_id(store::Store& store, store::Seq seq) {
        if (what_.email_id.empty() || !what_.proves) return {};
        return store.accounting().note_email_id(what_.message.mailbox, what_.email_id, seq);
    }

    /// A UID that stood for another message before UIDVALIDITY changed and came back would have that one's id.
    Result<store::Digest> own_id(store::Store& store) {
        auto id = what_.message.id;
        if (!what_.renumbered) return id;
        for (;;) {
            const auto other = store.message_by_id(id);
            if (!other) return other.error();
            if (!*other) return id;
            id = next_message_id(id);
        }
    }

    What what_;
};

}  // namespace

Intake::Intake(Source source, Sizes sizes, House house, std::uint32_t cursor)
    : source_(std::move(source)), sizes_(sizes), line_(house, sizes.in_flight_bytes_max), frontier_(cursor) {}

Intake::~Intake() { drop_streaming(); }

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
        if (taking_ == Taking::streaming && bytes == announced_ - received_) return line_.flow();
        drop_streaming();  // the server has another message under this UID: begin again from its first byte
        taking_ = Taking::nothing;
        return line_.flow();
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
        line_.put(std::make_unique<OpenJob>(line_.house(), source_.mailbox, line_.progress(), streaming_, bytes), 0);
    } else {
        taking_ = Taking::whole;
        body_.reserve(bytes);
    }
    return line_.flow();
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
    return line_.flow();
}

/// What has come in of a large body since its last block.
void Intake::put_block() {
    if (!streaming_ || body_.empty()) return;
    const auto bytes = body_.size();
    line_.put(std::make_unique<ChunkJob>(line_.house(), source_.mailbox, line_.progress(), streaming_,
                                         std::exchange(body_, {})),
              bytes);
}

imap::FetchSink::Flow Intake::fetched(const imap::FetchItem& item) {
    const auto taken = std::exchange(taking_, Taking::nothing);
    const bool resumed = std::exchange(resuming_, false);
    if (!item.has_body || taken == Taking::nothing) {
        drop_streaming();  // the rest was asked for, and did not come
        if (item.has_body && !resumed) dropped_.add(item.uid);
        return line_.flow();
    }
    if (taken == Taking::oversize) {
        oversize_.add(item.uid);
        return line_.flow();
    }
    if (received_ != announced_ || (resumed && item.uid != uid_)) {
        drop_streaming();
        if (!resumed) dropped_.add(item.uid);
        return line_.flow();
    }
    put_block();
    if (taken == Taking::whole && is_stand_in(body_)) {
        stood_in_.add(item.uid);
        return line_.flow();
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
    what.message.received_at = std::chrono::time_point_cast<std::chrono::milliseconds>(line_.house().clock.wall());
    const auto seconds = imap::read_internal_date(date);
    what.message.internal_date = seconds ? store::Millis(std::chrono::seconds(*seconds)) : what.message.received_at;
    what.renumbered = source_.renumbered;
    what.proves = proves_identity(head);
    what.email_id = item.email_id;
    if (source_.recognises) {
        Newcomer newcomer{
            what.message.folder, what.message.uid_validity, item.uid, what.message.fingerprint, false, {}};
        newcomer.proves = what.proves;
        if (seconds) newcomer.internal_date = what.message.internal_date;
        what.newcomer = newcomer;
    }
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
    line_.put(std::make_unique<MessageJob>(line_.house(), line_.progress(), std::move(what)), bytes);
    return line_.flow();
}

void Intake::body_broken() noexcept {
    if (taking_ == Taking::streaming) return;  // the next connection may go on from here
    taking_ = Taking::nothing;
    body_ = {};
}

awaitable<Result<void>> Intake::room() { return line_.room(); }

awaitable<Result<void>> Intake::settle() {
    put_block();
    auto settled = co_await line_.settle();
    co_return settled;
}

void Intake::accounted(std::uint32_t top) {
    frontier_ = std::max(frontier_, top);
    remaining_ = {};
}

std::optional<Unfinished> Intake::take_unfinished() {
    if (line_.progress()->failed || taking_ != Taking::streaming || !streaming_ || uid_ == 0 || received_ == 0)
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

void Intake::drop_streaming() noexcept {
    if (!streaming_) return;
    body_.clear();
    line_.put(std::make_unique<AbandonJob>(line_.house(), source_.mailbox, line_.progress(), std::move(streaming_)), 0);
    streaming_.reset();
}

}  // namespace retriever

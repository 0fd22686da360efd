#include "engine/retriever/listed_intake.hpp"

#include <algorithm>

#include "engine/retriever/fingerprint.hpp"
#include "engine/retriever/intake_jobs.hpp"
#include "engine/retriever/mail_head.hpp"
#include "queue/store/crc32c.hpp"

namespace retriever {

Result<std::uint32_t> next_uid(store::Store& store, store::MailboxNumber mailbox, std::string_view folder_name) {
    const auto folder = store.folder(mailbox, folder_name);
    if (!folder) return folder.error();
    const std::uint32_t uid = folder->cursor + 1;
    const auto moved = store.move_cursor(folder->number, own_uid_validity, uid);
    if (!moved) return moved.error();
    return uid;
}

namespace {

/// One message: its body (whole, or streamed before), its ledger row, and the row of its key.
class ListedJob final : public LedgerJob {
public:
    struct What {
        std::string mailbox_id;
        std::string folder_name;
        store::Message message;
        store::Listed listed;
        bool proves = false;  // its fingerprint
        std::shared_ptr<imap::UidSet> there;
        std::string body;
        std::shared_ptr<Streaming> streaming;
    };
    ListedJob(const IntakeHouse& house, std::shared_ptr<Progress> progress, What what)
        : LedgerJob(house, what.message.mailbox, std::move(progress), what.body.size()), what_(std::move(what)) {}

    error_code apply(store::Workbench bench) override {
        if (what_.streaming) {
            if (const auto broken = fault_of(*what_.streaming)) return broken;
        }
        auto& listings = bench.store.listings();
        auto& listed = what_.listed;
        const auto known = listings.find(listed.folder, listed.key);
        if (!known) return known.error();
        const bool was_pending = *known && (*known)->state == store::Listed::State::pending;
        if (!was_pending && what_.proves) {
            // Moved away and back, or listed under another key: the ledger has it.
            const auto before = listings.gone_with(listed.folder, listed.fingerprint);
            if (!before) return before.error();
            if (*before && (*before)->state != store::Listed::State::pending) return recognise(bench, **before);
        }
        std::optional<store::BodyPlace> streamed;
        if (what_.streaming) {
            const auto finished = bench.bodies.finish_early(what_.streaming->body);
            what_.streaming->open = false;
            if (!finished) return finished.error();
            streamed = *finished;
        }
        if (was_pending) {
            listed.uid = (*known)->uid;
        } else {
            const auto uid = next_uid(bench.store, what_.message.mailbox, what_.folder_name);
            if (!uid) return uid.error();
            listed.uid = *uid;
        }
        const auto twin = what_.proves ? twin_elsewhere(bench.store, streamed) : Result<store::Seq>(0);
        if (!twin) return twin.error();
        known_before_ = *twin > 0;
        const auto kept = known_before_ ? bench.store.add_place(listed.folder, own_uid_validity, listed.uid, *twin)
                                        : keep(bench, streamed);
        if (!kept) return kept.error();
        listed.state = store::Listed::State::stored;
        what_.there->add(listed.uid);
        const auto put = listings.put(listed);
        return put ? error_code{} : put.error();
    }

private:
    /// The message that is this one, byte for byte, and not listed beside it: somebody moved it while we removed it
    /// from under its old key, or it came over IMAP. 0: there is none.
    Result<store::Seq> twin_elsewhere(store::Store& store, const std::optional<store::BodyPlace>& streamed) {
        const auto& message = what_.message;
        const auto length = streamed ? streamed->length : what_.body.size();
        const auto crc32c = streamed ? streamed->crc32c : store::crc32c(what_.body);
        const auto twin = store.twin_of(message.mailbox, message.fingerprint, length, crc32c);
        if (!twin || *twin == 0) return twin;
        const auto row = store.messages(message.mailbox, *twin - 1, 1);
        if (!row) return row.error();
        const bool beside =
            !row->empty() && row->front().folder == message.folder && what_.there->contains(row->front().uid);
        return beside ? 0 : *twin;
    }

    Result<void> keep(store::Workbench bench, const std::optional<store::BodyPlace>& streamed) {
        const auto place = streamed ? Result<store::BodyPlace>(*streamed) : bench.bodies.append(what_.body);
        if (!place) return place.error();
        auto& message = what_.message;
        message.body = *place;
        stored_bytes_ = place->length;
        message.uid = what_.listed.uid;
        message.id = message_id_of(what_.mailbox_id, what_.folder_name, own_uid_validity, message.uid);
        const auto added = bench.store.add_message(message);
        if (!added) return added.error();
        return {};
    }

    error_code recognise(store::Workbench bench, store::Listed before) {
        known_before_ = true;
        if (what_.streaming) bench.bodies.abandon(what_.streaming->body);
        if (what_.streaming) what_.streaming->open = false;
        auto& listings = bench.store.listings();
        if (before.key != what_.listed.key) {
            const auto renamed = listings.rename(before.folder, before.key, what_.listed.key);
            if (!renamed) return renamed.error();
            before.key = what_.listed.key;
        }
        before.where = store::Listed::Where::there;
        before.bytes = what_.listed.bytes;
        const auto put = listings.put(before);
        return put ? error_code{} : put.error();
    }

    What what_;
};

}  // namespace

ListedIntake::ListedIntake(Source source, Intake::Sizes sizes, IntakeHouse house)
    : source_(std::move(source)), sizes_(sizes), line_(house, sizes.in_flight_bytes_max) {}

ListedIntake::~ListedIntake() { drop_streaming(); }

void ListedIntake::expect(const std::vector<ListingEntry>& wanted) {
    for (const auto& entry : wanted) wanted_.insert_or_assign(entry.number, entry);
}

imap::FetchSink::Flow ListedIntake::body_begins(const imap::FetchItem&, std::uint64_t bytes) {
    drop_streaming();  // of a body whose end never came
    taking_ = Taking::whole;
    listed_bytes_ = bytes;
    received_ = 0;
    body_.clear();
    body_.reserve(static_cast<std::size_t>(std::min(bytes, sizes_.stream_above_bytes)));
    return line_.flow();
}

imap::FetchSink::Flow ListedIntake::body_bytes(std::string_view chunk) {
    received_ += chunk.size();
    if (taking_ == Taking::whole && received_ > sizes_.stream_above_bytes) begin_streaming();
    const bool too_much = taking_ == Taking::streaming && received_ > room_bytes_;
    if (too_much) {
        drop_streaming();
        taking_ = Taking::too_much;
    }
    if (taking_ == Taking::whole) body_.append(chunk);
    if (taking_ == Taking::streaming) put_blocks(chunk);
    return line_.flow();
}

/// LIST is a hint: Exchange makes messages anew when they are fetched. The room that is not used is given back.
void ListedIntake::begin_streaming() {
    const auto expected = std::max(listed_bytes_, received_);
    room_bytes_ = std::min(expected + expected / 8 + sizes_.stream_above_bytes, sizes_.message_bytes_max);
    taking_ = Taking::streaming;
    streaming_ = std::make_shared<Streaming>();
    line_.put(std::make_unique<OpenJob>(line_.house(), source_.mailbox, line_.progress(), streaming_, room_bytes_), 0);
    head_.clear();
    const std::string begun = std::exchange(body_, {});
    put_blocks(begun);
}

void ListedIntake::put_blocks(std::string_view chunk) {
    if (head_.size() < sizes_.head_bytes_max) head_.append(chunk.substr(0, sizes_.head_bytes_max - head_.size()));
    while (!chunk.empty()) {
        body_.reserve(sizes_.block_bytes);
        const auto piece = chunk.substr(0, sizes_.block_bytes - body_.size());
        body_.append(piece);
        chunk.remove_prefix(piece.size());
        if (body_.size() == sizes_.block_bytes) put_block();
    }
}

void ListedIntake::put_block() {
    if (!streaming_ || body_.empty()) return;
    const auto bytes = body_.size();
    line_.put(std::make_unique<ChunkJob>(line_.house(), source_.mailbox, line_.progress(), streaming_,
                                         std::exchange(body_, {})),
              bytes);
}

imap::FetchSink::Flow ListedIntake::fetched(const imap::FetchItem& item) {
    const auto taken = std::exchange(taking_, Taking::nothing);
    const auto wanted = wanted_.find(item.uid);
    if (taken == Taking::nothing || wanted == wanted_.end()) {
        drop_streaming();
        return line_.flow();
    }
    const ListingEntry entry = std::move(wanted->second);
    wanted_.erase(wanted);
    if (taken == Taking::too_much || received_ > sizes_.message_bytes_max) {
        drop_streaming();
        ListingEntry larger = entry;
        larger.bytes = received_;
        (received_ > sizes_.message_bytes_max ? oversize_ : again_).push_back(std::move(larger));
        return line_.flow();
    }
    put_block();
    const MailHead head = read_mail_head(taken == Taking::whole ? body_ : head_);
    ListedJob::What what;
    what.mailbox_id = source_.mailbox_id;
    what.folder_name = source_.folder_name;
    what.message.mailbox = source_.mailbox;
    what.message.folder = source_.folder;
    what.message.uid_validity = own_uid_validity;
    what.message.fingerprint = head.fingerprint;
    what.message.received_at = std::chrono::time_point_cast<std::chrono::milliseconds>(line_.house().clock.wall());
    what.message.internal_date = head.date.value_or(what.message.received_at);
    what.listed.folder = source_.folder;
    what.listed.key = entry.key;
    what.listed.bytes = entry.bytes;
    what.listed.fingerprint = head.fingerprint;
    what.proves = head.proves;
    what.there = source_.there;
    if (taken == Taking::whole) what.body = std::move(body_);
    what.streaming = std::move(streaming_);
    body_ = {};
    streaming_.reset();
    head_.clear();
    const std::size_t bytes = what.body.size();
    line_.put(std::make_unique<ListedJob>(line_.house(), line_.progress(), std::move(what)), bytes);
    return line_.flow();
}

void ListedIntake::body_broken() noexcept {
    drop_streaming();
    taking_ = Taking::nothing;
    body_ = {};
}

void ListedIntake::drop_streaming() noexcept {
    if (!streaming_) return;
    body_.clear();
    line_.put(std::make_unique<AbandonJob>(line_.house(), source_.mailbox, line_.progress(), std::move(streaming_)), 0);
    streaming_.reset();
}

}  // namespace retriever

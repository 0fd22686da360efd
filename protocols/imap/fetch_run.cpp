#include "protocols/imap/fetch_run.hpp"

#include <algorithm>
#include <utility>

namespace imap {
namespace {

constexpr std::size_t set_bytes_min = 32;  // room for one range
constexpr std::uint64_t batches_ahead = 64;

}  // namespace

FetchRun::~FetchRun() {
    if (body_ == Body::passed_on) sink_.body_broken();
}

bool FetchRun::may_ask(std::size_t batches_in_flight) const noexcept {
    return result_.refusals.empty() && !(wanted_.empty() && next_.empty()) &&
           batches_.size() < std::max<std::size_t>(batches_in_flight, 1);
}

std::string FetchRun::ask(std::string tag, std::uint64_t uids_max, std::size_t command_bytes_max) {
    const std::string email_id = email_id_item_.empty() ? std::string() : ' ' + email_id_item_;
    std::string items = " (UID" + email_id + " FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n";
    if (of_ == Of::heads)
        items =
            " (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT "
            "RECEIVED)])\r\n";
    if (of_ == Of::email_ids) items = " (UID" + email_id + " INTERNALDATE RFC822.SIZE)\r\n";
    if (part_)
        items = " (UID BODY.PEEK[]<" + std::to_string(part_->offset) + '.' + std::to_string(part_->bytes) + ">)\r\n";
    const std::string verb = tag + " UID FETCH ";
    const std::size_t fixed_bytes = verb.size() + items.size();
    const std::size_t set_bytes_max = command_bytes_max - std::min(command_bytes_max, fixed_bytes);
    uids_max = std::max<std::uint64_t>(uids_max, 1);
    if (next_.empty()) next_ = wanted_.take_front(uids_max * batches_ahead, std::string::npos);
    UidSet batch = next_.take_front(uids_max, std::max(set_bytes_max, set_bytes_min));
    std::string command = verb + batch.text() + items;
    batches_.push_back({std::move(tag), std::move(batch)});
    return command;
}

bool FetchRun::complete(std::string_view tag, const Answer& answer) {
    const auto batch =
        std::find_if(batches_.begin(), batches_.end(), [&](const Batch& each) { return each.tag == tag; });
    if (batch == batches_.end()) return false;
    (answer.ok() ? result_.unanswered : result_.refused).add(batch->open);
    if (!answer.ok()) result_.refusals.push_back(answer);
    batches_.erase(batch);
    return true;
}

Client::Fetch FetchRun::take_result() {
    result_.not_asked = std::move(wanted_);
    result_.not_asked.add(next_);
    return std::move(result_);
}

FetchRun::Batch* FetchRun::asking_for(Uid uid) noexcept {
    for (Batch& each : batches_)
        if (each.open.contains(uid)) return &each;
    return nullptr;
}

FetchSink::Flow FetchRun::body_begins(const FetchItem& known, Of of, std::optional<std::uint64_t> origin) {
    const bool right_bytes = part_ ? origin == part_->offset && known.body_bytes <= part_->bytes : !origin.has_value();
    const bool right_uid = known.uid == 0 || asking_for(known.uid) != nullptr;
    body_uid_ = known.uid;
    body_ = of == of_ && right_bytes && right_uid ? Body::passed_on : Body::dropped;
    return body_ == Body::passed_on ? sink_.body_begins(known, known.body_bytes) : FetchSink::Flow::go_on;
}

FetchSink::Flow FetchRun::body_bytes(std::string_view chunk) {
    return body_ == Body::passed_on ? sink_.body_bytes(chunk) : FetchSink::Flow::go_on;
}

FetchRun::Taken FetchRun::fetched(const FetchItem& item) {
    const Body body = std::exchange(body_, Body::none);
    Batch* batch = asking_for(item.uid);
    const bool same_uid = body_uid_ == 0 || body_uid_ == item.uid;
    if (body == Body::passed_on && (batch == nullptr || !same_uid)) {
        sink_.body_broken();
        return {};
    }
    if (body == Body::dropped || batch == nullptr) return {};
    const bool answered = of_ == Of::email_ids ? !item.email_id.empty() : body == Body::passed_on;
    if (answered) batch->open.remove(item.uid);
    return {sink_.fetched(item), answered};
}

}  // namespace imap

#include "tests/support/collecting_sink.hpp"

namespace support {

imap::FetchSink::Flow CollectingSink::body_begins(const imap::FetchItem&, std::uint64_t bytes) {
    if (in_body_) violations.emplace_back("a body begins within a body");
    in_body_ = true;
    announced_bytes_ = bytes;
    body_.clear();
    return answer;
}

imap::FetchSink::Flow CollectingSink::body_bytes(std::string_view chunk) {
    if (!in_body_) violations.emplace_back("bytes without a body");
    if (chunk.empty()) violations.emplace_back("an empty chunk");
    body_ += chunk;
    return answer;
}

imap::FetchSink::Flow CollectingSink::fetched(const imap::FetchItem& item) {
    if (item.has_body != in_body_) violations.emplace_back("has_body is not what came");
    const bool other_size = body_.size() != announced_bytes_ && !sizes_are_hints;
    if (item.has_body && (other_size || body_.size() != item.body_bytes))
        violations.emplace_back("a body of another size than announced");
    if (item.has_body && !bodies.emplace(item.uid, body_).second) violations.emplace_back("a body came twice");
    in_body_ = false;
    items.push_back(item);
    return answer;
}

void CollectingSink::body_broken() noexcept {
    if (in_body_) ++broken;
    in_body_ = false;
}

awaitable<Result<void>> CollectingSink::room() {
    ++rooms;
    if (no_room) co_return no_room;
    co_return Result<void>();
}

}  // namespace support

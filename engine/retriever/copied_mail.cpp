#include "engine/retriever/copied_mail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/retriever/mail_head.hpp"

namespace retriever {

namespace {

constexpr std::uint64_t head_bytes = 16 * 1024;
// Who is refused a head for a moment would take a copy for none; what is gone gives none however often it is asked for.
constexpr int asked_at_most = 5;
constexpr int asked_again_at_most = 100;
constexpr std::uint64_t candidates_max = 1000;  // copies have the first UIDs after the copy was asked for

/// The beginning of one message.
class HeadSink final : public imap::FetchSink {
public:
    Flow body_begins(const imap::FetchItem&, std::uint64_t) override {
        head_.clear();
        return Flow::go_on;
    }
    Flow body_bytes(std::string_view chunk) override {
        head_.append(chunk.substr(0, head_bytes - std::min<std::size_t>(head_bytes, head_.size())));
        return Flow::go_on;
    }
    Flow fetched(const imap::FetchItem& item) override {
        whole_ = whole_ || item.has_body;
        return Flow::go_on;
    }
    void body_broken() noexcept override { head_.clear(); }
    awaitable<Result<void>> room() override { co_return Result<void>(); }

    [[nodiscard]] bool whole() const noexcept { return whole_; }
    [[nodiscard]] const std::string& head() const noexcept { return head_; }

private:
    std::string head_;
    bool whole_ = false;
};

}  // namespace

awaitable<Result<imap::UidSet>> CopiedMail::find(const store::CopyIntent& intent, imap::UidSet uids) {
    auto candidates = co_await arrived(intent);
    if (!candidates) co_return candidates.error();
    if (candidates->empty()) co_return imap::UidSet();
    auto copies = co_await heads(std::move(*candidates));
    if (!copies) co_return copies.error();
    auto opened = co_await client_.open(source_, imap::Client::Access::read_only);
    if (!opened) co_return opened.error();
    if (!opened->answer.ok() || opened->selected.uid_validity != intent.uid_validity) co_return imap::UidSet();
    auto originals = co_await heads(std::move(uids));
    if (!originals) co_return originals.error();
    std::multiset<store::Digest> unclaimed;
    for (const auto& [uid, digest] : *copies) unclaimed.insert(digest);
    imap::UidSet copied;
    for (const auto& [uid, digest] : *originals) {
        const auto copy = unclaimed.find(digest);
        if (copy == unclaimed.end()) continue;
        unclaimed.erase(copy);
        copied.add(uid);
    }
    co_return copied;
}

/// What has come into the target since the copy was asked for.
awaitable<Result<imap::UidSet>> CopiedMail::arrived(const store::CopyIntent& intent) {
    auto opened = co_await client_.open(intent.target, imap::Client::Access::read_only);
    if (!opened) co_return opened.error();
    if (!opened->answer.ok()) co_return imap::UidSet();
    const bool same = opened->selected.uid_validity == intent.target_uid_validity;
    const auto from = same ? std::max<imap::Uid>(intent.target_uid_next, 1) : 1;
    auto found = co_await client_.search(fmt::format("UID {}:*", from));
    if (!found) co_return found.error();
    if (!found->answer.ok()) co_return imap::UidSet();
    imap::UidSet arrived;
    for (const auto& range : found->uids.ranges()) {
        if (range.last >= from) arrived.add(imap::UidRange{std::max(range.first, from), range.last});
    }
    co_return arrived.take_front(candidates_max, std::string::npos);
}

/// Of those that are there, and that can be told apart.
awaitable<Result<CopiedMail::Heads>> CopiedMail::heads(imap::UidSet uids) {
    Heads heads;
    int again = asked_again_at_most;
    while (!uids.empty()) {
        const auto uid = uids.take_front(1, std::string::npos).ranges().front().first;
        for (int asked = 0; asked == 0 || (asked < asked_at_most && again > 0); ++asked) {
            if (asked > 0) --again;
            HeadSink sink;
            auto fetched = co_await client_.fetch_part(uid, 0, head_bytes, sink);
            if (!fetched) co_return fetched.error();
            if (!sink.whole()) continue;
            const auto head = read_mail_head(sink.head());
            if (head.proves) heads.emplace(uid, head.fingerprint);
            break;
        }
    }
    co_return heads;
}

}  // namespace retriever

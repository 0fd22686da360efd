#include "engine/retriever/recognition.hpp"

#include <algorithm>

#include "engine/retriever/fingerprint.hpp"
#include "protocols/mime/headers.hpp"

namespace retriever {
namespace {

/// The first of those messages that has just these bytes.
Result<std::optional<store::Seq>> same_bytes(store::Store& store, store::MailboxNumber mailbox,
                                             const std::vector<store::Seq>& seqs, const BodyFacts& body) {
    for (const auto seq : seqs) {
        const auto row = store.messages(mailbox, seq - 1, 1);
        if (!row) return row.error();
        if (row->empty() || row->front().seq != seq) continue;
        const auto& place = row->front().body;
        if (place.length == body.length && place.crc32c == body.crc32c) return std::optional(seq);
    }
    return std::optional<store::Seq>();
}

}  // namespace

Result<Standing> standing_of(store::Store& store, const Newcomer& newcomer, store::MailboxNumber mailbox,
                             const std::optional<BodyFacts>& body) {
    const auto known = store.knows(newcomer.folder, newcomer.uid_validity, newcomer.uid);
    if (!known) return known.error();
    if (*known) return Standing::known;
    auto& accounting = store.accounting();
    const auto matches = accounting.matches(newcomer.folder, newcomer.fingerprint);
    if (!matches) return matches.error();
    std::optional<store::Seq> match;
    if (newcomer.proves && !matches->open.empty()) match = matches->open.front();
    if (!newcomer.proves && body) {
        const auto same = same_bytes(store, mailbox, matches->open, *body);
        if (!same) return same.error();
        match = *same;
    }
    if (match) {
        const auto recognised = accounting.recognise(newcomer.folder, newcomer.uid_validity, newcomer.uid, *match);
        if (!recognised) return recognised.error();
        return Standing::recognised;
    }
    if (!matches->open.empty() || matches->taken > 0) return Standing::doubtful;
    const auto wanted_from = accounting.wanted_from(newcomer.folder);
    if (!wanted_from) return wanted_from.error();
    if (!*wanted_from || !newcomer.internal_date || *newcomer.internal_date >= **wanted_from) return Standing::fresh;
    const auto passed = accounting.pass_over(newcomer.folder, newcomer.uid_validity, {newcomer.uid, newcomer.uid});
    if (!passed) return passed.error();
    return Standing::not_wanted;
}

imap::FetchSink::Flow HeadPage::body_begins(const imap::FetchItem&, std::uint64_t) {
    head_.clear();
    return Flow::go_on;
}

imap::FetchSink::Flow HeadPage::body_bytes(std::string_view chunk) {
    head_.append(chunk.substr(0, mime::header_bytes_max - std::min(mime::header_bytes_max, head_.size())));
    return Flow::go_on;
}

imap::FetchSink::Flow HeadPage::fetched(const imap::FetchItem& item) {
    if (!item.has_body) return Flow::go_on;
    Newcomer newcomer;
    newcomer.folder = folder_;
    newcomer.uid_validity = uid_validity_;
    newcomer.uid = item.uid;
    newcomer.fingerprint = fingerprint_of(head_, item.internal_date);
    newcomer.proves = proves_identity(head_);
    const auto seconds = imap::read_internal_date(item.internal_date);
    if (seconds) newcomer.internal_date = store::Millis(std::chrono::seconds(*seconds));
    newcomers_.push_back(newcomer);
    return Flow::go_on;
}

}  // namespace retriever

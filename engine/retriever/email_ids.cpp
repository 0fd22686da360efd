#include "engine/retriever/email_ids.hpp"

namespace retriever {

Result<store::Seq> original_of(store::Store& store, store::MailboxNumber mailbox, const Labelled& labelled) {
    const auto seq = store.accounting().seq_of_email_id(mailbox, labelled.email_id);
    if (!seq || *seq == 0) return seq;
    const auto rows = store.messages(mailbox, *seq - 1, 1);
    if (!rows) return rows.error();
    if (rows->empty() || rows->front().seq != *seq) return store::Seq{0};
    const auto& original = rows->front();
    const bool same = original.body.length == labelled.bytes && original.internal_date == labelled.internal_date;
    return same ? *seq : store::Seq{0};
}

imap::FetchSink::Flow EmailIdPage::fetched(const imap::FetchItem& item) {
    if (item.email_id.empty()) return Flow::go_on;
    Labelled labelled{item.uid, item.email_id, item.size, {}};
    if (const auto seconds = imap::read_internal_date(item.internal_date))
        labelled.internal_date = store::Millis(std::chrono::seconds(*seconds));
    labelled_.push_back(std::move(labelled));
    return Flow::go_on;
}

}  // namespace retriever

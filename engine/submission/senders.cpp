#include "engine/submission/senders.hpp"

#include "engine/config/documents.hpp"
#include "engine/submission/switches.hpp"
#include "protocols/base/text.hpp"

namespace submission {
namespace {

constexpr std::size_t page_mailboxes = 1000;

}  // namespace

Result<std::optional<Senders::Entry>> Senders::find(store::Store& store, std::string_view address) {
    if (stale_.exchange(false, std::memory_order_acq_rel)) {
        const auto known = read(store);
        if (!known) {
            forget();
            return known.error();
        }
    }
    const auto found = by_address_.find(text::lowered(address));
    if (found == by_address_.end()) return std::optional<Entry>();
    return std::optional(found->second);
}

Result<void> Senders::read(store::Store& store) {
    by_address_.clear();
    auto closed = intake_closed(store);
    if (!closed) return closed.error();
    closed_ = std::move(*closed);
    std::string after;
    for (;;) {
        const auto page = store.mailboxes(after, page_mailboxes);
        if (!page) return page.error();
        for (const auto& row : *page) {
            const auto mailbox = config::from_document<config::Mailbox>(row.document);
            if (!mailbox) return mailbox.error();
            if (!mailbox->submit) continue;
            for (const auto& from : mailbox->submit->from) {
                const bool own = text::same(from, mailbox->address);
                const Entry entry{row.number, row.id};
                if (own)
                    by_address_.insert_or_assign(text::lowered(from), entry);
                else
                    by_address_.emplace(text::lowered(from), entry);
            }
        }
        if (page->size() < page_mailboxes) return {};
        after = page->back().id;
    }
}

}  // namespace submission

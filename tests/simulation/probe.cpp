#include "tests/simulation/probe.hpp"

#include "engine/config/documents.hpp"
#include "engine/retriever/after_policy.hpp"

namespace simulation {

error_code Probe::apply(store::Workbench bench) {
    constexpr std::size_t all = 1000;
    auto& store = bench.store;
    const auto mailboxes = store.mailboxes("", all);
    if (!mailboxes) return mailboxes.error();
    const auto rows = store.hand_offs("inbox", store::Store::Which::all, 0, all);
    if (!rows) return rows.error();
    for (const auto& mailbox : *mailboxes) {
        auto& state = found_[mailbox.id];
        state.last_seq = mailbox.last_seq;
        for (const auto& row : *rows) {
            if (row.mailbox == mailbox.number) state.acked = row.acked;
        }
        const auto folders = store.folders(mailbox.number);
        if (!folders) return folders.error();
        for (const auto& folder : *folders) {
            if (folder.name.starts_with('\x01')) continue;  // reports: no server's
            state.folders[folder.name] = {folder.uid_validity, folder.cursor};
            const auto pending = store.pending(folder.number);
            if (!pending) return pending.error();
            for (const auto& row : *pending) state.pending += row.attempts > 0 ? 1 : 0;
            const auto document = config::from_document<config::Mailbox>(mailbox.document);
            if (!document) return document.error();
            const auto policy = retriever::after_policy_of(*document, {});
            if (policy.after == config::After::keep || document->protocol == config::Protocol::pop3) continue;
            const auto wall = std::chrono::time_point_cast<std::chrono::milliseconds>(now_);
            const auto left = retriever::look_up_due(store, mailbox.number, folder.name, policy, 0, wall, all);
            if (!left) return left.error();
            const auto intent = store.folder_notes().copy_intent(folder.number);
            if (!intent) return intent.error();
            if (!left->due.empty() || !left->state.parked.empty() || *intent) state.dealt_with = false;
        }
    }
    return {};
}

}  // namespace simulation

#include "tests/simulation/probe.hpp"

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
            state.uid_validity = folder.uid_validity;
            state.cursor = folder.cursor;
            const auto pending = store.pending(folder.number);
            if (!pending) return pending.error();
            for (const auto& row : *pending) state.pending += row.attempts > 0 ? 1 : 0;
        }
    }
    return {};
}

}  // namespace simulation

#include "tests/simulation/audit.hpp"

namespace simulation {

error_code Audit::apply(store::Workbench bench) {
    constexpr std::size_t all = 1'000'000;
    auto& outbox = bench.store.outbox();
    auto events = outbox.events(found_.after, all);
    if (!events) return events.error();
    found_.events = std::move(*events);
    if (depth_ == Depth::rows) {
        auto rows = outbox.submissions(store::Outbox::Which::all, 0, all);
        if (!rows) return rows.error();
        found_.rows = std::move(*rows);
        found_.has_rows = true;
    }
    const auto counts = outbox.counts();
    if (!counts) return counts.error();
    found_.counts = *counts;
    const auto due = outbox.due(0, 1);
    if (!due) return due.error();
    const auto taken = outbox.taken(1);
    if (!taken) return taken.error();
    found_.anything_due = !due->empty() || !taken->empty();
    return {};
}

}  // namespace simulation

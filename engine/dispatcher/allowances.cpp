#include "engine/dispatcher/allowances.hpp"

namespace dispatcher {
namespace {

Monotonic moment_of(store::Millis time) { return Monotonic(time.time_since_epoch()); }

}  // namespace

std::optional<store::Millis> Allowances::reserve(const Tenant& tenant, store::Millis now) {
    if (tenant.id.empty() || tenant.limits.mails_per_minute == 0) return std::nullopt;
    auto& pace = paces_.try_emplace(tenant.id, tenant.limits.mails_per_minute).first->second;
    pace.change(tenant.limits.mails_per_minute);
    const auto when = pace.next(moment_of(now));
    pace.count(when);
    if (when == moment_of(now)) return std::nullopt;
    return store::Millis(std::chrono::ceil<std::chrono::milliseconds>(when.time_since_epoch()));
}

}  // namespace dispatcher

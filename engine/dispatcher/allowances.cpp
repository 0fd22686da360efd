#include "engine/dispatcher/allowances.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dispatcher {

namespace {

std::string row_of(store::MailboxNumber mailbox) { return fmt::format("day/{}", mailbox); }
std::string row_of(const std::string& tenant) { return "day/tenant/" + tenant; }

Result<Day> read(store::Store& store, const std::string& row) {
    const auto kept = store.meta(row);
    if (!kept) return kept.error();
    return *kept ? Day::decoded(**kept) : Day();
}

Result<void> write(store::Store& store, const std::string& row, const Day& day) {
    return store.put_meta(row, day.encoded());
}

template <class Change>
Result<void> change(store::Store& store, const Spender& spender, const Change& how) {
    const bool of_mailbox = spender.recipients_per_day > 0;
    const bool of_tenant = !spender.tenant.id.empty();
    for (const auto& row : {of_mailbox ? row_of(spender.mailbox) : std::string(),
                            of_tenant ? row_of(spender.tenant.id) : std::string()}) {
        if (row.empty()) continue;
        auto day = read(store, row);
        if (!day) return day.error();
        how(*day);
        auto written = write(store, row, *day);
        if (!written) return written;
    }
    return {};
}

Monotonic moment_of(store::Millis time) { return Monotonic(time.time_since_epoch()); }

}  // namespace

Result<std::optional<store::Millis>> Allowances::next(store::Store& store, const Spender& spender,
                                                      std::uint32_t recipients, store::Millis now) {
    store::Millis when = now;
    if (spender.recipients_per_day > 0) {
        const auto day = read(store, row_of(spender.mailbox));
        if (!day) return day.error();
        when = std::max(when, day->next(now, recipients, spender.recipients_per_day));
    }
    const auto& tenant = spender.tenant;
    if (!tenant.id.empty() && tenant.limits.recipients_per_day > 0) {
        const auto day = read(store, row_of(tenant.id));
        if (!day) return day.error();
        when = std::max(when, day->next(now, recipients, tenant.limits.recipients_per_day));
    }
    if (when == now) return std::optional<store::Millis>();
    return std::optional(when);
}

Result<void> Allowances::spend(store::Store& store, const Spender& spender, std::uint32_t recipients,
                               store::Millis now) {
    return change(store, spender, [&](Day& day) { day.count(now, recipients); });
}

Result<void> Allowances::give_back(store::Store& store, const Spender& spender, std::uint32_t recipients,
                                   store::Millis then) {
    return change(store, spender, [&](Day& day) { day.give_back(then, recipients); });
}

std::optional<store::Millis> Allowances::reserve(const Tenant& tenant, store::Millis now) {
    if (tenant.id.empty() || tenant.limits.mails_per_minute == 0) return std::nullopt;
    auto& pace = paces_.try_emplace(tenant.id, tenant.limits.mails_per_minute).first->second;
    pace.change(tenant.limits.mails_per_minute);
    const auto when = pace.next(moment_of(now));
    pace.count(when);
    if (when == moment_of(now)) return std::nullopt;
    return store::Millis(std::chrono::ceil<std::chrono::milliseconds>(when.time_since_epoch()));
}

Result<std::uint64_t> Allowances::today(store::Store& store, store::MailboxNumber mailbox, store::Millis now) {
    const auto day = read(store, row_of(mailbox));
    if (!day) return {boost::system::in_place_error, day.error()};
    return day->recipients(now);
}

Result<std::uint64_t> Allowances::today(store::Store& store, const std::string& tenant, store::Millis now) {
    const auto day = read(store, row_of(tenant));
    if (!day) return {boost::system::in_place_error, day.error()};
    return day->recipients(now);
}

}  // namespace dispatcher

#include "engine/dispatcher/purse.hpp"

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

Result<std::uint64_t> recipients_in(store::Store& store, const std::string& row, store::Millis now) {
    const auto day = read(store, row);
    if (!day) return {boost::system::in_place_error, day.error()};
    return day->recipients(now);
}

}  // namespace

Result<Purse> Purse::of(store::Store& store, const Spender& spender) {
    Purse purse(store);
    if (spender.recipients_per_day > 0) purse.mailbox_ = {row_of(spender.mailbox), spender.recipients_per_day};
    if (!spender.tenant.id.empty())
        purse.tenant_ = {row_of(spender.tenant.id), spender.tenant.limits.recipients_per_day};
    for (Pocket* pocket : {&purse.mailbox_, &purse.tenant_}) {
        const auto filled = fill(store, *pocket);
        if (!filled) return filled.error();
    }
    return purse;
}

Result<void> Purse::fill(store::Store& store, Pocket& pocket) {
    if (pocket.row.empty()) return {};
    const auto day = read(store, pocket.row);
    if (!day) return day.error();
    pocket.day = *day;
    return {};
}

Result<void> Purse::write(const Pocket& pocket) {
    if (pocket.row.empty()) return {};
    return store_->put_meta(pocket.row, pocket.day.encoded());
}

std::optional<store::Millis> Purse::next(std::uint32_t recipients, store::Millis now) const {
    store::Millis when = now;
    for (const Pocket* pocket : {&mailbox_, &tenant_}) {
        if (pocket->limit > 0) when = std::max(when, pocket->day.next(now, recipients, pocket->limit));
    }
    return when == now ? std::nullopt : std::optional(when);
}

Result<void> Purse::spend(std::uint32_t recipients, store::Millis now) {
    mailbox_.day.count(now, recipients);
    tenant_.day.count(now, recipients);
    const auto written = write(mailbox_);
    return written ? write(tenant_) : written;
}

Result<void> Purse::give_back(std::uint32_t recipients, store::Millis then) {
    mailbox_.day.give_back(then, recipients);
    tenant_.day.give_back(then, recipients);
    const auto written = write(mailbox_);
    return written ? write(tenant_) : written;
}

Result<std::uint64_t> Purse::today(store::Store& store, store::MailboxNumber mailbox, store::Millis now) {
    return recipients_in(store, row_of(mailbox), now);
}

Result<std::uint64_t> Purse::today(store::Store& store, const std::string& tenant, store::Millis now) {
    return recipients_in(store, row_of(tenant), now);
}

}  // namespace dispatcher

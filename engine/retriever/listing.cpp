#include "engine/retriever/listing.hpp"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

#include "engine/retriever/fingerprint.hpp"

namespace retriever {
namespace {

constexpr char made = '\x01';  // stands in no UIDL

}  // namespace

std::optional<std::vector<ListingEntry>> listing_of(const std::vector<pop3::UidlEntry>& names,
                                                    const std::vector<pop3::ListEntry>& sizes) {
    if (names.size() != sizes.size()) return std::nullopt;
    std::vector<ListingEntry> listing;
    listing.reserve(names.size());
    std::unordered_map<std::string_view, std::uint32_t> copies;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].number != sizes[i].number) return std::nullopt;
        // RFC 1939 §7: copies of a message may have the same UIDL.
        const auto copy = ++copies[names[i].uidl];
        listing.push_back({names[i].number,
                           copy == 1 ? names[i].uidl : fmt::format("{}{}{}", names[i].uidl, made, copy),
                           sizes[i].bytes});
    }
    return listing;
}

std::string made_key(const store::Digest& fingerprint, std::map<store::Digest, std::uint32_t>& copies) {
    return fmt::format("{}{}{}{}", made, hex_of(fingerprint), made, ++copies[fingerprint]);
}

ListingPlan plan_of_listing(const std::vector<ListingEntry>& listing, const std::vector<store::Listed>& there) {
    std::unordered_map<std::string_view, const store::Listed*> known;
    known.reserve(there.size());
    for (const auto& row : there) known.emplace(row.key, &row);
    ListingPlan plan;
    for (const auto& entry : listing) {
        const auto found = known.find(entry.key);
        if (found == known.end()) {
            plan.unknown.push_back(entry);
            continue;
        }
        const store::Listed& row = *found->second;
        if (row.state == store::Listed::State::pending) {
            plan.fetch.push_back(entry);
        } else if (row.bytes != entry.bytes) {
            plan.changed.push_back(entry);
        }
        known.erase(found);
    }
    plan.vanished.reserve(known.size());
    for (const auto& row : there) {
        if (known.contains(row.key)) plan.vanished.push_back(row);
    }
    return plan;
}

}  // namespace retriever

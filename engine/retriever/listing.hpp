#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocols/pop3/types.hpp"
#include "queue/store/listings.hpp"

namespace retriever {

/// A message in a server's listing.
struct ListingEntry {
    pop3::Number number = 0;
    std::string key;  // its UIDL; for copies with the same one, and for servers without, one that is made
    std::uint64_t bytes = 0;

    bool operator==(const ListingEntry&) const = default;
};

/// Of UIDL and LIST, in rising order of number; nullopt: they do not name the same messages.
std::optional<std::vector<ListingEntry>> listing_of(const std::vector<pop3::UidlEntry>& names,
                                                    const std::vector<pop3::ListEntry>& sizes);
/// The key of a message that has none, made of its fingerprint. `copies` counts equal ones.
std::string made_key(const store::Digest& fingerprint, std::map<store::Digest, std::uint32_t>& copies);

/// What is to be done with a listing, given what the ledger knew to be there.
struct ListingPlan {
    std::vector<ListingEntry> fetch;    // known and pending
    std::vector<ListingEntry> changed;  // known, but of another size: is it the same message?
    std::vector<ListingEntry> unknown;
    std::vector<store::Listed> vanished;  // not listed any more
};
/// Pure. `there`: all rows of the folder that were there, in any order.
ListingPlan plan_of_listing(const std::vector<ListingEntry>& listing, const std::vector<store::Listed>& there);

}  // namespace retriever

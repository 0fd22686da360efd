#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/dispatcher/pace.hpp"
#include "engine/dispatcher/purse.hpp"

namespace dispatcher {

/// What tenants have spent of a minute's mails. The committer's thread only: it is the one place where the mailboxes of
/// a tenant meet, whatever shard they send from.
class Allowances {
public:
    /// A tenant's next moment for a mail, which belongs to whoever asked from then on: many who wait do not ask again
    /// and again. nullopt: now.
    std::optional<store::Millis> reserve(const Tenant& tenant, store::Millis now);

private:
    std::map<std::string, Pace> paces_;  // by tenant
};

}  // namespace dispatcher

#pragma once

#include "queue/store/sqlite.hpp"

namespace store {

/// The version of the tables that this program reads and writes.
inline constexpr std::int64_t schema_version = 8;

/// Makes the tables in an empty database, or sees that they are ours; those of an older version become the newest in
/// one transaction, which no older program reads any more. Errors: newer_format, not_a_store (another program's
/// database), disk_full, io_failed, damaged.
Result<void> prepare_schema(Database& database);

}  // namespace store

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "queue/store/committer.hpp"
#include "queue/store/file.hpp"
#include "queue/store/segment_bodies.hpp"
#include "queue/store/sqlite_store.hpp"

namespace store {

/// An open data directory: DIR/ledger.db, DIR/segments/, DIR/reserve, held by DIR/lock until it ends.
struct OpenedStore {
    std::unique_ptr<File> lock;
    std::unique_ptr<SqliteStore> store;
    std::unique_ptr<SegmentBodies> bodies;
    /// What recovery found that an operator should know: missing, short or damaged segments. The messages concerned
    /// read as damaged, all others are fine.
    std::vector<std::string> findings;
};

/// Why a store cannot be opened.
struct OpenFailure {
    error_code reason;
    std::string sentence;  // the path, what is wrong with it, what to do
};

struct OpenOptions {
    std::uint64_t reserve_bytes = 8ULL << 20;  // given away when the disk is full; 0: none
    SqliteStore::Options ledger;
    SegmentBodies::Options bodies;
};

/// Makes the directory's layout when it is new, else recovers: idempotent, whenever it was interrupted.
/// Errors: in_use, not_a_store, newer_format, unreadable, damaged, disk_full, io_failed; `failure`, when it is given,
/// says it in a sentence.
Result<OpenedStore> open_store(Disk& disk, const Path& directory, const OpenOptions& options,
                               OpenFailure* failure = nullptr);

}  // namespace store

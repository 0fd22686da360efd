#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace store {

/// What can go wrong with durable state. The words of each value are what an operator reads.
enum class errc {
    disk_full = 1,   // ENOSPC, EDQUOT, or the reserve is touched: intake pauses, nothing is lost
    io_failed,       // a write or sync failed: the store is closed, the daemon stops, recovery follows
    damaged,         // checksum, length or structure is wrong
    newer_format,    // written by a newer program
    not_a_store,     // the directory holds something else
    in_use,          // another process has it open
    unreadable,      // permissions
    unknown_id,      // no such mailbox, consumer, …
    body_gone,       // reclaimed after everybody acknowledged it
    out_of_order,    // an acknowledgement or cursor would move backwards, or past the end
    closed,          // the committer has stopped
    body_too_large,  // longer than body_bytes_max
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace store

template <>
struct boost::system::is_error_code_enum<store::errc> : std::true_type {};

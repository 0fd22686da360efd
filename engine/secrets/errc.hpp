#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

namespace secrets {

/// What can be wrong with the key file or a sealed secret. The words of each value are what an operator reads.
enum class errc {
    key_missing = 1,  // no key file, though the store holds secrets sealed with one
    key_unreadable,
    key_exposed,  // group or others may read it
    key_wrong_size,
    key_foreign,  // not the key that the store was sealed with
    key_uncreatable,
    malformed,    // not a sealed secret, or of a newer format
    foreign_key,  // sealed with another key
    tampered,     // does not open: altered, or moved here from another place
};

const boost::system::error_category& category() noexcept;
inline boost::system::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

}  // namespace secrets

template <>
struct boost::system::is_error_code_enum<secrets::errc> : std::true_type {};

#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/mime/parts.hpp"

/// A mail as JSON, beside its bytes. Functions of the bytes: no I/O, no clock; nothing but want of memory is thrown,
/// whatever the mail. docs/view.md has the document.
namespace view {

struct Limits {
    mime::Limits mime{};
    std::size_t text_bytes_max = 1024 * 1024;  // of text and of html, each
    /// The field by whose value a mail of ours is known in a report about it; empty: none.
    std::string_view mark_field{};
};

/// The whole view. A mail beyond the limits gives {"readable":
/// false, "why": …} and what was read up to there.
boost::json::object view_of(std::string_view mail, const Limits& limits, const boost::json::storage_ptr& memory = {});

/// What the header section alone gives: a part of view_of(). `mail` may be its front.
boost::json::object headers_of(std::string_view mail, const Limits& limits,
                               const boost::json::storage_ptr& memory = {});

/// A part's bytes, decoded.
struct File {
    std::string name;  // UTF-8, as the sender wrote it: may be empty, may be a path
    std::string type;  // lower case
    std::string bytes;
};
/// The part with that number in the view; nullopt: the mail has no such part, as far as it can be read.
std::optional<File> file_of(std::string_view mail, std::size_t part, const Limits& limits);

/// The value of a Content-Disposition field that makes a browser save a file and never show it: a name without folders
/// and controls, in ASCII and in UTF-8. RFC 6266.
std::string disposition_of(std::string_view name);

}  // namespace view

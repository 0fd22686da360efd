#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mime {

/// A value with parameters, as Content-Type and Content-Disposition have it.
struct Parameters {
    std::string value{};                                       // lower case, without comments: "text/plain"
    std::vector<std::pair<std::string, std::string>> named{};  // name in lower case, value in UTF-8; each name once

    /// Empty: it is not there.
    [[nodiscard]] std::string_view at(std::string_view name) const noexcept;
};

/// Reads any value: what is broken is read as far as it goes. Values in pieces, with a charset and percent codes (RFC
/// 2231), encoded words where they do not belong (RFC 2047 in quotes, as many write), names with blanks and without
/// quotes. A value of RFC 2231 counts before one of the same name without; else the first counts. At most 100
/// parameters are read. `likely`: as in decoded_words().
Parameters read_parameters(std::string_view value, std::string_view likely = {});

}  // namespace mime

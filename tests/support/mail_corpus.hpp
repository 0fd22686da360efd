#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// A mail of tests/corpus/mime, and what its view has to say.
struct CorpusMail {
    std::string file;
    std::string name;
    std::string bytes;
    boost::json::object expected;
};

/// All of them; its README says how they are written. Throws std::runtime_error where a file is not written so.
std::vector<CorpusMail> mail_corpus();

/// Where `found` differs from what is expected: each key that `expected` has, at any depth; arrays have as many
/// elements. Empty: it does not.
std::string difference(const boost::json::value& expected, const boost::json::value& found, std::string_view at = "");

}  // namespace support

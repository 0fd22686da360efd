#pragma once

#include <string>

namespace cli {

/// What is in the file (- for standard input), up to a little more than a document may have. Throws Failure when it
/// cannot be read.
std::string text_in(const std::string& file);

}  // namespace cli

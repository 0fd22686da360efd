#pragma once

#include <string>
#include <vector>

namespace cli {

/// What another product has delivered, as retriever::read_shadow_list reads it: of files with such lines, of mbox
/// files, of Maildirs, and of standard input (-), one behind the other. Of mail only the header section is read.
/// Throws Failure when something cannot be read.
std::string delivered_in(const std::vector<std::string>& places);

}  // namespace cli

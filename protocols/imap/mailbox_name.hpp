#pragma once

#include <string>
#include <string_view>

namespace imap {

/// A mailbox name from UTF-8 to modified UTF-7. Bytes that are no UTF-8 become U+FFFD. RFC 3501 §5.1.3.
std::string mailbox_name_to_utf7(std::string_view utf8);
/// The other way. What is no modified UTF-7 (servers send raw 8-bit names too) stays as it is.
std::string mailbox_name_from_utf7(std::string_view wire);

}  // namespace imap

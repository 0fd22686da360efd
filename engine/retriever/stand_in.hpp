#pragma once

#include <string_view>

namespace retriever {

/// Whether a server gave these bytes in place of a message that it no longer has. Exact words only: a message that
/// merely quotes them is a message.
bool is_stand_in(std::string_view body) noexcept;

}  // namespace retriever

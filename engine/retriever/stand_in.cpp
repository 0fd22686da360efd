#include "engine/retriever/stand_in.hpp"

namespace retriever {

bool is_stand_in(std::string_view body) noexcept {
    // Courier 5.0.13, 2026-11: another client has deleted the message, and this session was not told yet.
    return body ==
           "From: System Administrator <root@localhost>\r\nSubject: message unavailable\r\n\r\n"
           "This message is no longer available on the server.\r\n";
}

}  // namespace retriever

#pragma once

#include <cstdint>
#include <string>

#include "engine/control/message.hpp"
#include "engine/control/surroundings.hpp"
#include "protocols/wait/asio.hpp"

namespace control {

/// A larger mail is viewed by its header section alone, and has no parts here; its bytes are there.
inline constexpr std::uint64_t viewed_bytes_max = 64 * 1024 * 1024;

/// {"id", "mailbox", "seq", "received_at", "bytes", "view": …}: engine/view. Mails are read and taken apart by the
/// worker. 503: too many wait for it. The callers await on the spot.
awaitable<Response> view_message(Surroundings& here, std::string id);
/// A part's bytes, decoded, as a file to be saved: neither its type nor its name can make a browser show it.
awaitable<Response> read_part(Surroundings& here, std::string id, std::size_t part);

}  // namespace control

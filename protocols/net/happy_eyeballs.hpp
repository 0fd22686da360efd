#pragma once

#include <vector>

#include "protocols/net/dial.hpp"
#include "protocols/wait/timers.hpp"

namespace net {

/// The addresses of the wished family; with `any`, the families take turns, beginning with that of the first.
/// RFC 8305 §4.
std::vector<asio::ip::address> in_order(const std::vector<asio::ip::address>& addresses, Family family);

/// Connects to the first address that answers: one attempt after the other, a quarter of a second apart or as soon as
/// one fails; the losers are closed. RFC 8305 §5. Errors: timed_out (at `due`), or why the attempts failed.
awaitable<Result<asio::ip::tcp::socket>> connect_first(std::vector<asio::ip::address> addresses, std::uint16_t port,
                                                       Timers& timers, Monotonic due);

}  // namespace net

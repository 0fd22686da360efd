#include "tools/rohrpost-sim/connection.hpp"

namespace sim {

awaitable<std::optional<std::string>> Connection::read_line(std::size_t bytes_max) {
    std::size_t end = in_.find('\n');
    while (end == std::string::npos) {
        if (over_ || in_.size() > bytes_max) co_return std::nullopt;
        const std::size_t searched = in_.size();
        const bool more = co_await read_some();
        if (!more) co_return std::nullopt;
        end = in_.find('\n', searched);
    }
    std::string line = in_.substr(0, end);
    in_.erase(0, end + 1);
    if (in_.empty()) in_.shrink_to_fit();
    if (line.ends_with('\r')) line.pop_back();
    co_return line;
}

awaitable<std::optional<std::string>> Connection::read_bytes(std::size_t bytes) {
    while (in_.size() < bytes) {
        if (over_) co_return std::nullopt;
        const bool more = co_await read_some();
        if (!more) co_return std::nullopt;
    }
    std::string taken = in_.substr(0, bytes);
    in_.erase(0, bytes);
    co_return taken;
}

}  // namespace sim

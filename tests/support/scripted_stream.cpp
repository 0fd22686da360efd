#include "tests/support/scripted_stream.hpp"

#include <algorithm>

#include "protocols/net/errc.hpp"

namespace support {

ScriptedStream::ScriptedStream(std::vector<Turn> turns, std::size_t piece_bytes, Start start)
    : turns_(turns.begin(), turns.end()), piece_bytes_(piece_bytes), encrypted_(start == Start::encrypted) {}

awaitable<Result<void>> ScriptedStream::read_more() {
    if (closed_) co_return net::errc::stopped;
    if (turns_.empty()) co_return net::errc::closed;
    if (turns_.front().who == Turn::Who::client)
        co_return pace_.within.count() == 0 ? net::errc::timed_out : net::errc::closed;
    if (turns_.front().who != Turn::Who::server) {
        const bool waits = turns_.front().who == Turn::Who::silence;
        turns_.pop_front();
        if (waits) co_await silence_.wait();
        if (closed_) co_return net::errc::stopped;
        co_return net::errc::timed_out;
    }
    std::string& bytes = turns_.front().bytes;
    const std::size_t taken = std::min(piece_bytes_, bytes.size());
    unread_.append(bytes, 0, taken);
    bytes.erase(0, taken);
    if (bytes.empty()) turns_.pop_front();
    co_return Result<void>();
}

awaitable<Result<void>> ScriptedStream::write(std::string_view bytes) {
    if (closed_) co_return net::errc::stopped;
    written_ += bytes;
    while (!bytes.empty()) {
        const bool foreseen = !turns_.empty() && turns_.front().who == Turn::Who::client &&
                              turns_.front().bytes.starts_with(bytes.substr(0, turns_.front().bytes.size()));
        if (!foreseen) {
            if (!turns_.empty()) surprise_ += bytes;
            co_return turns_.empty() ? Result<void>(net::errc::reset) : Result<void>();
        }
        std::string& wanted = turns_.front().bytes;
        const std::size_t taken = std::min(wanted.size(), bytes.size());
        wanted.erase(0, taken);
        bytes.remove_prefix(taken);
        if (wanted.empty()) turns_.pop_front();
    }
    co_return Result<void>();
}

void ScriptedStream::allow(net::Pace pace) {
    pace_ = pace;
    if (pace.within.count() == 0 && silence_.occupied()) silence_.wake();
}

void ScriptedStream::close() noexcept {
    closed_ = true;
    if (silence_.occupied()) silence_.wake();
}

awaitable<Result<void>> ScriptedStream::start_tls(const net::TlsClient&, std::string) {
    if (!unread_.empty()) co_return net::errc::bytes_before_tls;
    encrypted_ = true;
    co_return Result<void>();
}

}  // namespace support

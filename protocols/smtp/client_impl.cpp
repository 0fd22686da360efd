#include "protocols/smtp/client_impl.hpp"

#include <utility>

#include "protocols/net/errc.hpp"

namespace smtp {

Result<void> Client::Impl::ready() {
    if (!usable) return errc::unusable;
    if (stream.unread().empty()) return {};
    const auto reply = take_reply();
    if (!reply) return reply.error();
    const auto& arrived = *reply;
    const bool goodbye = arrived && arrived->says_goodbye();
    return spoilt(goodbye ? errc::goodbye : errc::unexpected_reply);
}

Result<std::optional<Reply>> Client::Impl::take_reply() {
    auto read = reader.read(stream.unread());
    if (!read) return spoilt(read.error());
    stream.consume(read->used_bytes);
    auto& reply = read->reply;
    if (!reply) return std::optional<Reply>();
    dialogue.received(*reply);
    if (reply->says_goodbye()) {
        usable = false;
        farewell = *reply;
    }
    return std::move(reply);
}

awaitable<Result<Reply>> Client::Impl::next_reply() {
    for (;;) {
        auto taken = take_reply();
        if (!taken) co_return taken.error();
        auto& reply = *taken;
        if (reply) co_return std::move(*reply);
        auto read = co_await stream.read_more();
        if (!read) co_return spoilt(read.error());
    }
}

awaitable<Result<Reply>> Client::Impl::ask(std::string command, net::Pace pace) {
    const auto ready_to_send = ready();
    if (!ready_to_send) co_return ready_to_send.error();
    dialogue.sent(command);
    stream.allow(pace);
    auto written = co_await stream.write(command);
    if (!written) co_return spoilt(written.error());
    auto reply = co_await next_reply();
    if (reply && reply->asks_for_more()) co_return spoilt(errc::unexpected_reply);
    co_return reply;
}

}  // namespace smtp

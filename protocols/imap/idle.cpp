#include <utility>

#include "protocols/imap/client.hpp"
#include "protocols/imap/client_impl.hpp"
#include "protocols/net/errc.hpp"

namespace imap {

awaitable<Result<Client::Woken>> Client::idle(std::chrono::milliseconds within) {
    Exchange exchange{.tag = impl_->session.next_tag()};
    auto begun = co_await impl_->begin_idle(exchange);
    if (!begun) co_return begun.error();
    auto woken = co_await impl_->wait_for_news(exchange, within);
    if (!woken) co_return woken.error();
    auto ended = co_await impl_->end_idle(exchange);
    if (!ended) co_return ended.error();
    co_return *woken;
}

awaitable<Result<void>> Client::Impl::begin_idle(Exchange& exchange) {
    stream.allow(paces.command);
    auto asked = co_await write_line(exchange.tag + " IDLE\r\n");
    if (!asked) co_return asked.error();
    auto begun = co_await next_stop(exchange);
    if (!begun) co_return begun.error();
    if (*begun == Stop::tagged) co_return errc::idle_refused;
    co_return Result<void>();
}

awaitable<Result<void>> Client::Impl::end_idle(Exchange& exchange) {
    stream.allow(paces.command);
    auto told = co_await write_line("DONE\r\n");
    if (!told) co_return told.error();
    auto answer = co_await finish(exchange);
    if (!answer) co_return answer.error();
    co_return Result<void>();
}

awaitable<Result<Client::Woken>> Client::Impl::wait_for_news(Exchange& exchange, std::chrono::milliseconds within) {
    stream.allow(net::Pace{within});
    for (;;) {
        const auto stop = pump(exchange);
        if (!stop) co_return stop.error();
        if (*stop == Stop::tagged) co_return errc::idle_refused;  // ended by the server
        if (std::exchange(wake_asked, false)) co_return Woken::told;
        if (exchange.news) co_return Woken::news;
        if (*stop != Stop::more) continue;
        dialogue.rest();
        idling = true;
        auto read = co_await stream.read_more();
        idling = false;
        if (read) continue;
        if (read.error() != net::errc::timed_out) co_return read.error();
        co_return std::exchange(wake_asked, false) ? Woken::told : Woken::time;
    }
}

void Client::wake_idle() noexcept {
    impl_->wake_asked = true;
    // Ends the wait like its own time does: the stream's watchdog is the one timer of a connection.
    if (impl_->idling) impl_->stream.allow(net::Pace{});
}

}  // namespace imap

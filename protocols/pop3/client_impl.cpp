#include "protocols/pop3/client_impl.hpp"

#include <utility>

#include "protocols/pop3/parse.hpp"

namespace pop3 {
namespace {

Stop stop_for(FetchSink::Flow flow) noexcept { return flow == FetchSink::Flow::wait ? Stop::sink_full : Stop::more; }

}  // namespace

Result<Stop> Client::Impl::pump(Exchange& exchange) {
    using Kind = ResponseReader::Event::Kind;
    const std::string_view bytes = stream.unread();
    std::size_t used_bytes = 0;
    Result<Stop> stop = Stop::more;
    for (bool starved = false; !starved && stop && *stop == Stop::more;) {
        const auto event = reader.read(bytes.substr(used_bytes));
        if (!event) {
            stop = event.error();
            break;
        }
        used_bytes += event->used_bytes;
        switch (event->kind) {
            case Kind::more:
                starved = true;
                break;
            case Kind::status:
                stop = take_status(event->text, exchange);
                break;
            case Kind::line:
                if (exchange.listener) {
                    const auto heard = exchange.listener(event->text);
                    if (!heard) stop = heard.error();
                }
                break;
            case Kind::body_bytes:
                exchange.item.body_bytes += event->text.size();
                if (exchange.sink != nullptr) stop = stop_for(exchange.sink->body_bytes(event->text));
                break;
            case Kind::end:
                stop = take_end(exchange);
                break;
        }
    }
    stream.consume(used_bytes);
    return stop;
}

Result<Stop> Client::Impl::take_status(std::string_view line, Exchange& exchange) {
    dialogue.received(line);
    if (const auto challenge = read_continuation(line)) {
        exchange.continuation = *challenge;
        return Stop::continuation;
    }
    auto answer = read_answer(line);
    if (!answer) return errc::malformed_response;
    exchange.answer = std::move(*answer);
    exchange.begun = true;
    if (!exchange.answer.ok() || exchange.shape == ResponseReader::Shape::status) return Stop::answered;
    if (exchange.sink == nullptr) return Stop::more;
    exchange.item.has_body = true;
    return stop_for(exchange.sink->body_begins(exchange.item, exchange.item.size));
}

Stop Client::Impl::take_end(Exchange& exchange) {
    if (exchange.sink != nullptr) {
        exchange.sink->fetched(exchange.item);  // a full sink is waited for by the next message's first byte
    }
    return Stop::answered;
}

awaitable<Result<Stop>> Client::Impl::next_stop(Exchange& exchange) {
    for (;;) {
        const auto stop = pump(exchange);
        if (!stop || *stop != Stop::more) co_return stop;
        auto read = co_await stream.read_more();
        if (!read) co_return read.error();
    }
}

awaitable<Result<Answer>> Client::Impl::finish(Exchange& exchange) {
    auto stop = co_await next_stop(exchange);
    if (!stop) co_return stop.error();
    if (*stop != Stop::answered) co_return errc::unexpected_continuation;
    co_return std::move(exchange.answer);
}

awaitable<Result<Answer>> Client::Impl::run(std::string command, Exchange& exchange) {
    begin(exchange);
    stream.allow(paces.command);
    auto written = co_await write_line(std::move(command));
    if (!written) co_return written.error();
    auto answer = co_await finish(exchange);
    co_return answer;
}

awaitable<Result<void>> Client::Impl::write_line(std::string line) {
    dialogue.sent(line);
    line += "\r\n";
    auto written = co_await stream.write(line);
    co_return written;
}

awaitable<Result<void>> Client::Impl::write_secret(std::string shown, Secret line) {
    dialogue.sent(shown);
    auto written = co_await stream.write(line.reveal());
    co_return written;
}

}  // namespace pop3

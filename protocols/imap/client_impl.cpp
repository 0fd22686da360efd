#include "protocols/imap/client_impl.hpp"

#include <utility>

namespace imap {
namespace {

constexpr std::size_t search_answers_max = 1000;  // to one command; merging them costs time

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
            case Kind::response:
                stop = take_response(event->text, exchange);
                break;
            case Kind::body_begins:
                if (exchange.fetch != nullptr)
                    stop = stop_for(exchange.fetch->body_begins(
                        reader.item(), reader.body_is_head() ? FetchRun::Of::heads : FetchRun::Of::messages,
                        reader.body_origin()));
                break;
            case Kind::body_bytes:
                if (exchange.fetch != nullptr) stop = stop_for(exchange.fetch->body_bytes(event->text));
                break;
            case Kind::fetched:
                stop = take_fetched(exchange);
                break;
            case Kind::found: {
                const auto counted = count_untagged(exchange);
                const auto taken = counted ? take_found(reader.take_found(), exchange) : counted;
                if (!taken) stop = taken.error();
                break;
            }
        }
    }
    stream.consume(used_bytes);
    return stop;
}

Result<void> Client::Impl::take_found(const UidSet& found, Exchange& exchange) const {
    if (exchange.found == nullptr) return {};
    exchange.found->add(found);
    if (++exchange.searches > search_answers_max || exchange.found->ranges().size() > limits.ranges_max)
        return errc::too_many_responses;
    return {};
}

Result<Stop> Client::Impl::take_fetched(Exchange& exchange) {
    exchange.news = true;
    dialogue.fetched(reader.item());
    if (!in_order(reader.item())) return errc::uids_out_of_order;
    FetchSink::Flow flow = FetchSink::Flow::go_on;
    if (exchange.fetch != nullptr) {
        const FetchRun::Taken taken = exchange.fetch->fetched(reader.item());
        if (taken.asked_for) return stop_for(taken.flow);
        flow = taken.flow;
    }
    const auto counted = count_untagged(exchange);
    if (!counted) return counted.error();
    return stop_for(flow);
}

/// Messages behind another one have higher UIDs, whatever was expunged between (RFC 9051 §2.3.1.1).
bool Client::Impl::in_order(const FetchItem& item) noexcept {
    if (item.uid == 0) return true;
    const bool behind = last_fetched.uid != 0 && item.sequence > last_fetched.sequence;
    if (behind && item.uid <= last_fetched.uid) return false;
    last_fetched.uid = item.uid;
    last_fetched.sequence = item.sequence;
    return true;
}

Result<Stop> Client::Impl::take_response(std::string_view text, Exchange& exchange) {
    const Response response = read_response(text);
    dialogue.received(text);
    if (response.kind == Response::Kind::tagged) {
        StatusText words = read_status_text(response.rest);
        Answer answer{status_of(response.name).value_or(Status::bad), std::move(words.code), std::move(words.text)};
        session.take_in(response);
        if (exchange.fetch != nullptr) {
            if (!exchange.fetch->complete(response.tag, answer)) return errc::foreign_tag;
        } else if (response.tag != exchange.tag) {
            return errc::foreign_tag;
        }
        exchange.answer = std::move(answer);
        return Stop::tagged;
    }
    const auto counted = count_untagged(exchange);
    if (!counted) return counted.error();
    if (response.kind == Response::Kind::continuation) return Stop::continuation;
    if (response.kind == Response::Kind::bare) return Stop::more;
    session.take_in(response);
    if (session.said_bye()) return errc::bye;
    if (response.is("EXISTS") || response.is("EXPUNGE") || response.is("VANISHED")) exchange.news = true;
    if (exchange.listener) {
        const auto heard = exchange.listener(response);
        if (!heard) return heard.error();
    }
    return Stop::more;
}

Result<void> Client::Impl::count_untagged(Exchange& exchange) const {
    if (++exchange.untagged > limits.untagged_per_command_max) return errc::too_many_responses;
    return {};
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
    for (;;) {
        auto stop = co_await next_stop(exchange);
        if (!stop) co_return stop.error();
        if (*stop == Stop::tagged) co_return std::move(exchange.answer);
    }
}

awaitable<Result<Answer>> Client::Impl::run(Command command, Exchange& exchange) {
    std::vector<std::string> pieces = std::move(command).pieces();
    stream.allow(paces.command);
    for (std::size_t sent = 0; sent < pieces.size(); ++sent) {
        if (sent > 0) {
            auto stop = co_await next_stop(exchange);
            if (!stop) co_return stop.error();
            if (*stop == Stop::tagged) co_return std::move(exchange.answer);  // refused before its literal
        }
        auto written = co_await write_line(std::move(pieces[sent]));
        if (!written) co_return written.error();
    }
    auto answer = co_await finish(exchange);
    co_return answer;
}

awaitable<Result<void>> Client::Impl::write_line(std::string line) {
    dialogue.sent(line);
    auto written = co_await stream.write(line);
    co_return written;
}

awaitable<Result<void>> Client::Impl::write_secret(std::string shown, Secret line) {
    dialogue.sent(shown);
    auto written = co_await stream.write(line.reveal());
    co_return written;
}

}  // namespace imap

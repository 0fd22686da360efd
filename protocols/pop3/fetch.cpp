#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocols/pop3/client.hpp"
#include "protocols/pop3/client_impl.hpp"

namespace pop3 {
namespace {

constexpr std::size_t in_flight_max = 32;  // commands whose answers are not read yet
// While the sink makes room the server owes nothing.
constexpr net::Pace no_hurry{std::chrono::hours(24)};

std::string command_for(Client::Part part, Number number) {
    return part == Client::Part::whole ? fmt::format("RETR {}\r\n", number) : fmt::format("TOP {} 0\r\n", number);
}

/// Tells the sink when a message that was begun does not come to its end.
class Began {
public:
    Began(FetchSink& sink, const Exchange& exchange) : sink_(sink), exchange_(exchange) {}
    ~Began() {
        if (!over_ && exchange_.begun && exchange_.answer.ok()) sink_.body_broken();
    }
    Began(const Began&) = delete;
    Began& operator=(const Began&) = delete;
    void over() noexcept { over_ = true; }

private:
    FetchSink& sink_;
    const Exchange& exchange_;
    bool over_ = false;
};

}  // namespace

awaitable<Result<std::vector<Client::Refused>>> Client::fetch(std::vector<ListEntry> wanted, Part part,
                                                              FetchSink& sink) {
    std::vector<Refused> refused;
    const std::size_t window = impl_->capabilities.pipelining ? in_flight_max : 1;
    std::size_t sent = 0;
    for (std::size_t read = 0; read < wanted.size(); ++read) {
        if (sent == read || sent - read <= window / 2) {
            std::string commands;
            for (; sent < wanted.size() && sent - read < window; ++sent) {
                const auto command = command_for(part, wanted[sent].number);
                impl_->dialogue.sent(command);
                commands += command;
            }
            impl_->stream.allow(impl_->paces.body);
            if (!commands.empty()) {
                auto written = co_await impl_->stream.write(commands);
                if (!written) co_return written.error();
            }
        }
        Exchange exchange{.shape = ResponseReader::Shape::body, .sink = &sink};
        exchange.item.uid = wanted[read].number;
        exchange.item.sequence = wanted[read].number;
        exchange.item.size = wanted[read].bytes;
        impl_->unfinished = wanted[read].number;
        auto answer = co_await impl_->take_message(exchange);
        if (!answer) co_return answer.error();
        impl_->unfinished.reset();
        if (!answer->ok()) refused.push_back({wanted[read].number, std::move(*answer)});
    }
    co_return refused;
}

awaitable<Result<Answer>> Client::Impl::take_message(Exchange& exchange) {
    begin(exchange);
    Began began(*exchange.sink, exchange);
    stream.allow(paces.body);
    for (;;) {
        auto stop = co_await next_stop(exchange);
        if (!stop) co_return stop.error();
        if (*stop == Stop::answered) break;
        if (*stop != Stop::sink_full) co_return errc::unexpected_continuation;
        stream.allow(no_hurry);
        auto room = co_await exchange.sink->room();
        if (!room) co_return room.error();
        stream.allow(paces.body);
    }
    began.over();
    co_return std::move(exchange.answer);
}

awaitable<Result<std::vector<Client::Refused>>> Client::remove(std::vector<Number> numbers) {
    std::vector<Refused> refused;
    const std::size_t window = impl_->capabilities.pipelining ? in_flight_max : 1;
    std::size_t sent = 0;
    for (std::size_t read = 0; read < numbers.size(); ++read) {
        std::string commands;
        for (; sent == read && sent < numbers.size(); ++sent) {
            const auto last = std::min(numbers.size(), read + window);
            for (; sent + 1 < last; ++sent) commands += fmt::format("DELE {}\r\n", numbers[sent]);
            commands += fmt::format("DELE {}\r\n", numbers[sent]);
        }
        impl_->stream.allow(impl_->paces.command);
        if (!commands.empty()) {
            impl_->dialogue.sent(commands);
            auto written = co_await impl_->stream.write(commands);
            if (!written) co_return written.error();
        }
        Exchange exchange;
        impl_->begin(exchange);
        auto answer = co_await impl_->finish(exchange);
        if (!answer) co_return answer.error();
        if (!answer->ok()) refused.push_back({numbers[read], std::move(*answer)});
    }
    co_return refused;
}

}  // namespace pop3

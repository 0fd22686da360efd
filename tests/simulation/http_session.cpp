#include "tests/simulation/http_session.hpp"

#include <fmt/format.h>

#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/http_endpoint.hpp"

namespace simulation {

namespace {

constexpr std::size_t line_bytes_max = 16 * 1024;

awaitable<std::optional<sim::HttpRequest>> read_request(sim::Connection& connection) {
    constexpr std::string_view length_field = "Content-Length:";
    const auto first = co_await connection.read_line(line_bytes_max);
    if (!first) co_return std::nullopt;
    const auto words = text::split(*first, ' ');
    if (words.size() != 3) co_return std::nullopt;
    sim::HttpRequest request;
    request.method = words[0];
    const std::size_t question = words[1].find('?');
    request.path = words[1].substr(0, question);
    if (question != std::string_view::npos) request.fields = sim::read_form(words[1].substr(question + 1));
    std::size_t length = 0;
    for (;;) {
        const auto line = co_await connection.read_line(line_bytes_max);
        if (!line) co_return std::nullopt;
        if (line->empty()) break;
        if (!text::starts_with_same(*line, length_field)) continue;
        const auto value = text::trimmed(std::string_view(*line).substr(length_field.size()));
        length = text::number<std::size_t>(value).value_or(0);
    }
    auto body = co_await connection.read_bytes(length);
    if (!body) co_return std::nullopt;
    request.fields.merge(sim::read_form(*body));
    request.body = std::move(*body);
    co_return request;
}

}  // namespace

awaitable<void> serve_http(std::shared_ptr<sim::Connection> connection, sim::World& world) {
    const auto request = co_await read_request(*connection);
    if (!request) {
        connection->end();
        co_return;
    }
    const auto reply = sim::answer(world, *request);
    if (reply.dropped) {
        connection->cut();
        co_return;
    }
    if (reply.after.count() > 0) co_await connection->pause(reply.after);
    connection->send(
        fmt::format("HTTP/1.1 {} Answer\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n",
                    reply.status, reply.type, reply.body.size()));
    if (reply.retry_after.count() > 0) connection->send(fmt::format("Retry-After: {}\r\n", reply.retry_after.count()));
    for (const auto& [name, value] : reply.headers) connection->send(fmt::format("{}: {}\r\n", name, value));
    connection->send("\r\n");
    connection->send(reply.body);
    connection->end();
}

}  // namespace simulation

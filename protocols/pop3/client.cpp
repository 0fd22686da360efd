#include "protocols/pop3/client.hpp"

#include <fmt/format.h>

#include <utility>

#include "protocols/net/tls.hpp"
#include "protocols/pop3/client_impl.hpp"
#include "protocols/pop3/parse.hpp"

namespace pop3 {

Client::Client(net::Stream& stream, Limits limits, Paces paces)
    : impl_(std::make_unique<Impl>(stream, limits, paces)) {}

Client::~Client() = default;

awaitable<Result<Answer>> Client::greet() {
    Exchange exchange;
    impl_->begin(exchange);
    impl_->stream.allow(impl_->paces.greeting);
    auto answer = co_await impl_->finish(exchange);
    if (!answer && answer.error().category() == category()) co_return errc::malformed_greeting;
    co_return answer;
}

awaitable<Result<Answer>> Client::learn_capabilities() {
    auto answer = co_await impl_->ask_capabilities();
    co_return answer;
}

awaitable<Result<Answer>> Client::Impl::ask_capabilities() {
    capabilities = {};
    Exchange exchange{.shape = ResponseReader::Shape::lines};
    std::size_t lines = 0;
    exchange.listener = [this, &lines](std::string_view line) -> Result<void> {
        if (++lines > limits.capability_lines_max) return errc::too_many_lines;
        read_capability(line, capabilities);
        return {};
    };
    auto answer = co_await run("CAPA", exchange);
    if (answer) capabilities.known = answer->ok();
    co_return answer;
}

const Capabilities& Client::capabilities() const noexcept { return impl_->capabilities; }

awaitable<Result<Answer>> Client::start_tls(const net::TlsClient& tls, std::string host) {
    if (impl_->stream.encrypted() || !impl_->capabilities.stls) co_return errc::tls_not_offered;
    Exchange exchange;
    auto answer = co_await impl_->run("STLS", exchange);
    if (!answer || !answer->ok()) co_return answer;
    impl_->capabilities = {};
    auto secured = co_await impl_->stream.start_tls(tls, std::move(host));
    if (!secured) co_return secured.error();
    co_return answer;
}

awaitable<Result<Client::Stat>> Client::stat() {
    Stat stat;
    Exchange exchange;
    auto answer = co_await impl_->run("STAT", exchange);
    if (!answer) co_return answer.error();
    stat.answer = std::move(*answer);
    if (!stat.answer.ok()) co_return stat;
    const auto counted = read_stat(stat.answer.text);
    if (!counted) co_return errc::malformed_response;
    stat.counted = *counted;
    co_return stat;
}

awaitable<Result<Client::Listed>> Client::list() {
    Listed listed;
    Exchange exchange{.shape = ResponseReader::Shape::lines};
    exchange.listener = [&listed](std::string_view line) -> Result<void> {
        const auto entry = read_list_entry(line);
        if (!entry || (!listed.entries.empty() && entry->number <= listed.entries.back().number))
            return errc::malformed_listing;
        listed.entries.push_back(*entry);
        return {};
    };
    auto answer = co_await impl_->run("LIST", exchange);
    if (!answer) co_return answer.error();
    listed.answer = std::move(*answer);
    co_return listed;
}

awaitable<Result<Client::Identified>> Client::uidl() {
    Identified identified;
    Exchange exchange{.shape = ResponseReader::Shape::lines};
    exchange.listener = [this, &identified](std::string_view line) -> Result<void> {
        auto entry = read_uidl_entry(line, impl_->limits.uidl_bytes_max);
        if (!entry || (!identified.entries.empty() && entry->number <= identified.entries.back().number))
            return errc::malformed_listing;
        identified.entries.push_back(std::move(*entry));
        return {};
    };
    auto answer = co_await impl_->run("UIDL", exchange);
    if (!answer) co_return answer.error();
    identified.answer = std::move(*answer);
    co_return identified;
}

awaitable<Result<Answer>> Client::reset() {
    Exchange exchange;
    auto answer = co_await impl_->run("RSET", exchange);
    co_return answer;
}

awaitable<Result<Answer>> Client::noop() {
    Exchange exchange;
    auto answer = co_await impl_->run("NOOP", exchange);
    co_return answer;
}

awaitable<Result<Answer>> Client::quit() {
    Exchange exchange;
    auto answer = co_await impl_->run("QUIT", exchange);
    co_return answer;
}

std::optional<Number> Client::unfinished() const noexcept { return impl_->unfinished; }

std::vector<std::string> Client::last_lines() const { return impl_->dialogue.lines(); }

}  // namespace pop3

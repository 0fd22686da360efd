#include "protocols/smtp/client.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/ensure.hpp"
#include "protocols/net/errc.hpp"
#include "protocols/smtp/client_impl.hpp"
#include "protocols/smtp/command.hpp"
#include "protocols/smtp/handover.hpp"

namespace smtp {

std::string_view words_of(Phase phase) noexcept {
    switch (phase) {
        case Phase::greeting:
            return "before the greeting";
        case Phase::hello:
            return "greeted";
        case Phase::tls:
            return "over TLS";
        case Phase::authed:
            return "logged in";
        case Phase::mail:
            return "sender";
        case Phase::rcpt:
            return "recipients";
        case Phase::body_started:
            return "body";
        case Phase::final_sent:
            return "everything sent, no reply";
        case Phase::replied:
            return "replied";
    }
    return "unknown phase";
}

bool Submission::refused_before_body() const noexcept {
    return sender.refused() ||
           std::all_of(recipients.begin(), recipients.end(), [](const Reply& reply) { return reply.refused(); });
}

bool Submission::delivered_to(std::size_t recipient) const noexcept {
    const Reply& last = deliveries.empty() ? body : deliveries[recipient];
    return sender.accepted() && recipients[recipient].accepted() && last.accepted();
}

const Reply& Submission::verdict_for(std::size_t recipient) const noexcept {
    if (sender.refused()) return sender;
    if (recipients[recipient].refused()) return recipients[recipient];
    return !deliveries.empty() && deliveries[recipient].came() ? deliveries[recipient] : body;
}

Client::Client(net::Stream& stream, Limits limits, Paces paces)
    : impl_(std::make_unique<Impl>(stream, limits, paces)) {}

Client::~Client() = default;

awaitable<Result<Reply>> Client::greet() {
    impl_->stream.allow(impl_->paces.greeting);
    auto reply = co_await impl_->next_reply();
    if (!reply) co_return reply.error();
    if (reply->code != 220 && !reply->refused()) co_return impl_->spoilt(errc::unexpected_reply);
    if (reply->refused()) impl_->usable = false;
    impl_->phase = impl_->stream.encrypted() ? Phase::tls : Phase::hello;
    co_return reply;
}

awaitable<Result<Reply>> Client::hello(std::string name, Dialect dialect) {
    impl_->lmtp = dialect == Dialect::lmtp;
    auto command = hello_command(impl_->lmtp ? "LHLO" : "EHLO", name);
    if (!command) co_return command.error();
    impl_->offered = Capabilities();
    auto reply = co_await impl_->ask(std::move(*command), impl_->paces.command);
    if (!reply) co_return reply.error();
    if (reply->accepted()) impl_->offered = read_capabilities(*reply);
    const bool unknown = reply->refused() && !reply->transient();
    if (!unknown || dialect != Dialect::basic_when_refused) co_return reply;
    command = hello_command("HELO", name);
    reply = co_await impl_->ask(std::move(*command), impl_->paces.command);
    co_return reply;
}

awaitable<Result<Reply>> Client::start_tls(const net::TlsClient& tls, std::string host) {
    ensure(!impl_->stream.encrypted(), "TLS starts once");
    if (!impl_->offered.starttls) co_return errc::tls_not_offered;
    impl_->phase = Phase::tls;
    auto reply = co_await impl_->ask("STARTTLS\r\n", impl_->paces.command);
    if (!reply) co_return reply.error();
    if (reply->refused()) co_return reply;
    if (reply->code != 220) co_return impl_->spoilt(errc::unexpected_reply);
    if (!impl_->stream.unread().empty()) co_return impl_->spoilt(net::errc::bytes_before_tls);
    impl_->offered = Capabilities();  // RFC 3207 §4.2
    impl_->stream.allow(impl_->paces.command);
    auto started = co_await impl_->stream.start_tls(tls, std::move(host));
    if (!started) co_return impl_->spoilt(started.error());
    co_return reply;
}

const Capabilities& Client::capabilities() const noexcept { return impl_->offered; }

awaitable<Result<Submission>> Client::submit(const Envelope& envelope, Body& body) {
    if (impl_->phase < Phase::mail) impl_->phase_between_mails = impl_->phase;
    impl_->phase = impl_->phase_between_mails;
    impl_->submission = Submission();
    impl_->submission.recipients.resize(envelope.recipients.size());
    const auto checked = check(envelope);
    if (!checked) co_return checked.error();
    const auto ready = impl_->ready();
    if (!ready) co_return ready.error();
    impl_->submission.obstacle = obstacle_to(envelope, body.size_bytes(), impl_->offered);
    if (impl_->submission.obstacle) co_return impl_->submission;
    Handover handover(*impl_, envelope, body);
    auto done = co_await handover.run();
    if (!done) co_return impl_->spoilt(done.error());
    co_return impl_->submission;
}

awaitable<Result<Reply>> Client::reset() {
    auto reply = co_await impl_->ask("RSET\r\n", impl_->paces.command);
    if (reply && reply->accepted()) impl_->needs_reset = false;
    co_return reply;
}

awaitable<Result<Reply>> Client::noop() {
    auto reply = co_await impl_->ask("NOOP\r\n", impl_->paces.command);
    co_return reply;
}

awaitable<Result<void>> Client::quit() {
    if (!impl_->usable) co_return Result<void>();
    auto reply = co_await impl_->ask("QUIT\r\n", impl_->paces.quit);
    impl_->usable = false;
    const bool hung_up = !reply && (reply.error() == net::errc::closed || reply.error() == net::errc::truncated ||
                                    reply.error() == net::errc::reset);
    if (!reply && !hung_up) co_return reply.error();
    co_return Result<void>();
}

awaitable<Result<void>> Client::check_idle() {
    if (!impl_->usable) co_return errc::unusable;
    impl_->stream.allow(net::Pace{});  // the read ends at once
    auto read = co_await impl_->stream.read_more();
    if (!read && read.error() != net::errc::timed_out) co_return impl_->spoilt(read.error());
    co_return impl_->ready();
}

Phase Client::phase() const noexcept { return impl_->phase; }

bool Client::in_doubt() const noexcept {
    return impl_->phase == Phase::final_sent && !impl_->submission.refused_before_body();
}

const Submission& Client::submission() const noexcept { return impl_->submission; }

bool Client::usable() const noexcept { return impl_->usable; }

const Reply& Client::farewell() const noexcept { return impl_->farewell; }

std::vector<std::string> Client::last_lines() const { return impl_->dialogue.lines(); }

}  // namespace smtp

#include <algorithm>
#include <utility>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/pop3/client.hpp"
#include "protocols/pop3/client_impl.hpp"
#include "protocols/sasl/field.hpp"
#include "protocols/sasl/oauthbearer.hpp"
#include "protocols/sasl/plain.hpp"
#include "protocols/sasl/xoauth2.hpp"

namespace pop3 {
namespace {

constexpr std::size_t challenge_bytes_max = 400;

bool offers(const Capabilities& capabilities, Mechanism mechanism) {
    switch (mechanism) {
        case Mechanism::xoauth2:
            return capabilities.offers("XOAUTH2");
        case Mechanism::oauthbearer:
            return capabilities.offers("OAUTHBEARER");
        case Mechanism::plain:
            return capabilities.offers("PLAIN");
        case Mechanism::user_pass:  // RFC 1939 has it: a server without CAPA cannot say so
            return capabilities.user || !capabilities.known;
    }
    return false;
}

/// What the server said about the token, for people: JSON, if it is base 64 as it should be.
std::string read_challenge(std::string_view challenge) {
    const auto decoded = base64_decoded(challenge);
    return text::printable(decoded ? std::string_view(*decoded) : challenge, challenge_bytes_max);
}

Secret line_of(std::string_view command, std::string_view secret) {
    std::string line(command);
    line.append(secret).append("\r\n");
    return Secret(std::move(line));
}

/// PASS takes everything to the end of its line, USER what has no control characters in it.
bool is_argument(std::string_view argument) noexcept {
    return !argument.empty() &&
           std::none_of(argument.begin(), argument.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

awaitable<Result<Answer>> Client::log_in(Login login) {
    if (!impl_->stream.encrypted()) co_return errc::tls_required;
    if (!offers(impl_->capabilities, login.mechanism)) co_return errc::mechanism_not_offered;

    Result<Answer> answer = Answer{};
    if (login.mechanism == Mechanism::user_pass) {
        answer = co_await impl_->log_in_with_password(std::move(login.user), std::move(login.secret));
    } else if (login.mechanism == Mechanism::plain) {
        auto initial = sasl::plain(login.user, login.secret);
        if (!initial) co_return errc::bad_argument;
        answer = co_await impl_->authenticate("PLAIN", std::move(*initial), login.initial, std::string_view());
    } else if (login.mechanism == Mechanism::oauthbearer) {
        const sasl::Endpoint endpoint{.host = login.host, .port = login.port};
        auto initial = sasl::oauthbearer(login.user, endpoint, login.secret);
        if (!initial) co_return errc::bad_argument;
        answer = co_await impl_->authenticate("OAUTHBEARER", std::move(*initial), login.initial,
                                              sasl::oauthbearer_error_answer);
    } else {
        auto initial = sasl::xoauth2(login.user, login.secret);
        if (!initial) co_return errc::bad_argument;
        answer =
            co_await impl_->authenticate("XOAUTH2", std::move(*initial), login.initial, sasl::xoauth2_error_answer);
    }
    if (!answer || !answer->ok()) co_return answer;
    const auto offered_before = impl_->capabilities;
    auto learned = co_await impl_->ask_capabilities();
    if (!learned) co_return learned.error();
    if (!learned->ok()) impl_->capabilities = offered_before;
    co_return answer;
}

awaitable<Result<Answer>> Client::Impl::authenticate(std::string mechanism, Secret initial, Initial place,
                                                     std::string_view error_answer) {
    const std::string command = "AUTH " + mechanism;
    Exchange exchange;
    begin(exchange);
    stream.allow(paces.command);
    if (place == Initial::with_command) {
        Secret line = line_of(command + ' ', initial.reveal());
        auto written = co_await write_secret(command + " <redacted>", std::move(line));
        if (!written) co_return written.error();
    } else {
        auto asked = co_await write_line(command);
        if (!asked) co_return asked.error();
        auto ready = co_await next_stop(exchange);
        if (!ready) co_return ready.error();
        if (*ready == Stop::answered && exchange.answer.ok()) co_return errc::malformed_response;  // to no secret
        if (*ready == Stop::answered) co_return std::move(exchange.answer);
        Secret line = line_of({}, initial.reveal());
        auto written = co_await write_secret("<redacted>", std::move(line));
        if (!written) co_return written.error();
    }
    auto stop = co_await next_stop(exchange);
    if (!stop) co_return stop.error();
    if (*stop == Stop::answered) co_return std::move(exchange.answer);
    // The error challenge of the OAuth mechanisms: until it is answered, the server waits.
    if (mechanism == "PLAIN") co_return errc::unexpected_continuation;
    const std::string challenge = read_challenge(exchange.continuation);
    auto answered = co_await write_line(std::string(error_answer));
    if (!answered) co_return answered.error();
    stop = co_await next_stop(exchange);
    if (!stop) co_return stop.error();
    if (*stop != Stop::answered) co_return errc::unexpected_continuation;
    if (exchange.answer.ok()) co_return errc::malformed_response;  // it had refused the token
    exchange.answer.challenge = challenge;
    co_return std::move(exchange.answer);
}

awaitable<Result<Answer>> Client::Impl::log_in_with_password(std::string user, Secret password) {
    if (!sasl::is_field(user) || !is_argument(password.reveal())) co_return errc::bad_argument;
    Exchange asked;
    auto known = co_await run("USER " + user, asked);
    if (!known || !known->ok()) co_return known;
    Exchange exchange;
    begin(exchange);
    stream.allow(paces.command);
    Secret line = line_of("PASS ", password.reveal());
    auto written = co_await write_secret("PASS <redacted>", std::move(line));
    if (!written) co_return written.error();
    auto answer = co_await finish(exchange);
    co_return answer;
}

}  // namespace pop3

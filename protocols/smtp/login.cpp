#include <utility>

#include "protocols/base/base64.hpp"
#include "protocols/sasl/field.hpp"
#include "protocols/sasl/oauthbearer.hpp"
#include "protocols/sasl/plain.hpp"
#include "protocols/sasl/xoauth2.hpp"
#include "protocols/smtp/client.hpp"
#include "protocols/smtp/client_impl.hpp"

namespace smtp {
namespace {

constexpr std::size_t command_bytes_max = 512;     // RFC 5321 §4.5.3.1.4; a longer response goes on a line of its own
constexpr std::size_t response_bytes_max = 12288;  // RFC 4954 §4
constexpr std::uint16_t logged_in = 235;

std::string_view name_of(Mechanism mechanism) noexcept {
    switch (mechanism) {
        case Mechanism::xoauth2:
            return "XOAUTH2";
        case Mechanism::oauthbearer:
            return "OAUTHBEARER";
        case Mechanism::plain:
            return "PLAIN";
        case Mechanism::login:
            return "LOGIN";
    }
    return "";
}

/// What a server says about a token before it refuses it.
std::string challenge_in(const Reply& reply) {
    const std::string& text = reply.lines.front();
    const auto decoded = base64_decoded(text);
    return decoded ? sanitised(*decoded) : text;
}

}  // namespace

awaitable<Result<LoginAnswer>> Client::log_in(Login login) {
    if (!impl_->stream.encrypted()) co_return errc::tls_required;
    if (!impl_->offered.offers_login(name_of(login.mechanism))) co_return errc::mechanism_not_offered;

    Result<LoginAnswer> answer = LoginAnswer{};
    if (login.mechanism == Mechanism::login) {
        answer = co_await impl_->log_in_with_password(std::move(login.user), std::move(login.secret));
    } else if (login.mechanism == Mechanism::plain) {
        auto initial = sasl::plain(login.user, login.secret);
        if (!initial) co_return errc::bad_login;
        answer = co_await impl_->authenticate("PLAIN", std::move(*initial), std::string_view());
    } else if (login.mechanism == Mechanism::oauthbearer) {
        const sasl::Endpoint endpoint{.host = login.host, .port = login.port};
        auto initial = sasl::oauthbearer(login.user, endpoint, login.secret);
        if (!initial) co_return errc::bad_login;
        answer = co_await impl_->authenticate("OAUTHBEARER", std::move(*initial), sasl::oauthbearer_error_answer);
    } else {
        auto initial = sasl::xoauth2(login.user, login.secret);
        if (!initial) co_return errc::bad_login;
        answer = co_await impl_->authenticate("XOAUTH2", std::move(*initial), sasl::xoauth2_error_answer);
    }
    if (!answer) co_return answer;
    if (!answer->reply.refused() && answer->reply.code != logged_in) co_return impl_->spoilt(errc::unexpected_reply);
    if (answer->reply.code == logged_in) impl_->phase = Phase::authed;
    co_return answer;
}

awaitable<Result<LoginAnswer>> Client::Impl::authenticate(std::string mechanism, Secret initial,
                                                          std::string_view error_answer) {
    LoginAnswer answer;
    const std::string command = "AUTH " + mechanism;
    const std::string_view response = initial.reveal();
    if (response.size() + 2 > response_bytes_max) co_return errc::login_too_long;
    const bool at_once = command.size() + 1 + response.size() + 2 <= command_bytes_max;
    std::string line(response);
    line += "\r\n";
    if (at_once) line.insert(0, command + ' ');
    Secret secret_line(std::move(line));
    if (!at_once) {
        Secret bare_command(command + "\r\n");
        auto asked = co_await ask_secretly(command, std::move(bare_command));
        if (!asked) co_return asked.error();
        if (asked->accepted()) co_return spoilt(errc::unexpected_reply);  // of nobody, so far
        answer.reply = std::move(*asked);
        if (answer.reply.refused()) co_return answer;
    }
    std::string shown = at_once ? command + " <redacted>" : "<redacted>";
    auto reply = co_await ask_secretly(std::move(shown), std::move(secret_line));
    if (!reply) co_return reply.error();
    if (reply->asks_for_more() && mechanism != "PLAIN") {
        // The error challenge of the OAuth mechanisms: until it is answered, the server waits.
        answer.challenge = challenge_in(*reply);
        Secret error_line(std::string(error_answer) + "\r\n");
        reply = co_await ask_secretly(std::string(error_answer), std::move(error_line));
        if (!reply) co_return reply.error();
        if (!reply->refused()) co_return spoilt(errc::unexpected_reply);
    }
    answer.reply = std::move(*reply);
    co_return answer;
}

awaitable<Result<LoginAnswer>> Client::Impl::log_in_with_password(std::string user, Secret password) {
    if (!sasl::is_field(user) || !sasl::is_field(password.reveal())) co_return errc::bad_login;
    LoginAnswer answer;
    Secret lines[] = {Secret("AUTH LOGIN\r\n"), Secret(base64_encoded(user) + "\r\n"),
                      Secret(base64_encoded(password.reveal()) + "\r\n")};
    for (Secret& line : lines)
        if (line.reveal().size() > response_bytes_max) co_return errc::login_too_long;
    for (Secret& line : lines) {
        const bool first = &line == lines;
        const bool last = &line == lines + 2;
        std::string shown = first ? "AUTH LOGIN" : "<redacted>";
        auto reply = co_await ask_secretly(std::move(shown), std::move(line));
        if (!reply) co_return reply.error();
        if (reply->accepted() && !last) co_return spoilt(errc::unexpected_reply);
        answer.reply = std::move(*reply);
        if (!answer.reply.asks_for_more()) co_return answer;
    }
    co_return answer;
}

awaitable<Result<Reply>> Client::Impl::ask_secretly(std::string shown, Secret line) {
    const auto ready_to_send = ready();
    if (!ready_to_send) co_return ready_to_send.error();
    dialogue.sent(shown);
    stream.allow(paces.command);
    auto written = co_await stream.write(line.reveal());
    if (!written) co_return spoilt(written.error());
    auto reply = co_await next_reply();
    if (reply && reply->asks_for_more() && reply->code != 334) co_return spoilt(errc::unexpected_reply);
    co_return reply;
}

}  // namespace smtp

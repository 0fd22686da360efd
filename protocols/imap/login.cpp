#include <utility>

#include "protocols/imap/client.hpp"
#include "protocols/imap/client_impl.hpp"
#include "protocols/sasl/oauthbearer.hpp"
#include "protocols/sasl/plain.hpp"
#include "protocols/sasl/xoauth2.hpp"

namespace imap {
namespace {

constexpr std::size_t command_bytes_max = 8000;  // Exchange's line limit; longer responses go on a line of their own

bool offers(const Session& session, Mechanism mechanism) {
    switch (mechanism) {
        case Mechanism::xoauth2:
            return session.can("AUTH=XOAUTH2");
        case Mechanism::oauthbearer:
            return session.can("AUTH=OAUTHBEARER");
        case Mechanism::plain:
            return session.can("AUTH=PLAIN");
        case Mechanism::login:
            return !session.can("LOGINDISABLED");
    }
    return false;
}

}  // namespace

awaitable<Result<Answer>> Client::log_in(Login login) {
    auto asked = co_await learn_capabilities();
    if (!asked || !asked->ok()) co_return asked;
    if (!offers(impl_->session, login.mechanism)) co_return errc::mechanism_not_offered;

    Result<Answer> answer = Answer{};
    if (login.mechanism == Mechanism::login) {
        answer = co_await impl_->log_in_with_password(std::move(login.user), std::move(login.secret));
    } else if (login.mechanism == Mechanism::plain) {
        auto initial = sasl::plain(login.user, login.secret);
        if (!initial) co_return errc::bad_argument;
        answer = co_await impl_->authenticate("PLAIN", std::move(*initial), std::string_view());
    } else if (login.mechanism == Mechanism::oauthbearer) {
        const sasl::Endpoint endpoint{.host = login.host, .port = login.port};
        auto initial = sasl::oauthbearer(login.user, endpoint, login.secret);
        if (!initial) co_return errc::bad_argument;
        answer = co_await impl_->authenticate("OAUTHBEARER", std::move(*initial), sasl::oauthbearer_error_answer);
    } else {
        auto initial = sasl::xoauth2(login.user, login.secret);
        if (!initial) co_return errc::bad_argument;
        answer = co_await impl_->authenticate("XOAUTH2", std::move(*initial), sasl::xoauth2_error_answer);
    }
    if (!answer || !answer->ok() || impl_->session.knows_capabilities()) co_return answer;
    // Exchange 2026-11 logs in whom it won't let in: "BAD User is authenticated but not connected."
    auto learned = co_await impl_->ask_capabilities();
    if (!learned || !learned->ok()) co_return learned;
    co_return answer;
}

awaitable<Result<Answer>> Client::Impl::authenticate(std::string mechanism, Secret initial,
                                                     std::string_view error_answer) {
    Exchange exchange{.tag = session.next_tag()};
    const std::string command = exchange.tag + " AUTHENTICATE " + mechanism;
    const bool at_once = (session.can("SASL-IR") || session.can("IMAP4REV2")) &&
                         command.size() + initial.reveal().size() < command_bytes_max;
    // After the login others are offered: what comes with its answer counts.
    session.forget_capabilities();
    stream.allow(paces.command);
    if (at_once) {
        std::string line = command + ' ';
        line.append(initial.reveal()).append("\r\n");
        Secret secret_line(std::move(line));
        auto written = co_await write_secret(command + " <redacted>", std::move(secret_line));
        if (!written) co_return written.error();
    } else {
        auto asked = co_await write_line(command + "\r\n");
        if (!asked) co_return asked.error();
        auto stop = co_await next_stop(exchange);
        if (!stop) co_return stop.error();
        if (*stop == Stop::tagged) co_return std::move(exchange.answer);
        std::string line(initial.reveal());
        line += "\r\n";
        Secret secret_line(std::move(line));
        auto written = co_await write_secret("<redacted>", std::move(secret_line));
        if (!written) co_return written.error();
    }
    auto stop = co_await next_stop(exchange);
    if (!stop) co_return stop.error();
    if (*stop == Stop::tagged) co_return std::move(exchange.answer);
    // The error challenge of the OAuth mechanisms: until it is answered, the server waits.
    if (mechanism == "PLAIN") co_return errc::unexpected_continuation;
    auto answered = co_await write_line(std::string(error_answer) + "\r\n");
    if (!answered) co_return answered.error();
    stop = co_await next_stop(exchange);
    if (!stop) co_return stop.error();
    if (*stop != Stop::tagged) co_return errc::unexpected_continuation;
    co_return std::move(exchange.answer);
}

awaitable<Result<Answer>> Client::Impl::log_in_with_password(std::string user, Secret password) {
    Exchange exchange{.tag = session.next_tag()};
    Command command(exchange.tag, "LOGIN");
    const auto user_put = command.astring(user, session.syntax());
    if (!user_put) co_return user_put.error();
    const auto password_put = command.string(password.reveal(), session.syntax());
    if (!password_put) co_return password_put.error();
    std::vector<std::string> pieces = std::move(command).pieces();

    session.forget_capabilities();
    stream.allow(paces.command);
    for (std::string& piece : pieces) {
        if (&piece != &pieces.front()) {
            auto stop = co_await next_stop(exchange);
            if (!stop) co_return stop.error();
            if (*stop == Stop::tagged) co_return std::move(exchange.answer);
        }
        Secret secret_piece(std::move(piece));
        auto written = co_await write_secret(exchange.tag + " LOGIN <redacted>", std::move(secret_piece));
        if (!written) co_return written.error();
    }
    auto answer = co_await finish(exchange);
    co_return answer;
}

}  // namespace imap

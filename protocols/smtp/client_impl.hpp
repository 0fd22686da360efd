#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocols/smtp/client.hpp"
#include "protocols/smtp/dialogue.hpp"
#include "protocols/smtp/reply.hpp"

namespace smtp {

struct Client::Impl {
    Impl(net::Stream& peer, Limits bounds, Paces speed)
        : stream(peer), limits(bounds), paces(speed), reader(bounds.reply) {}

    /// Nothing may be unread when a command is sent: what is there answers nothing. Errors: unusable, goodbye,
    /// unexpected_reply.
    Result<void> ready();
    /// The next reply, when all of it has arrived.
    Result<std::optional<Reply>> take_reply();
    awaitable<Result<Reply>> next_reply();
    /// Sends one command and reads its reply. Errors: unexpected_reply for 3xx.
    awaitable<Result<Reply>> ask(std::string command, net::Pace pace);
    /// Sends one line of AUTH's exchange, which people see as `shown`.
    awaitable<Result<Reply>> ask_secretly(std::string shown, Secret line);
    awaitable<Result<LoginAnswer>> authenticate(std::string mechanism, Secret initial, std::string_view error_answer);
    awaitable<Result<LoginAnswer>> log_in_with_password(std::string user, Secret password);

    /// After an error nothing goes on over this connection.
    error_code spoilt(error_code error) noexcept {
        usable = false;
        return error;
    }

    net::Stream& stream;
    Limits limits;
    Paces paces;
    ReplyReader reader;
    Dialogue dialogue;
    Capabilities offered;
    Submission submission;
    Reply farewell;
    Phase phase = Phase::greeting;
    Phase phase_between_mails = Phase::greeting;
    bool lmtp = false;
    bool usable = true;
    bool needs_reset = false;  // a refused mail left something behind
};

}  // namespace smtp

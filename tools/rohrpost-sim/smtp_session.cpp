#include "tools/rohrpost-sim/smtp_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"

namespace sim {

namespace {

constexpr std::size_t line_bytes_max = 64 * 1024;
constexpr std::uint64_t message_bytes_max = 157'286'400;

struct Usual {
    FaultKind kind;
    std::uint64_t code;
    std::string_view words;
};
// Exchange Online 2026-11.
constexpr std::array<Usual, 5> usual_refusals{{
    {FaultKind::smtp_greeting, 421, "4.3.2 Service not available"},
    {FaultKind::smtp_auth, 535, "5.7.3 Authentication unsuccessful"},
    {FaultKind::smtp_mail, 432, "4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending"},
    {FaultKind::smtp_rcpt, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"},
    {FaultKind::smtp_body, 451, "4.7.0 Temporary server error. Please try again later. PRX2"},
}};

std::string_view path_in(std::string_view rest) {
    const std::size_t open = rest.find('<'), close = rest.find('>');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
    return rest.substr(open + 1, close - open - 1);
}

std::string behind_path(std::string_view rest) {
    return std::string(text::trimmed(rest.substr(std::min(rest.find('>'), rest.size() - 1) + 1)));
}

}  // namespace

awaitable<void> SmtpSession::serve(std::shared_ptr<SmtpSession> self) {
    auto& here = *self;
    if (here.encrypted_) {
        const bool safe = co_await here.connection_->handshake();
        if (!safe) co_return;
    }
    if (!here.refused(FaultKind::smtp_greeting, "")) here.say("220 sim.test Microsoft ESMTP MAIL Service ready");
    while (!here.leaving_ && !here.connection_->over()) {
        const auto line = co_await here.connection_->read_line(line_bytes_max);
        if (!line) break;
        const std::size_t blank = std::min(line->find(' '), line->size());
        std::string rest = line->substr(std::min(blank + 1, line->size()));
        co_await here.handle(text::lowered(line->substr(0, blank)), std::move(rest));
    }
    here.connection_->end();
}

awaitable<void> SmtpSession::handle(std::string verb, std::string rest) {
    if (verb == "ehlo") {
        hello();
    } else if (verb == "noop") {
        say("250 2.0.0 OK");
    } else if (verb == "rset") {
        forget_mail();
        say("250 2.0.0 Resetting");
    } else if (verb == "quit") {
        say("221 2.0.0 Service closing transmission channel");
        leaving_ = true;
    } else if (verb == "starttls" && starts_tls_ && !encrypted_) {
        co_await start_tls();
    } else if (!encrypted_) {
        say("530 5.7.0 Must issue a STARTTLS command first");
    } else if (verb == "auth" && user_.empty()) {
        co_await authenticate(std::move(rest));
    } else if (user_.empty()) {
        say("530 5.7.57 Client not authenticated to send mail");
    } else if (verb == "mail") {
        begin_mail(rest);
    } else if (verb == "rcpt") {
        add_recipient(rest);
    } else if (verb == "bdat") {
        co_await take_chunk(rest);
    } else if (verb == "data") {
        co_await take_data();
    } else {
        say("500 5.3.3 Unrecognized command");
    }
}

void SmtpSession::hello() {
    forget_mail();
    say("250-sim.test Hello");
    say(fmt::format("250-SIZE {}", message_bytes_max));
    if (!encrypted_ && !world_.faults.looms(FaultKind::smtp_no_starttls, "")) say("250-STARTTLS");
    if (encrypted_) say("250-AUTH LOGIN XOAUTH2");
    for (const char* offered : {"DSN", "ENHANCEDSTATUSCODES", "8BITMIME"}) say(fmt::format("250-{}", offered));
    if (!world_.faults.looms(FaultKind::smtp_plain, "")) {
        for (const char* offered : {"PIPELINING", "CHUNKING"}) say(fmt::format("250-{}", offered));
    }
    say("250 SMTPUTF8");
}

awaitable<void> SmtpSession::start_tls() {
    say("220 2.0.0 SMTP server ready");
    const bool told = co_await connection_->sent();
    if (!told) co_return;
    encrypted_ = co_await connection_->handshake();
}

awaitable<void> SmtpSession::authenticate(std::string rest) {
    const auto words = text::split(rest, ' ');
    if (text::lowered(words[0]) != "xoauth2") {
        say("504 5.7.4 Unrecognized authentication type");
        co_return;
    }
    std::string answer = words.size() > 1 ? std::string(words[1]) : std::string();
    if (answer.empty()) {
        say("334 ");
        auto line = co_await connection_->read_line(line_bytes_max);
        if (!line) co_return;
        answer = std::move(*line);
    }
    const auto bytes = base64_decoded(answer);
    const auto given = bytes ? read_xoauth2(*bytes) : std::nullopt;
    const auto holder = given ? world_.tokens.holder_of(given->secret) : std::nullopt;
    const bool right = holder && (text::same(holder->user, given->user) || world_.may_open(holder->user, given->user));
    if (!right && !style_.challenge.empty()) {
        say(fmt::format("334 {}", base64_encoded(style_.challenge)));
        const auto empty = co_await connection_->read_line(line_bytes_max);
        if (!empty) co_return;
    }
    if (refused(FaultKind::smtp_auth, given ? given->user : std::string())) co_return;
    if (!right) {
        say("535 5.7.3 Authentication unsuccessful");
        co_return;
    }
    user_ = holder->user;
    login_ = text::lowered(given->user);
    world_.tokens.used(given->secret);
    ++world_.counters.smtp_logins;
    say("235 2.7.0 Authentication successful");
}

void SmtpSession::begin_mail(std::string_view rest) {
    if (has_sender_) return say("503 5.5.2 Sender already specified");
    const std::string sender = text::lowered(path_in(rest));
    if (refused(FaultKind::smtp_mail, sender)) return;
    if (!world_.may_open(user_, sender))
        return say("550 5.7.60 SMTP; Client does not have permissions to send as this sender");
    has_sender_ = true;
    mail_.sender = sender;
    mail_.login = login_;
    mail_.parameters = {behind_path(rest)};
    say("250 2.1.0 Sender OK");
}

void SmtpSession::add_recipient(std::string_view rest) {
    if (!has_sender_) return say("503 5.5.2 Need mail command");
    std::string recipient(path_in(rest));
    if (refused(FaultKind::smtp_rcpt, recipient)) return;
    mail_.recipients.push_back(std::move(recipient));
    mail_.parameters.push_back(behind_path(rest));
    say("250 2.1.5 Recipient OK");
}

awaitable<bool> SmtpSession::take_bytes(std::size_t bytes) {
    if (mail_.message.empty()) {
        const auto fault = world_.faults.strike(FaultKind::smtp_drop_in_body, mail_.sender);
        if (fault) drops_at_ = fault->value;
    }
    const bool drops = drops_at_ && mail_.message.size() + bytes >= *drops_at_;
    const auto wanted = drops ? *drops_at_ - mail_.message.size() : bytes;
    const auto piece = co_await connection_->read_bytes(wanted);
    if (drops) connection_->cut();
    if (drops || !piece) co_return false;
    mail_.message += *piece;
    co_return true;
}

/// RFC 3030: the bytes come whatever was refused before.
awaitable<void> SmtpSession::take_chunk(std::string_view rest) {
    const auto words = text::split(rest, ' ');
    const auto bytes = text::number<std::size_t>(words[0]);
    if (!bytes || *bytes > message_bytes_max) {
        say("501 5.5.4 Invalid arguments");
        leaving_ = true;
        co_return;
    }
    const bool going_on = co_await take_bytes(*bytes);
    if (!going_on) co_return;
    const bool last = words.size() > 1 && text::same(words[1], "LAST");
    if (mail_.recipients.empty()) {
        mail_.message.clear();
        say("503 5.5.2 Need rcpt command");
    } else if (last) {
        co_await conclude();
    } else {
        say(fmt::format("250 2.0.0 {} octets received", *bytes));
    }
}

awaitable<void> SmtpSession::take_data() {
    if (mail_.recipients.empty()) {
        say("503 5.5.2 Need rcpt command");
        co_return;
    }
    say("354 Start mail input; end with <CRLF>.<CRLF>");
    for (;;) {
        auto line = co_await connection_->read_line(line_bytes_max);
        if (!line) co_return;
        if (*line == ".") break;
        mail_.message += line->starts_with('.') ? line->substr(1) : *line;
        mail_.message += "\r\n";
    }
    co_await conclude();
}

awaitable<void> SmtpSession::conclude() {
    const std::string sender = mail_.sender;
    const auto strikes = [&](FaultKind kind) { return world_.faults.strike(kind, sender); };
    if (refused(FaultKind::smtp_body, sender)) {
        forget_mail();
        co_return;
    }
    if (strikes(FaultKind::smtp_drop)) {
        connection_->cut();
        co_return;
    }
    const std::size_t number = world_.take(std::move(mail_));
    forget_mail();
    if (const auto slow = strikes(FaultKind::smtp_slow)) {
        const std::chrono::milliseconds span(slow->value == 0 ? 1000 : slow->value);
        co_await connection_->pause(span);
    }
    const auto lost = strikes(FaultKind::smtp_lost_reply);
    if (lost && (lost->value == 0 || number % lost->value == 0)) {
        connection_->cut();
        co_return;
    }
    say(fmt::format("250 2.0.0 OK <{}@sim.test> [Hostname=sim.test] Queued mail for delivery", number));
}

void SmtpSession::forget_mail() {
    mail_ = {};
    has_sender_ = false;
    drops_at_.reset();
}

bool SmtpSession::refused(FaultKind kind, std::string_view whom) {
    const auto fault = world_.faults.strike(kind, whom);
    if (!fault) return false;
    const auto usual = std::find_if(usual_refusals.begin(), usual_refusals.end(),
                                    [kind](const Usual& one) { return one.kind == kind; });
    std::string words = fault->row.empty() ? std::string(usual->words) : fault->row;
    std::replace(words.begin(), words.end(), '_', ' ');
    const std::uint64_t code = fault->value == 0 ? usual->code : fault->value;
    say(fmt::format("{} {}", code, words));
    if (code == 421) leaving_ = true;
    return true;
}

void SmtpSession::say(std::string_view line) {
    connection_->send(line);
    connection_->send("\r\n");
}

}  // namespace sim

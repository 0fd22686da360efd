#include "tools/rohrpost-sim/imap_session.hpp"

#include <fmt/format.h>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"

namespace sim {

namespace {

constexpr std::size_t command_bytes_max = 64 * 1024;

}  // namespace

ImapSession::ImapSession(World& world, const Style& style, std::shared_ptr<Connection> connection)
    : world_(world), style_(style), connection_(std::move(connection)) {
    world_.enter(*this);
}

ImapSession::~ImapSession() {
    leave_folder();
    world_.leave(*this);
}

awaitable<void> ImapSession::serve(std::shared_ptr<ImapSession> self) {
    const bool safe = co_await self->connection_->handshake();
    if (!safe) co_return;
    const bool preauth = self->world_.faults.strike(FaultKind::preauth, "").has_value();
    self->say(fmt::format("* {} {}", preauth ? "PREAUTH" : "OK", self->style_.greeting));
    while (!self->connection_->over()) {
        const auto line = co_await self->read_whole_command();
        if (!line) break;
        auto command = read_command(*line);
        if (!command) {
            self->say("* BAD Command Error. 12");
            continue;
        }
        ++self->world_.counters.commands;
        if (self->world_.heard && !self->mailbox_.empty()) self->world_.heard->push_back(*line);
        co_await self->handle(std::move(*command));
    }
    self->connection_->alarm_at({}, {});
    self->connection_->end();
}

awaitable<std::optional<std::string>> ImapSession::read_whole_command() {
    std::string whole;
    for (;;) {
        const auto line = co_await connection_->read_line(command_bytes_max);
        if (!line) co_return std::nullopt;
        whole += *line;
        const auto literal = announced_literal(*line);
        if (!literal) co_return whole;
        if (whole.size() + literal->bytes > command_bytes_max) co_return std::nullopt;
        if (literal->waits) say("+ Ready for additional command text.");
        const auto bytes = co_await connection_->read_bytes(literal->bytes);
        if (!bytes) co_return std::nullopt;
        whole += "\r\n" + *bytes;
    }
}

awaitable<void> ImapSession::handle(Command command) {
    const std::string& verb = command.verb;
    if (verb == "CAPABILITY") {
        capability(command);
    } else if (verb == "NOOP") {
        tell_news();
        ok(command);
    } else if (verb == "ID") {
        say(fmt::format("* ID (\"name\" \"rohrpost-sim\" \"style\" \"{}\")", style_.name));
        ok(command);
    } else if (verb == "LOGOUT") {
        say("* BYE Microsoft Exchange Server IMAP4 server signing off.");
        ok(command);
        connection_->end();
    } else if (!mailbox_.empty()) {
        const bool misbehaved = co_await misbehave(command);
        if (!misbehaved) co_await handle_opened(std::move(command));
    } else if (verb == "AUTHENTICATE" && !command.words.empty()) {
        co_await authenticate(std::move(command));
    } else if (verb == "LOGIN" && command.words.size() == 2) {
        log_in(command, Credentials{command.words[0], command.words[1]}, false);
    } else {
        bad(command, "Command received in Invalid state.");
    }
}

awaitable<void> ImapSession::handle_opened(Command command) {
    const std::string& verb = command.verb;
    if (verb == "NAMESPACE") {
        say("* NAMESPACE ((\"\" \"/\")) NIL NIL");
        ok(command);
    } else if (verb == "LIST" && command.words.size() >= 2) {
        list(command);
    } else if (verb == "STATUS" && command.words.size() == 2) {
        status(command);
    } else if (verb == "CREATE" && command.words.size() == 1) {
        create(command);
    } else if ((verb == "SELECT" || verb == "EXAMINE") && !command.words.empty()) {
        open(command);
    } else if (folder_ == nullptr) {
        bad(command, "Command received in Invalid state.");
    } else if (verb == "CHECK") {
        tell_news();
        ok(command);
    } else if (verb == "CLOSE" || verb == "UNSELECT") {
        const bool expunging = verb == "CLOSE" && !read_only_;
        if (expunging) expunge(command);
        leave_folder();
        if (!expunging) ok(command);
    } else if (verb == "IDLE") {
        co_await idle(std::move(command));
    } else if ((verb == "UID FETCH" || verb == "FETCH") && command.words.size() == 2) {
        co_await fetch(std::move(command));
    } else if (verb == "UID SEARCH" || verb == "SEARCH") {
        search(command);
    } else if (verb == "UID STORE" && command.words.size() == 3) {
        store(command);
    } else if ((verb == "UID COPY" || verb == "UID MOVE") && command.words.size() == 2) {
        copy(command);
    } else if (verb == "EXPUNGE" || (verb == "UID EXPUNGE" && command.words.size() == 1)) {
        expunge(command);
    } else {
        bad(command);
    }
}

awaitable<bool> ImapSession::misbehave(const Command& command) {
    if (const auto throttled = world_.faults.strike(FaultKind::throttle, mailbox_)) {
        bad(command, fmt::format("Request is throttled. Suggested Backoff Time: {} milliseconds",
                                 throttled->value == 0 ? 10'000 : throttled->value));
        co_return true;
    }
    if (world_.faults.strike(FaultKind::not_connected, mailbox_)) {
        bad(command, "User is authenticated but not connected.");
        co_return true;
    }
    if (world_.faults.strike(FaultKind::bye, mailbox_)) {
        dismissed("Connection closed. 14");
        co_return true;
    }
    const auto stalled = world_.faults.strike(FaultKind::stall, mailbox_);
    if (!stalled) co_return false;
    const auto longest = std::chrono::milliseconds(std::chrono::hours(24));
    const auto span = stalled->value == 0 ? longest : std::chrono::milliseconds(stalled->value);
    co_await connection_->pause(span);
    co_return false;
}

awaitable<void> ImapSession::authenticate(Command command) {
    std::string answer = command.words.size() > 1 ? command.words[1] : "";
    if (answer.empty()) {
        say("+ ");
        auto line = co_await connection_->read_line(command_bytes_max);
        if (!line) co_return;
        answer = std::move(*line);
    }
    if (answer == "*") {
        bad(command, "AUTHENTICATE cancelled.");
        co_return;
    }
    const std::string mechanism = text::lowered(command.words[0]);
    const auto bytes = base64_decoded(answer);
    const bool known = mechanism == "xoauth2" || mechanism == "oauthbearer" || mechanism == "plain";
    if (!bytes || !known) {
        bad(command);
        co_return;
    }
    const bool with_token = mechanism != "plain";
    const auto given = mechanism == "xoauth2"       ? read_xoauth2(*bytes)
                       : mechanism == "oauthbearer" ? read_oauthbearer(*bytes)
                                                    : read_plain(*bytes);
    const bool good = given && with_token && world_.tokens.holder_of(given->secret).has_value();
    if (with_token && !good && !style_.challenge.empty()) {
        say(fmt::format("+ {}", base64_encoded(style_.challenge)));
        const auto empty = co_await connection_->read_line(command_bytes_max);
        if (!empty) co_return;
    }
    log_in(command, given, with_token);
}

void ImapSession::log_in(const Command& command, std::optional<Credentials> given, bool with_token) {
    std::optional<TokenBook::Holder> holder;
    if (given && with_token) holder = world_.tokens.holder_of(given->secret);
    if (given && !with_token && given->secret == world_.population().password)
        holder = TokenBook::Holder{given->user, Monotonic::max()};
    const bool right = holder && world_.may_open(holder->user, given->user) &&
                       !world_.faults.strike(FaultKind::refuse_login, given->user);
    if (!right) {
        ++world_.counters.logins_refused;
        no(command, style_.login_refused);
        return;
    }
    ++world_.counters.logins;
    if (with_token) world_.tokens.used(given->secret);
    user_ = holder->user;
    mailbox_ = text::lowered(given->user);
    if (holder->expires != Monotonic::max()) expire_at(holder->expires);
    ok(command);
}

void ImapSession::expire_at(Monotonic when) {
    connection_->alarm_at(when, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->dismissed(std::string(self->style_.token_expired));
    });
}

void ImapSession::told(const std::string& line) {
    if (idling_ && !world_.faults.looms(FaultKind::lying_idle, mailbox_)) {
        say(line);
        connection_->flush();
        return;
    }
    const bool newer = !news_.empty() && news_.back().ends_with(" EXISTS") && line.ends_with(" EXISTS");
    if (newer)
        news_.back() = line;
    else
        news_.push_back(line);
}

void ImapSession::dismissed(const std::string& words) {
    say(fmt::format("* BYE {}", words));
    leave_folder();
    connection_->end();
}

void ImapSession::tell_news() {
    for (const std::string& line : news_) say(line);
    news_.clear();
}

void ImapSession::say(std::string_view line) {
    connection_->send(line);
    connection_->send("\r\n");
}

void ImapSession::ok(const Command& command, std::string_view text) {
    if (text.empty())
        say(fmt::format("{} OK {} completed.", command.tag, command.verb));
    else
        say(fmt::format("{} OK {}", command.tag, text));
}

void ImapSession::no(const Command& command, std::string_view text) { say(fmt::format("{} NO {}", command.tag, text)); }

void ImapSession::bad(const Command& command, std::string_view text) {
    say(fmt::format("{} BAD {}", command.tag, text));
}

std::string ImapSession::capabilities() const {
    const std::string_view all = mailbox_.empty() ? style_.before_login : style_.after_login;
    std::string offered(all);
    if (world_.faults.looms(FaultKind::no_idle, mailbox_)) offered = without(offered, "IDLE");
    if (world_.faults.looms(FaultKind::no_move, mailbox_)) offered = without(offered, "MOVE");
    if (world_.faults.looms(FaultKind::no_uidplus, mailbox_)) offered = without(offered, "UIDPLUS");
    return offered;
}

void ImapSession::capability(const Command& command) {
    say("* CAPABILITY " + capabilities());
    ok(command);
}

}  // namespace sim

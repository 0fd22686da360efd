#include "tools/rohrpost-sim/pop3_session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"

namespace sim {

namespace {

constexpr std::size_t command_bytes_max = 16 * 1024;
constexpr std::size_t one_line_bytes_max = 255;  // of AUTH: Exchange ends the connection over a longer one

}  // namespace

Pop3Session::Pop3Session(World& world, const Style& style, std::shared_ptr<Connection> connection)
    : world_(world), style_(style), connection_(std::move(connection)) {
    world_.enter(*this);
}

Pop3Session::~Pop3Session() { world_.leave(*this); }

awaitable<void> Pop3Session::serve(std::shared_ptr<Pop3Session> self) {
    const bool safe = co_await self->connection_->handshake();
    if (!safe) co_return;
    self->say("+OK The pretend POP3 service is ready.");
    while (!self->connection_->over()) {
        auto line = co_await self->connection_->read_line(command_bytes_max);
        if (!line) break;
        ++self->world_.counters.commands;
        co_await self->handle(std::move(*line));
        const bool open = co_await self->connection_->room();
        if (!open) break;
    }
    self->connection_->alarm_at({}, {});
    self->connection_->end();
}

awaitable<void> Pop3Session::handle(std::string line) {
    auto words = text::split(line, ' ');
    std::string verb(words[0]);
    std::transform(verb.begin(), verb.end(), verb.begin(), text::upper);
    if (verb == "CAPA") {
        capabilities();
    } else if (verb == "QUIT") {
        quit();
    } else if (!mailbox_.empty()) {
        if (misbehave()) co_return;
        const auto stalled = world_.faults.strike(FaultKind::stall, mailbox_);
        if (stalled) {
            const auto longest = std::chrono::milliseconds(std::chrono::hours(24));
            const auto span = stalled->value == 0 ? longest : std::chrono::milliseconds(stalled->value);
            co_await connection_->pause(span);
        }
        const auto number = words.size() > 1 ? text::number<std::size_t>(words[1]) : std::nullopt;
        if (words.size() > 1 && !number) {
            no("Command is not valid: no number.");
            co_return;
        }
        handle_opened(verb, number);
    } else if (verb == "AUTH" && words.size() > 1) {
        if (style_.name == "exchange" && line.size() > one_line_bytes_max) {
            no("Protocol error. Connection is closed. 10");
            connection_->end();
            co_return;
        }
        auto mechanism = text::lowered(words[1]);
        std::string initial(words.size() > 2 ? words[2] : std::string_view());
        co_await authenticate(std::move(mechanism), std::move(initial));
    } else if (verb == "USER" && words.size() == 2) {
        named_ = words[1];
        say("+OK");
    } else if (verb == "PASS" && !named_.empty()) {
        log_in(Credentials{named_, line.substr(std::min(line.size(), verb.size() + 1))}, false);
    } else {
        no("Command is not valid in this state.");
    }
}

bool Pop3Session::misbehave() {
    if (const auto throttled = world_.faults.strike(FaultKind::throttle, mailbox_)) {
        no(fmt::format("Request is throttled. Suggested Backoff Time: {} milliseconds",
                       throttled->value == 0 ? 10'000 : throttled->value));
        return true;
    }
    if (world_.faults.strike(FaultKind::bye, mailbox_)) {
        dismissed("Connection closed. 14");
        return true;
    }
    return false;
}

void Pop3Session::handle_opened(const std::string& verb, std::optional<std::size_t> number) {
    if (verb == "STAT") {
        std::size_t bytes = 0, count = 0;
        for (const auto& each : listed_) {
            if (each.removed) continue;
            ++count;
            bytes += folder_->size_of(each.entry, world_.population().sizes);
        }
        say(fmt::format("+OK {} {}", count, bytes));
    } else if (verb == "LIST" || verb == "UIDL") {
        list(verb, number);
    } else if (verb == "NOOP") {
        say("+OK");
    } else if (verb == "RSET") {
        for (auto& each : listed_) each.removed = false;
        say("+OK");
    } else if (Listed* const listed = at(number); listed == nullptr) {
        no("The specified message is out of range.");
    } else if (verb == "RETR" || verb == "TOP") {
        retrieve(*listed, verb == "TOP");
    } else if (verb == "DELE") {
        listed->removed = true;
        say("+OK");
    } else {
        no("Command is not valid in this state.");
    }
}

void Pop3Session::capabilities() {
    say("+OK");
    for (const char* line : {"TOP", "UIDL", "SASL PLAIN XOAUTH2", "USER", "RESP-CODES"}) say(line);
    if (style_.name != "exchange") say("PIPELINING");
    say(".");
}

awaitable<void> Pop3Session::authenticate(std::string mechanism, std::string initial) {
    if (mechanism != "xoauth2" && mechanism != "plain") {
        no("Unrecognized authentication type.");
        co_return;
    }
    if (initial.empty()) {
        say("+ ");
        auto line = co_await connection_->read_line(command_bytes_max);
        if (!line) co_return;
        initial = std::move(*line);
    }
    const auto bytes = base64_decoded(initial);
    if (!bytes) {
        no("Command is not valid in this state.");
        co_return;
    }
    const bool with_token = mechanism == "xoauth2";
    const auto given = with_token ? read_xoauth2(*bytes) : read_plain(*bytes);
    const bool good = given && with_token && world_.tokens.holder_of(given->secret).has_value();
    if (with_token && !good && !style_.challenge.empty()) {
        say(fmt::format("+ {}", base64_encoded(style_.challenge)));
        const auto empty = co_await connection_->read_line(command_bytes_max);
        if (!empty) co_return;
    }
    log_in(given, with_token);
}

void Pop3Session::log_in(std::optional<Credentials> given, bool with_token) {
    std::optional<TokenBook::Holder> holder;
    if (given && with_token) holder = world_.tokens.holder_of(given->secret);
    if (given && !with_token && given->secret == world_.population().password)
        holder = TokenBook::Holder{given->user, Monotonic::max()};
    const bool right = holder && world_.may_open(holder->user, given->user) &&
                       !world_.faults.strike(FaultKind::refuse_login, given->user);
    Folder* const folder = right ? world_.folder(given->user, "INBOX") : nullptr;
    if (folder == nullptr) {
        ++world_.counters.logins_refused;
        no(style_.name == "exchange" ? "Authentication failure: unknown user name or bad password."
                                     : "[AUTH] Username and password not accepted.");
        return;
    }
    ++world_.counters.logins;
    if (with_token) world_.tokens.used(given->secret);
    user_ = holder->user;
    mailbox_ = text::lowered(given->user);
    folder_ = folder;
    for (const auto& entry : folder_->entries) {
        if (!entry.hidden) listed_.push_back({entry});
    }
    if (holder->expires != Monotonic::max()) {
        connection_->alarm_at(holder->expires, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->dismissed("Session expired, please login again.");
        });
    }
    say("+OK User successfully authenticated.");
}

void Pop3Session::list(const std::string& verb, std::optional<std::size_t> number) {
    const auto line_of = [&](std::size_t index) {
        const auto& entry = listed_[index].entry;
        if (verb == "UIDL") return fmt::format("{} {}", index + 1, uidl_of(entry));
        return fmt::format("{} {}", index + 1, folder_->size_of(entry, world_.population().sizes));
    };
    if (number) {
        const Listed* const one = at(number);
        if (one == nullptr) return no("The specified message is out of range.");
        return say("+OK " + line_of(*number - 1));
    }
    say("+OK");
    for (std::size_t index = 0; index < listed_.size(); ++index) {
        if (!listed_[index].removed) say(line_of(index));
    }
    say(".");
}

void Pop3Session::retrieve(const Listed& listed, bool head_alone) {
    const auto at = folder_->index_from(listed.entry.uid);
    const bool there = at < folder_->entries.size() && folder_->entries[at].uid == listed.entry.uid;
    if (!there) return no("The message has been deleted.");  // by somebody else: its bytes are not known any more
    std::string bytes = folder_->bytes_of(listed.entry, world_.population().sizes);
    if (head_alone) {
        const auto end = bytes.find("\r\n\r\n");
        if (end != std::string::npos) bytes.resize(end + 4);
    } else {
        ++world_.counters.bodies_fetched;
        world_.counters.body_bytes_fetched += bytes.size();
    }
    std::string stuffed = "+OK\r\n";
    stuffed.reserve(bytes.size() + 16);
    std::string_view left = bytes;
    while (!left.empty()) {
        if (left.starts_with('.')) stuffed += '.';
        const auto end = left.find("\r\n");
        const auto line = left.substr(0, end == std::string_view::npos ? end : end + 2);
        stuffed += line;
        left.remove_prefix(line.size());
    }
    if (!bytes.empty() && !bytes.ends_with("\r\n")) stuffed += "\r\n";
    stuffed += ".\r\n";
    connection_->send(stuffed);
}

void Pop3Session::quit() {
    for (const auto& each : listed_) {
        if (each.removed) folder_->remove(each.entry.uid);
    }
    say("+OK Microsoft Exchange Server POP3 server signing off.");
    connection_->end();
}

Pop3Session::Listed* Pop3Session::at(std::optional<std::size_t> number) {
    if (!number || *number == 0 || *number > listed_.size() || listed_[*number - 1].removed) return nullptr;
    return &listed_[*number - 1];
}

std::string Pop3Session::uidl_of(const Entry& entry) const {
    return fmt::format("{}.{}", folder_->uid_validity, entry.uid);
}

void Pop3Session::dismissed(const std::string& words) {
    no(words);
    connection_->end();
}

void Pop3Session::say(std::string_view line) {
    connection_->send(line);
    connection_->send("\r\n");
}

}  // namespace sim

#include "protocols/smtp/server.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/base64.hpp"
#include "protocols/base/ensure.hpp"

namespace smtp {
namespace {

/// What is passed over of a mail that is refused, before the session ends: so much more than it may have.
constexpr std::uint64_t passed_over_factor = 4;
constexpr std::size_t passed_over_line_bytes_max = 64 * 1024;

const Answer ok{250, "2.0.0 ok"};
const Answer needs_hello{503, "5.5.1 say EHLO first"};
const Answer needs_mail{503, "5.5.1 say MAIL first"};
const Answer needs_recipients{503, "5.5.1 say RCPT first; nobody was accepted"};
const Answer too_much{552, "5.3.4 the message is larger than allowed"};

}  // namespace

void ServerSession::greet(std::string& out) { out += reply_line({220, options_.name + " ESMTP"}); }

void ServerSession::say_goodbye(std::string_view why, std::string& out) { out += reply_line({421, std::string(why)}); }

void ServerSession::reply(const Answer& answer, std::string& out) {
    out += reply_line(answer);
    if (answer.code >= 400) refusals_.push_back(answer);
}

ServerSession::Wants ServerSession::say(const Answer& answer, std::string& out) {
    reply(answer, out);
    return Wants::bytes;
}

ServerSession::Wants ServerSession::end_with(const Answer& answer, std::string& out) {
    reply(answer, out);
    state_ = State::over;
    return Wants::end;
}

ServerSession::Wants ServerSession::bad(const Answer& answer, std::string& out) {
    if (++bad_commands_ > options_.bad_commands_max)
        return end_with({421, "4.7.0 too many commands that are none"}, out);
    return say(answer, out);
}

void ServerSession::reset() {
    in_mail_ = false;
    chunked_ = false;
    utf8_ = false;
    mail_ = {};
    std::string().swap(message_);
    inspection_ = {};
    message_bytes_ = 0;
    given_up_.reset();
    data_ = {};
}

ServerSession::Wants ServerSession::advance(std::string_view& input, std::string& out) {
    for (;;) {
        Wants wants = Wants::bytes;
        switch (state_) {
            case State::over:
                return Wants::end;
            case State::asked:
                return question_;
            case State::data:
                wants = read_data(input, out);
                break;
            case State::chunk:
                wants = read_chunk(input, out);
                break;
            case State::command:
            case State::login:
                wants = read_line(input, out);
                break;
        }
        if (wants != Wants::bytes) return wants;
        const bool chunk_is_here = state_ == State::chunk && chunk_left_ == 0;
        if (input.empty() && !chunk_is_here) return Wants::bytes;
    }
}

ServerSession::Wants ServerSession::read_line(std::string_view& input, std::string& out) {
    const bool is_login = state_ == State::login;
    const auto line = lines_.read(input, is_login ? options_.login_bytes_max + 2 : options_.command_bytes_max);
    if (!line) {
        if (lines_.passed_over_bytes() > passed_over_line_bytes_max)
            return end_with({421, "4.7.0 a line without end"}, out);
        return Wants::bytes;
    }
    if (line->fault == LineReader::Fault::bare_line_end)
        return end_with({500, "5.5.2 lines end with CRLF, and no line has a CR or LF in it"}, out);
    if (line->fault == LineReader::Fault::too_long) {
        state_ = State::command;
        return bad({500, "5.5.2 the line is too long"}, out);
    }
    if (is_login) return take_login(line->text, out);
    auto command = read_command(line->text);
    if (const auto* answer = std::get_if<Answer>(&command)) return bad(*answer, out);
    return take(std::get<ClientCommand>(std::move(command)), input, out);
}

ServerSession::Wants ServerSession::take(ClientCommand command, std::string_view rest, std::string& out) {
    if (++commands_without_mail_ > options_.commands_without_mail_max + options_.recipients_max &&
        !std::holds_alternative<Quit>(command))
        return end_with({421, "4.7.0 too many commands without a mail"}, out);
    if (auto* hello = std::get_if<Hello>(&command)) return on(*hello, out);
    if (auto* mail = std::get_if<MailFrom>(&command)) return on(std::move(*mail), out);
    if (auto* to = std::get_if<RcptTo>(&command)) return on(std::move(*to), out);
    if (auto* data = std::get_if<DataBegin>(&command)) return on(*data, out);
    if (auto* chunk = std::get_if<ChunkBegin>(&command)) return on(*chunk, out);
    if (auto* auth = std::get_if<Auth>(&command)) return on(std::move(*auth), out);
    if (std::holds_alternative<StartTls>(command)) return on_start_tls(rest, out);
    if (std::holds_alternative<Quit>(command)) {
        left_ = true;
        return end_with({221, "2.0.0 bye"}, out);
    }
    if (std::holds_alternative<Verify>(command))
        return say({252, "2.1.5 nobody is verified here; send the mail and see"}, out);
    if (std::holds_alternative<Help>(command))
        return say({214, "2.0.0 EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP AUTH STARTTLS QUIT"}, out);
    if (std::holds_alternative<ResetMail>(command)) reset();
    return say(ok, out);
}

ServerSession::Wants ServerSession::on(const Hello& hello, std::string& out) {
    reset();
    greeted_ = true;
    extended_ = hello.extended;
    client_name_ = hello.name;
    if (!hello.extended) return say({250, options_.name}, out);
    std::vector<std::string> lines{options_.name, "PIPELINING",
                                   "CHUNKING",    "8BITMIME",
                                   "SMTPUTF8",    "SIZE " + std::to_string(options_.message_bytes_max),
                                   "DSN",         "ENHANCEDSTATUSCODES"};
    if (options_.offers_tls && !encrypted_) lines.emplace_back("STARTTLS");
    if (encrypted_ || options_.takes_login_plain) lines.emplace_back("AUTH PLAIN LOGIN");
    for (const auto& line : lines) out += (&line == &lines.back() ? "250 " : "250-") + line + "\r\n";
    return Wants::bytes;
}

ServerSession::Wants ServerSession::on(MailFrom mail, std::string& out) {
    if (!greeted_) return say(needs_hello, out);
    if (in_mail_) return say({503, "5.5.1 one mail after the other: RSET, or finish this one"}, out);
    if (options_.needs_login && !logged_in_) {
        const bool can_log_in = encrypted_ || options_.takes_login_plain;
        return say(can_log_in ? Answer{530, "5.7.0 log in first (AUTH)"} : Answer{530, "5.7.0 say STARTTLS first"},
                   out);
    }
    if (mail.size_bytes && *mail.size_bytes > options_.message_bytes_max) return say(too_much, out);
    reset();
    utf8_ = mail.smtputf8;
    mail_.sender = std::move(mail.sender);
    mail_.body_kind = mail.body_kind;
    mail_.returned = mail.returned;
    mail_.id = std::move(mail.envelope_id);
    state_ = State::asked;
    question_ = Wants::sender;
    return question_;
}

ServerSession::Wants ServerSession::on(RcptTo to, std::string& out) {
    if (!in_mail_) return say(needs_mail, out);
    if (chunked_) return say({503, "5.5.1 the message has begun"}, out);
    if (to.recipient.address.needs_smtputf8() && !utf8_)
        return say({553, "5.6.7 an address beyond ASCII needs SMTPUTF8"}, out);
    if (mail_.recipients.size() >= options_.recipients_max)
        return say({452, "4.5.3 too many recipients; send another mail to the rest"}, out);
    mail_.recipients.push_back(std::move(to.recipient));
    return say({250, "2.1.5 ok"}, out);
}

ServerSession::Wants ServerSession::on(const DataBegin&, std::string& out) {
    if (!in_mail_) return say(needs_mail, out);
    if (chunked_) return say({503, "5.5.1 the message came with BDAT so far"}, out);
    if (mail_.recipients.empty()) return say(needs_recipients, out);
    state_ = State::data;
    return say({354, "end with CRLF.CRLF"}, out);
}

/// The bytes of a chunk that is refused come all the same. RFC 3030 §2.
ServerSession::Wants ServerSession::on(const ChunkBegin& chunk, std::string&) {
    chunk_left_ = chunk.bytes;
    chunk_is_last_ = chunk.last;
    chunk_refused_.reset();
    if (!in_mail_) {
        chunk_refused_ = needs_mail;
    } else if (mail_.recipients.empty()) {
        chunk_refused_ = needs_recipients;
    }
    if (!chunk_refused_) chunked_ = true;
    state_ = State::chunk;
    return Wants::bytes;
}

void ServerSession::keep(std::string_view bytes) {
    message_bytes_ += bytes.size();
    if (message_bytes_ > options_.message_bytes_max && !given_up_) give_up_message(too_much);
    if (given_up_) return;
    inspection_.take(bytes);
    message_ += bytes;
}

void ServerSession::give_up_message(Answer why) {
    given_up_ = std::move(why);
    std::string().swap(message_);
}

ServerSession::Wants ServerSession::read_data(std::string_view& input, std::string& out) {
    const auto before = message_.size();
    const auto read = data_.read(input, message_);
    // What was appended is looked at where it stands.
    const std::uint64_t came = message_.size() - before;
    message_bytes_ += came;
    inspection_.take(std::string_view(message_).substr(before));
    if (message_bytes_ > options_.message_bytes_max && !given_up_) give_up_message(too_much);
    if (given_up_) message_.clear();
    if (read == DataReader::Read::end) return message_ended(out);
    if (message_bytes_ > options_.message_bytes_max * passed_over_factor)
        return end_with({421, "4.3.4 the message is much larger than allowed"}, out);
    return Wants::bytes;
}

ServerSession::Wants ServerSession::read_chunk(std::string_view& input, std::string& out) {
    const auto bytes = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size())));
    chunk_left_ -= bytes.size();
    if (chunk_refused_) {
        message_bytes_ += bytes.size();
    } else {
        keep(bytes);
    }
    input.remove_prefix(bytes.size());
    if (message_bytes_ > options_.message_bytes_max * passed_over_factor)
        return end_with({421, "4.3.4 the message is much larger than allowed"}, out);
    if (chunk_left_ > 0) return Wants::bytes;
    state_ = State::command;
    if (chunk_refused_) return say(*chunk_refused_, out);
    if (chunk_is_last_) return message_ended(out);
    if (given_up_) {
        const Answer why = *given_up_;
        reset();
        return say(why, out);
    }
    --commands_without_mail_;
    return say(ok, out);
}

ServerSession::Wants ServerSession::message_ended(std::string& out) {
    state_ = State::command;
    if (!given_up_) {
        const auto facts = inspection_.facts();
        if (facts.bare_cr || facts.bare_lf)
            given_up_ = Answer{550, "5.6.11 the message has a CR or LF that is not part of a CRLF"};
    }
    if (given_up_) {
        const Answer why = *given_up_;
        reset();
        return say(why, out);
    }
    state_ = State::asked;
    question_ = Wants::mail;
    return question_;
}

std::string ServerSession::take_message() { return std::exchange(message_, {}); }

void ServerSession::answer(const Answer& answer, std::string& out) {
    ensure(state_ == State::asked, "what is answered was asked");
    state_ = State::command;
    reply(answer, out);
    if (question_ == Wants::sender) {
        in_mail_ = answer.accepts();
    } else if (question_ == Wants::mail) {
        reset();
        if (answer.accepts()) commands_without_mail_ = 0;
    } else {
        logged_in_ = answer.accepts();
        password_ = Secret();
        if (!logged_in_ && ++wrong_logins_ >= options_.wrong_logins_max && answer.code != 421) {
            say_goodbye("4.7.0 too many wrong logins", out);
            state_ = State::over;
        }
    }
    if (answer.code == 421) state_ = State::over;
}

ServerSession::Wants ServerSession::on_start_tls(std::string_view rest, std::string& out) {
    if (!options_.offers_tls) return say({502, "5.5.1 not offered here"}, out);
    if (encrypted_) return say({503, "5.5.1 TLS is in use"}, out);
    if (!rest.empty())
        return end_with({554, "5.5.1 commands came behind STARTTLS, before TLS: they are not from whoever began it"},
                        out);
    state_ = State::asked;
    question_ = Wants::tls;
    out += reply_line({220, "2.0.0 begin"});
    return question_;
}

/// Everything said before is forgotten. RFC 3207 §4.2.
void ServerSession::tls_started() {
    ensure(state_ == State::asked && question_ == Wants::tls, "TLS was asked for");
    reset();
    state_ = State::command;
    encrypted_ = true;
    greeted_ = false;
    extended_ = false;
    logged_in_ = false;
    client_name_.clear();
    lines_ = {};
}

ServerSession::Wants ServerSession::on(Auth auth, std::string& out) {
    if (!greeted_) return say(needs_hello, out);
    if (logged_in_ || in_mail_) return say({503, "5.5.1 a login comes once, and before MAIL"}, out);
    if (!encrypted_ && !options_.takes_login_plain)
        return say({538, "5.7.11 no login without TLS: say STARTTLS first"}, out);
    if (auth.mechanism != "PLAIN" && auth.mechanism != "LOGIN")
        return say({504, "5.5.4 the mechanisms are PLAIN and LOGIN"}, out);
    login_step_ = auth.mechanism == "PLAIN" ? LoginStep::plain : LoginStep::user;
    user_.clear();
    if (auth.initial) return take_login(auth.initial->reveal(), out);
    state_ = State::login;
    out += login_step_ == LoginStep::plain ? "334 \r\n" : "334 VXNlcm5hbWU6\r\n";
    return Wants::bytes;
}

/// A client's response, in base 64. RFC 4616; LOGIN is draft-murchison-sasl-login.
ServerSession::Wants ServerSession::take_login(std::string_view line, std::string& out) {
    state_ = State::command;
    if (line == "*") return bad({501, "5.7.0 given up"}, out);
    auto decoded = base64_decoded(line);
    if (!decoded) return bad({501, "5.5.2 the response is not base 64"}, out);
    Secret response(std::move(*decoded));
    const std::string_view said = response.reveal();
    switch (login_step_) {
        case LoginStep::user:
            user_ = said;
            login_step_ = LoginStep::password;
            state_ = State::login;
            out += "334 UGFzc3dvcmQ6\r\n";
            return Wants::bytes;
        case LoginStep::password:
            password_ = std::move(response);
            return ask_for_login();
        case LoginStep::plain:
            break;
    }
    const auto first = said.find('\0');
    const auto second = first == std::string_view::npos ? first : said.find('\0', first + 1);
    if (second == std::string_view::npos) return bad({501, "5.5.2 the response is not that of PLAIN"}, out);
    user_ = said.substr(first + 1, second - first - 1);
    password_ = Secret(std::string(said.substr(second + 1)));
    return ask_for_login();
}

ServerSession::Wants ServerSession::ask_for_login() {
    state_ = State::asked;
    question_ = Wants::login;
    return question_;
}

std::string ServerSession::protocol() const {
    if (!extended_) return "SMTP";
    return std::string(utf8_ ? "UTF8SMTP" : "ESMTP") + (encrypted_ ? "S" : "") + (logged_in_ ? "A" : "");
}

}  // namespace smtp

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/smtp/command_reader.hpp"
#include "protocols/smtp/data.hpp"
#include "protocols/smtp/data_reader.hpp"
#include "protocols/smtp/server_command.hpp"

namespace smtp {

/// The server's side of one session, without I/O: bytes in, replies out, and now and then a question to whoever drives
/// it. Commands come one by one or in flights (PIPELINING), mails through DATA or BDAT. RFC 5321 §4.1.4, 3207, 4954.
class ServerSession {
public:
    struct Options {
        std::string name;  // that it greets with
        std::uint64_t message_bytes_max = 50ULL << 20U;
        std::size_t recipients_max = 1000;
        std::size_t command_bytes_max = 2048;         // of a line with its CRLF; RFC 5321 §4.5.3.1.4 and RFC 3461 §5
        std::size_t login_bytes_max = 12'288;         // of an answer to 334, RFC 4954 §4
        std::size_t bad_commands_max = 20;            // that are none
        std::size_t commands_without_mail_max = 100;  // beyond recipients_max
        std::size_t wrong_logins_max = 3;
        bool offers_tls = false;
        bool needs_login = false;       // before MAIL
        bool takes_login_plain = true;  // also without TLS
    };
    explicit ServerSession(Options options) : options_(std::move(options)) {}

    /// What has to happen before it goes on.
    enum class Wants {
        bytes,   // send what is in `out`, read more
        sender,  // may mail come from mail().sender? answer()
        login,   // is this user().password() right? answer(): 235, or a refusal
        tls,     // send what is in `out`, shake hands, tls_started()
        mail,    // mail() and take_message() are complete: answer()
        end,     // send what is in `out`, close
    };
    void greet(std::string& out);
    /// Takes bytes off the front of `input`, appends replies to `out`.
    Wants advance(std::string_view& input, std::string& out);
    /// To sender, login and mail. Ends the session when it is a 421.
    void answer(const Answer& answer, std::string& out);
    void tls_started();
    /// 421: said by whoever drives it, in between commands.
    static void say_goodbye(std::string_view why, std::string& out);

    [[nodiscard]] const Envelope& mail() const noexcept { return mail_; }
    /// As it came, without its dots; every line end is CRLF.
    [[nodiscard]] std::string take_message();
    [[nodiscard]] const std::string& user() const noexcept { return user_; }
    [[nodiscard]] const Secret& password() const noexcept { return password_; }
    [[nodiscard]] const std::string& client_name() const noexcept { return client_name_; }
    /// RFC 3848 and 6531: "ESMTPSA" and its relatives.
    [[nodiscard]] std::string protocol() const;

    /// Memory that the message of a mail holds.
    [[nodiscard]] std::size_t held_bytes() const noexcept { return message_.capacity(); }
    /// The message that is coming in is not kept; `why` is said at its end.
    void give_up_message(Answer why);
    /// Bytes of a message come next.
    [[nodiscard]] bool in_message() const noexcept { return state_ == State::data || state_ == State::chunk; }
    /// Replies that said no since this was last asked.
    [[nodiscard]] std::vector<Answer> take_refusals() { return std::exchange(refusals_, {}); }
    /// QUIT was said: nothing more comes from there.
    [[nodiscard]] bool left() const noexcept { return left_; }
    /// Between MAIL and the reply to its message.
    [[nodiscard]] bool in_mail() const noexcept { return in_mail_ || state_ != State::command; }

private:
    enum class State { command, login, asked, data, chunk, over };

    Wants take(ClientCommand command, std::string_view rest, std::string& out);
    Wants on(const Hello& hello, std::string& out);
    Wants on(MailFrom mail, std::string& out);
    Wants on(RcptTo to, std::string& out);
    Wants on(const DataBegin&, std::string& out);
    Wants on(const ChunkBegin& chunk, std::string& out);
    Wants on(Auth auth, std::string& out);
    Wants on_start_tls(std::string_view rest, std::string& out);
    Wants read_line(std::string_view& input, std::string& out);
    Wants read_data(std::string_view& input, std::string& out);
    Wants read_chunk(std::string_view& input, std::string& out);
    void keep(std::string_view bytes);
    Wants message_ended(std::string& out);
    Wants take_login(std::string_view line, std::string& out);
    Wants ask_for_login();
    void reply(const Answer& answer, std::string& out);
    Wants say(const Answer& answer, std::string& out);
    Wants bad(const Answer& answer, std::string& out);
    Wants end_with(const Answer& answer, std::string& out);
    void reset();

    Options options_;
    State state_ = State::command;
    Wants question_ = Wants::bytes;  // asked
    LineReader lines_;
    std::string client_name_;
    bool greeted_ = false;
    bool extended_ = false;
    bool encrypted_ = false;
    bool logged_in_ = false;
    bool left_ = false;

    bool in_mail_ = false;  // MAIL was accepted
    bool chunked_ = false;  // BDAT has begun
    bool utf8_ = false;
    Envelope mail_;
    std::string message_;
    BodyInspection inspection_;
    std::uint64_t message_bytes_ = 0;  // that came, kept or not
    std::optional<Answer> given_up_;
    DataReader data_;
    std::uint64_t chunk_left_ = 0;
    bool chunk_is_last_ = false;
    std::optional<Answer> chunk_refused_;  // its bytes are passed over

    enum class LoginStep { plain, user, password } login_step_ = LoginStep::plain;
    std::string user_;
    Secret password_;
    std::size_t bad_commands_ = 0;
    std::size_t commands_without_mail_ = 0;
    std::size_t wrong_logins_ = 0;
    std::vector<Answer> refusals_;
};

}  // namespace smtp

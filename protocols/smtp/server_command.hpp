#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocols/base/secret.hpp"
#include "protocols/smtp/envelope.hpp"

/// What clients say to a server, one line each. RFC 5321 §4.1.1.
namespace smtp {

/// A reply in the making: "250", "2.1.0 ok". One line of printable text; see reply_line().
struct Answer {
    std::uint16_t code = 0;
    std::string text{};  // with its enhanced code
    [[nodiscard]] bool accepts() const noexcept { return code / 100 == 2; }
};

struct Hello {
    bool extended = false;  // EHLO
    std::string name{};     // a domain or an address literal, or empty: something else was said
};
struct MailFrom {
    std::optional<Address> sender{};  // none: the null sender
    std::optional<std::uint64_t> size_bytes{};
    BodyKind body_kind = BodyKind::seven_bit;
    bool smtputf8 = false;
    Returned returned = Returned::unsaid;
    std::string envelope_id{};
};
struct RcptTo {
    Recipient recipient;
};
struct DataBegin {};
struct ChunkBegin {
    std::uint64_t bytes = 0;
    bool last = false;
};
struct ResetMail {};
struct Noop {};
struct Quit {};
struct Verify {};
struct Help {};
struct StartTls {};
struct Auth {
    std::string mechanism{};          // upper case
    std::optional<Secret> initial{};  // still in base 64; empty ("="): an empty response
};
using ClientCommand =
    std::variant<Hello, MailFrom, RcptTo, DataBegin, ChunkBegin, ResetMail, Noop, Quit, Verify, Help, StartTls, Auth>;

/// `line` without its CRLF. An Answer: it is no command, and this is what to say.
std::variant<ClientCommand, Answer> read_command(std::string_view line);

/// "250 2.1.0 ok\r\n". What is not printable is not in it.
std::string reply_line(const Answer& answer);

}  // namespace smtp

#include "protocols/smtp/server_command.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"
#include "protocols/smtp/reply.hpp"
#include "protocols/smtp/xtext.hpp"

namespace smtp {
namespace {

constexpr std::size_t envelope_id_bytes_max = 100;         // RFC 3461 §4.4, in xtext
constexpr std::size_t original_recipient_bytes_max = 500;  // RFC 3461 §4.2, in xtext

Answer syntax(std::string text) { return {501, "5.5.4 " + std::move(text)}; }

bool is_printable(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

struct Parameter {
    std::string_view name;
    std::optional<std::string_view> value;
};

/// "NAME=VALUE NAME …"; nullopt: something else.
std::optional<std::vector<Parameter>> parameters_in(std::string_view text) {
    std::vector<Parameter> all;
    for (const std::string_view word : text::split(text, ' ')) {
        if (word.empty()) continue;
        const auto equals = word.find('=');
        if (equals == 0 || !is_printable(word)) return std::nullopt;
        Parameter one{word.substr(0, equals), std::nullopt};
        if (equals != std::string_view::npos) one.value = word.substr(equals + 1);
        const bool twice = std::any_of(all.begin(), all.end(),
                                       [&](const Parameter& known) { return text::same(known.name, one.name); });
        if (twice) return std::nullopt;
        all.push_back(one);
    }
    return all;
}

struct Path {
    std::string_view address;  // without brackets and route
    std::string_view rest;     // behind the closing bracket
};

/// "<a@b> …" with blanks before it; a ">" in a quoted local part does not close it. RFC 5321 §4.1.2.
std::optional<Path> path_in(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (!text.starts_with('<')) return std::nullopt;
    bool quoted = false;
    for (std::size_t at = 1; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted && c == '\\') {
            ++at;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == '>' && !quoted) {
            Path path{text.substr(1, at - 1), text.substr(at + 1)};
            if (!path.rest.empty() && path.rest.front() != ' ') return std::nullopt;
            const auto colon = path.address.find(':');  // a source route is ignored: RFC 5321 appendix F.2
            if (path.address.starts_with('@') && colon != std::string_view::npos) path.address.remove_prefix(colon + 1);
            return path;
        }
    }
    return std::nullopt;
}

std::optional<Notify> notify_in(std::string_view value) {
    Notify notify;
    if (text::same(value, "NEVER")) {
        notify.never = true;
        return notify;
    }
    for (const std::string_view word : text::split(value, ',')) {
        bool* told = text::same(word, "SUCCESS")   ? &notify.success
                     : text::same(word, "FAILURE") ? &notify.failure
                     : text::same(word, "DELAY")   ? &notify.delay
                                                   : nullptr;
        if (told == nullptr || *told) return std::nullopt;
        *told = true;
    }
    return notify;
}

/// "rfc822;xtext" as Recipient::original has it.
std::optional<std::string> original_in(std::string_view value) {
    const auto semicolon = value.find(';');
    if (value.size() > original_recipient_bytes_max || semicolon == 0 || semicolon == std::string_view::npos)
        return std::nullopt;
    const auto type = value.substr(0, semicolon);
    const bool is_atom = std::all_of(type.begin(), type.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    const auto address = xtext_decoded(value.substr(semicolon + 1));
    if (!is_atom || !address || address->empty() || !is_printable(*address)) return std::nullopt;
    return std::string(type) + ';' + *address;
}

using Parsed = std::variant<ClientCommand, Answer>;

Answer bad_path(std::string_view verb) {
    return {501, std::string(verb == "MAIL" ? "5.1.7" : "5.1.3") + " expected " +
                     (verb == "MAIL" ? "MAIL FROM:<address>" : "RCPT TO:<address>")};
}

/// An answer: the parameter is unknown, or its value is not one.
std::optional<Answer> take_mail_parameter(const Parameter& parameter, MailFrom& mail) {
    const auto is = [&](std::string_view name) { return text::same(parameter.name, name); };
    const auto value = parameter.value.value_or(std::string_view());
    if (is("SIZE")) {
        mail.size_bytes = text::number<std::uint64_t>(value);
        if (!mail.size_bytes || value.size() > 20) return syntax("SIZE is not a number");
    } else if (is("BODY")) {
        if (text::same(value, "8BITMIME")) {
            mail.body_kind = BodyKind::eight_bit;
        } else if (!text::same(value, "7BIT")) {
            return syntax("BODY is 7BIT or 8BITMIME");
        }
    } else if (is("SMTPUTF8")) {
        if (parameter.value) return syntax("SMTPUTF8 has no value");
        mail.smtputf8 = true;
    } else if (is("RET")) {
        if (!text::same(value, "FULL") && !text::same(value, "HDRS")) return syntax("RET is FULL or HDRS");
        mail.returned = text::same(value, "FULL") ? Returned::full : Returned::headers;
    } else if (is("ENVID")) {
        const auto id = value.size() > envelope_id_bytes_max ? std::nullopt : xtext_decoded(value);
        if (!id || id->empty() || !is_printable(*id)) return syntax("ENVID is not the xtext of printable ASCII");
        mail.envelope_id = *id;
    } else if (is("AUTH")) {  // RFC 4954 §5: who sent it elsewhere; nobody here relies on it
        if (!xtext_decoded(value)) return syntax("AUTH is not xtext");
    } else {
        return Answer{555, "5.5.4 unknown parameter of MAIL"};
    }
    return std::nullopt;
}

Parsed mail_of(std::string_view arguments) {
    if (!text::starts_with_same(arguments, "FROM:")) return bad_path("MAIL");
    const auto path = path_in(arguments.substr(5));
    if (!path) return bad_path("MAIL");
    MailFrom mail;
    if (!path->address.empty()) {
        const auto sender = Address::of(path->address);
        if (!sender) return Answer{501, "5.1.7 " + sender.error().message()};
        mail.sender = *sender;
    }
    const auto parameters = parameters_in(path->rest);
    if (!parameters) return syntax("the parameters of MAIL cannot be read");
    for (const auto& parameter : *parameters)
        if (auto wrong = take_mail_parameter(parameter, mail)) return *wrong;
    if (mail.sender && mail.sender->needs_smtputf8() && !mail.smtputf8)
        return Answer{553, "5.6.7 an address beyond ASCII needs SMTPUTF8"};
    return ClientCommand(std::move(mail));
}

Parsed recipient_of(std::string_view arguments) {
    if (!text::starts_with_same(arguments, "TO:")) return bad_path("RCPT");
    const auto path = path_in(arguments.substr(3));
    if (!path) return bad_path("RCPT");
    const auto address = Address::of(path->address);
    if (!address) return Answer{501, "5.1.3 " + address.error().message()};
    RcptTo to{{.address = *address}};
    const auto parameters = parameters_in(path->rest);
    if (!parameters) return syntax("the parameters of RCPT cannot be read");
    for (const auto& parameter : *parameters) {
        const auto value = parameter.value.value_or(std::string_view());
        if (text::same(parameter.name, "NOTIFY")) {
            const auto notify = notify_in(value);
            if (!notify) return syntax("NOTIFY is NEVER, or some of SUCCESS, FAILURE, DELAY with commas between");
            to.recipient.notify = *notify;
        } else if (text::same(parameter.name, "ORCPT")) {
            auto original = original_in(value);
            if (!original) return syntax("ORCPT is not of the form rfc822;address");
            to.recipient.original = std::move(*original);
        } else {
            return Answer{555, "5.5.4 unknown parameter of RCPT"};
        }
    }
    return ClientCommand(std::move(to));
}

Parsed chunk_of(std::string_view arguments) {
    const auto words = text::split(arguments, ' ');
    const auto bytes = text::number<std::uint64_t>(words.front());
    const bool last = words.size() == 2 && text::same(words[1], "LAST");
    if (!bytes || *bytes > std::uint64_t{1} << 62U || (words.size() > 1 && !last))
        return syntax("expected BDAT BYTES [LAST]");
    return ClientCommand(ChunkBegin{*bytes, last});
}

Parsed auth_of(std::string_view arguments) {
    const auto blank = arguments.find(' ');
    Auth auth;
    for (const char c : arguments.substr(0, blank)) auth.mechanism += text::upper(c);
    if (blank != std::string_view::npos) {
        const auto initial = arguments.substr(blank + 1);
        if (initial.empty() || initial.find(' ') != std::string_view::npos)
            return syntax("expected AUTH MECHANISM [RESPONSE]");
        auth.initial = Secret(initial == "=" ? std::string() : std::string(initial));
    }
    if (auth.mechanism.empty()) return syntax("expected AUTH MECHANISM [RESPONSE]");
    return ClientCommand(std::move(auth));
}

/// Of a command that has no arguments.
Parsed bare(std::string_view arguments, ClientCommand command) {
    if (!arguments.empty()) return syntax("this command has no arguments");
    return command;
}

}  // namespace

std::variant<ClientCommand, Answer> read_command(std::string_view line) {
    while (line.ends_with(' ')) line.remove_suffix(1);
    const auto blank = line.find(' ');
    const std::string_view verb = line.substr(0, blank);
    std::string_view arguments = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
    while (arguments.starts_with(' ')) arguments.remove_prefix(1);
    const auto is = [verb](std::string_view name) { return text::same(verb, name); };
    const bool has_control =
        std::any_of(line.begin(), line.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
    if (has_control) return Answer{500, "5.5.2 a command has no control characters"};

    if (is("EHLO") || is("HELO")) {
        if (arguments.empty()) return syntax("expected EHLO NAME");
        // Clients say the strangest names; only one that can be believed is repeated anywhere.
        const bool sound = is_printable(arguments) && (is_domain(arguments) || is_address_literal(arguments));
        return ClientCommand(Hello{is("EHLO"), sound ? std::string(arguments) : std::string()});
    }
    if (is("MAIL")) return mail_of(arguments);
    if (is("RCPT")) return recipient_of(arguments);
    if (is("DATA")) return bare(arguments, DataBegin{});
    if (is("BDAT")) return chunk_of(arguments);
    if (is("RSET")) return bare(arguments, ResetMail{});
    if (is("NOOP")) return ClientCommand(Noop{});
    if (is("QUIT")) return bare(arguments, Quit{});
    if (is("VRFY")) return ClientCommand(Verify{});
    if (is("HELP")) return ClientCommand(Help{});
    if (is("STARTTLS")) return bare(arguments, StartTls{});
    if (is("AUTH")) return auth_of(arguments);
    if (is("EXPN") || is("TURN") || is("ETRN")) return Answer{502, "5.5.1 not offered here"};
    return Answer{500, "5.5.2 unknown command"};
}

std::string reply_line(const Answer& answer) {
    return std::to_string(answer.code) + ' ' + sanitised(answer.text) + "\r\n";
}

}  // namespace smtp

#include "protocols/imap/session.hpp"

#include <algorithm>

#include "protocols/base/text.hpp"
#include "protocols/imap/mailbox_name.hpp"

namespace imap {
namespace {

constexpr std::size_t capabilities_max = 512;
constexpr std::string_view capability_word = "CAPABILITY ";

std::string in_one_piece(const std::vector<std::string>& words) {
    std::size_t bytes = 0;
    for (const auto& word : words) bytes += word.size() + 1;
    std::string text;
    text.reserve(bytes);
    for (const auto& word : words) {
        if (!text.empty()) text += ' ';
        text += word;
    }
    return text;
}

}  // namespace

std::string Session::next_tag() { return 'R' + std::to_string(++tags_); }

void Session::take_in(const Response& response) {
    if (response.number) {
        if (response.is("EXISTS")) {
            arrivals_ += *response.number > selected_.exists ? 1 : 0;
            selected_.exists = *response.number;
        }
        if (response.is("EXPUNGE") && selected_.exists > 0) --selected_.exists;
        return;
    }
    if (response.is("CAPABILITY")) capabilities_ = in_one_piece(read_capabilities(response.rest, capabilities_max));
    if (response.is("BYE")) {
        const StatusText words = read_status_text(response.rest);
        bye_ = words.code.empty() ? words.text : '[' + words.code + "] " + words.text;
        said_bye_ = true;
    }
    const auto status = status_of(response.name);
    if (!status) return;
    const std::string_view code = code_in(response.rest);
    if (text::starts_with_same(code, capability_word))
        capabilities_ = in_one_piece(read_capabilities(code.substr(capability_word.size()), capabilities_max));
    if (*status != Status::ok) return;
    if (const auto number = number_in(code, "UIDVALIDITY")) selected_.uid_validity = *number;
    if (const auto number = number_in(code, "UIDNEXT")) selected_.uid_next = *number;
    if (text::same(code, "READ-ONLY")) selected_.read_only = true;
    if (text::same(code, "READ-WRITE")) selected_.read_only = false;
}

bool Session::can(std::string_view capability) const noexcept {
    std::string_view rest = capabilities_;
    while (!rest.empty()) {
        const auto end = std::min(rest.find(' '), rest.size());
        if (text::same(rest.substr(0, end), capability)) return true;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

std::vector<std::string> Session::capabilities() const {
    std::vector<std::string> words;
    for (const std::string_view word : text::split(capabilities_, ' ')) {
        if (!word.empty()) words.emplace_back(word);
    }
    return words;
}

Syntax Session::syntax() const noexcept {
    Syntax syntax;
    if (can("LITERAL+"))
        syntax.literals = Syntax::Literals::all_without_waiting;
    else if (can("LITERAL-") || can("IMAP4REV2"))
        syntax.literals = Syntax::Literals::small_without_waiting;
    if (coding_ == NameCoding::utf8) syntax.quoted = Syntax::Quoted::utf8;
    return syntax;
}

std::string Session::wire_name(std::string_view name) const {
    return coding_ == NameCoding::utf8 ? std::string(name) : mailbox_name_to_utf7(name);
}

}  // namespace imap

#include "protocols/mime/bounce_dialects.hpp"

#include <algorithm>
#include <array>

#include "protocols/base/text.hpp"
#include "protocols/mime/headers.hpp"
#include "protocols/mime/parties.hpp"

namespace mime {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::size_t diagnostic_bytes_max = 1000;

struct Dialect {
    std::string_view name;
    std::string_view sentence;  // blanks and line ends within are one blank
    bool delayed = false;
};
/// In this order: the first whose sentence is there. What a server says of delays stands before what it says of
/// failures, where both begin alike.
constexpr std::array dialects{
    Dialect{"qmail", "This is the qmail-send program"},
    Dialect{"qmail", "I wasn't able to deliver your message to the following addresses"},
    Dialect{"postfix", "THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE", true},
    Dialect{"postfix", "This is the mail system at host"},
    Dialect{"postfix", "This is the Postfix program at host"},
    Dialect{"gmx",
            "could not be delivered to one or more of its recipients. This is a permanent error. The following "
            "address failed:"},
    Dialect{"gmx", "could not be delivered to one or more of its recipients. The following addresses failed:"},
    Dialect{"exim", "has not yet been delivered to one or more of its recipients", true},
    Dialect{"exim", "could not be delivered to one or more of its recipients. This is a permanent error."},
    Dialect{"exim", "could not be delivered to all of its recipients. The following address(es) failed:"},
    Dialect{"gmail", "Delivery to the following recipient has been delayed", true},
    Dialect{"gmail", "Delivery to the following recipient failed permanently"},
    Dialect{"gmail", "Delivery to the following recipients failed permanently"},
    Dialect{"gmail", "Your message wasn't delivered to"},
    Dialect{"mailenable", "MailEnable: Message Delivery Failure"},
    Dialect{"mailenable", "Message could not be delivered to some recipients"},
    Dialect{"office365", "Delivery has failed to these recipients or groups"},
    Dialect{"office365", "couldn't be delivered."},
    Dialect{"exchange", "did not reach some or all of the intended recipients"},
    Dialect{"exchange", "The following recipient(s) could not be reached"},
    Dialect{"exchange", "The following recipient(s) cannot be reached"},
    Dialect{"exchange", "Die folgenden Empfänger konnten nicht erreicht werden"},
    Dialect{"sendmail", "THIS IS A WARNING MESSAGE ONLY", true},
    Dialect{"sendmail", "----- The following addresses had permanent fatal errors -----"},
    Dialect{"sendmail", "----- The following addresses had delivery problems -----"},
    Dialect{"yahoo", "Unable to deliver message to the following address(es)"},
    Dialect{"yahoo", "we were unable to deliver your message to the following address"},
    Dialect{"domino", "was not delivered to:"},
    Dialect{"courier", "Your message to the following recipients cannot be delivered"},
    Dialect{"courier", "running the Courier mail server"},
    Dialect{"ses", "An error occurred while trying to deliver the mail to the following recipients"},
    Dialect{"groupwise", "The message that you sent was undeliverable to the following"},
    Dialect{"mdaemon", "The following addresses did not receive the message"},
    Dialect{"kerio", "could not be delivered to the following recipients"},
};

/// Where the mail that is returned begins, or what is for others to read.
constexpr std::array<std::string_view, 14> ends{
    "--- Below this line is a copy of the message",
    "------ This is a copy of the message",
    "------ This is a copy of your message",
    "--- The header of the original message",
    "--- Der Header der urspr",
    "----- Original message -----",
    "----- Message header follows -----",
    "----- Transcript of session follows -----",
    "Original message headers:",
    "Original message follows",
    "Message headers follow:",
    "--- Original message follows",
    "Final-Recipient:",
    "Return-Path:",
};

/// Words of a text and where they stand; blanks of any length are one.
struct Flat {
    std::string text;
    std::vector<std::size_t> places;  // in the original, of each byte
};
Flat flat(std::string_view text) {
    Flat out;
    out.text.reserve(text.size());
    out.places.reserve(text.size());
    bool gap = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            gap = !out.text.empty();
            continue;
        }
        if (gap) {
            out.text += ' ';
            out.places.push_back(at);
        }
        gap = false;
        // What typesetters make of it.
        const bool apostrophe = text.substr(at, 3) == "\xe2\x80\x99";
        out.text += apostrophe ? '\'' : c;
        out.places.push_back(at);
        if (apostrophe) at += 2;
    }
    return out;
}

bool is_address(std::string_view word) {
    const auto at = word.find('@');
    return at != npos && at > 0 && word.size() <= 320 && word.find('@', at + 1) == npos &&
           word.substr(at).find('.') != npos && !word.ends_with('.') && word.find_first_of(" \t<>()[],;:\"") == npos;
}

std::string_view without(std::string_view text, std::string_view prefix) {
    if (text::starts_with_same(text, prefix)) text.remove_prefix(prefix.size());
    return text;
}

struct Named {
    std::string_view address;
    std::string_view rest;  // of its line
};

/// The recipient that a line is about: "<a@b>:", "a@b", "a@b on 1/2/2003 10:00", "Ann (a@b)", "[SMTP:a@b]", ….
/// nullopt: the line is something else, though an address may be in it.
std::optional<Named> recipient_of(std::string_view line) {
    line = text::trimmed(line);
    line = text::trimmed(without(line, "Recipient:"));
    line = without(line, "[SMTP:");
    line = without(line, "* ");
    line = without(line, "mailto:");
    if (line.empty()) return std::nullopt;
    std::string_view word = line.substr(0, line.find_first_of(" \t"));
    std::string_view rest = line.substr(word.size());
    if (word.starts_with('<')) {
        const auto end = word.find('>');
        if (end == npos || !is_address(word.substr(1, end - 1))) return std::nullopt;
        rest = line.substr(end + 1);
        return Named{word.substr(1, end - 1), text::trimmed(without(rest, ":"))};
    }
    while (!word.empty() && std::string_view("'\"").find(word.front()) != npos) word.remove_prefix(1);
    const auto angle = word.find('<');  // a@b<mailto:a@b>
    if (angle != npos && angle > 0) word = word.substr(0, angle);
    while (!word.empty() && std::string_view(":;,]'\"").find(word.back()) != npos) word.remove_suffix(1);
    if (is_address(word)) {
        const bool alone = text::trimmed(rest).empty();
        const bool dated = text::starts_with_same(text::trimmed(rest), "on ") || text::trimmed(rest).starts_with("am ");
        const bool noted = text::trimmed(rest).starts_with('(') || text::trimmed(rest).starts_with('<');
        const bool colon = line.substr(0, line.find_first_of(" \t")).ends_with(':');
        if (!alone && !dated && !noted && !colon) return std::nullopt;
        return Named{word, dated || alone ? std::string_view() : text::trimmed(rest)};
    }
    // "Ann Example (a@b)" or "Ann Example <a@b>", and nothing behind it.
    const bool round = line.ends_with(')');
    const auto open = line.rfind(round ? '(' : '<');
    if ((!round && !line.ends_with('>')) || open == npos) return std::nullopt;
    auto inside = line.substr(open + 1, line.size() - open - 2);
    inside = without(inside, "mailto:");
    if (!is_address(inside)) return std::nullopt;
    return Named{inside, {}};
}

/// "5.1.1" of a text, at the first place that looks like it.
std::string status_of(std::string_view text) {
    const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    for (std::size_t at = 0; at + 4 < text.size(); ++at) {
        if ((text[at] != '4' && text[at] != '5') || text[at + 1] != '.' || !digit(at + 2)) continue;
        if (at > 0 && (digit(at - 1) || text[at - 1] == '.')) continue;
        std::size_t end = at + 2;
        while (digit(end) && end < at + 5) ++end;
        if (end >= text.size() || text[end] != '.' || !digit(end + 1)) continue;
        ++end;
        const auto last = end;
        while (digit(end) && end < last + 3) ++end;
        if (digit(end) || (end < text.size() && text[end] == '.' && digit(end + 1))) continue;  // an address of IP
        return std::string(text.substr(at, end - at));
    }
    return {};
}

/// Of a reply without one: 550 is 5.0.0.
std::string status_of_reply(std::string_view text) {
    const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    const auto letter = [&](std::size_t at) {
        return at < text.size() && text::lower(text[at]) >= 'a' && text::lower(text[at]) <= 'z';
    };
    for (std::size_t at = 0; at + 2 < text.size(); ++at) {
        if ((text[at] != '4' && text[at] != '5') || !digit(at + 1) || !digit(at + 2) || digit(at + 3)) continue;
        if (at > 0 && (digit(at - 1) || letter(at - 1) || text[at - 1] == '.')) continue;
        if (at + 3 < text.size() && (text[at + 3] == '.' || letter(at + 3))) continue;
        return std::string(1, text[at]) + ".0.0";
    }
    return {};
}

void finish(ReportedRecipient& recipient, std::string_view action) {
    recipient.action = action;
    recipient.diagnostic = unfolded(text::trimmed(recipient.diagnostic));
    recipient.status = status_of(recipient.diagnostic);
    if (recipient.status.empty()) recipient.status = status_of_reply(recipient.diagnostic);
}

}  // namespace

std::optional<BounceText> read_bounce_text(std::string_view text, std::string_view failed) {
    const auto words = flat(text);
    const Dialect* dialect = nullptr;
    std::size_t from = 0;
    for (const auto& one : dialects) {
        const auto found = words.text.find(one.sentence);
        if (found == std::string::npos) continue;
        dialect = &one;
        from = words.places[found];
        break;
    }
    if (dialect == nullptr) return std::nullopt;
    const std::string_view action = dialect->delayed ? "delayed" : "failed";
    BounceText told;
    told.dialect = dialect->name;
    const auto known = [&told](std::string_view address) {
        return std::any_of(told.recipients.begin(), told.recipients.end(),
                           [&](const auto& one) { return text::same(one.address, address); });
    };
    // The sentence's own line may name the recipient: "Your message to a@b couldn't be delivered."
    const auto line_begin = text.rfind('\n', from);
    for (auto left = text.substr(line_begin == npos ? 0 : line_begin + 1); !left.empty();) {
        const auto end = left.find('\n');
        const auto line = left.substr(0, end);
        left.remove_prefix(end == npos ? left.size() : end + 1);
        const auto plain = text::trimmed(line);
        const bool over =
            std::any_of(ends.begin(), ends.end(), [&](auto one) { return text::starts_with_same(plain, one); });
        if (over && !told.recipients.empty()) break;
        const auto named = recipient_of(line);
        if (named && !known(named->address)) {
            if (told.recipients.size() == 100) break;
            told.recipients.push_back({});
            told.recipients.back().address = named->address;
            told.recipients.back().diagnostic = named->rest;
        } else if (!told.recipients.empty() && !plain.empty()) {
            auto& diagnostic = told.recipients.back().diagnostic;
            if (diagnostic.size() + plain.size() < diagnostic_bytes_max)
                diagnostic.append(diagnostic.empty() ? "" : " ").append(plain);
        }
    }
    if (told.recipients.empty()) {
        const auto sentence_at = text.substr(line_begin == npos ? 0 : line_begin + 1);
        const auto sentence = sentence_at.substr(0, 500);
        for (const auto word : text::split(sentence, ' ')) {
            auto bare = text::trimmed(word);
            while (!bare.empty() && std::string_view("<>\"'.,:;()*").find(bare.back()) != npos) bare.remove_suffix(1);
            while (!bare.empty() && std::string_view("<>\"'(*").find(bare.front()) != npos) bare.remove_prefix(1);
            if (!is_address(bare) || known(bare)) continue;
            told.recipients.push_back({});
            told.recipients.back().address = bare;
            told.recipients.back().diagnostic = text.substr(0, diagnostic_bytes_max);
            break;
        }
    }
    for (const auto& party : parties_in(failed)) {
        if (party.address.empty() || known(party.address) || told.recipients.size() == 100) continue;
        told.recipients.push_back({});
        told.recipients.back().address = party.address;
    }
    if (told.recipients.empty()) return std::nullopt;
    for (auto& recipient : told.recipients) finish(recipient, action);
    return told;
}

}  // namespace mime

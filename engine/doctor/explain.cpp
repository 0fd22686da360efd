#include "engine/doctor/explain.hpp"

#include <fmt/format.h>

#include <optional>

#include "engine/doctor/knowledge.hpp"
#include "engine/doctor/provider_words.hpp"
#include "engine/doctor/sasl_error.hpp"
#include "protocols/base/text.hpp"

namespace doctor {
namespace {

using Is = Explanation::Is;

constexpr std::size_t text_bytes_max = 64 * 1024;
constexpr std::string_view provider_words = "identity provider";

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

Explanation of(const Knowledge& row) {
    Explanation explanation;
    explanation.is = Is::known;
    explanation.id = row.id;
    explanation.about = row.about;
    explanation.cause = filled(row.cause, {});
    explanation.remedy = filled(row.remedy, {});
    return explanation;
}

Explanation of(const tokens::Advice& advice) {
    Explanation explanation;
    explanation.is = Is::known;
    explanation.id = advice.id;
    explanation.about = provider_words;
    explanation.cause = advice.cause;
    explanation.remedy = advice.remedy;
    return explanation;
}

/// Numbers of the text for which there is no row are named.
std::string unlisted_numbers(std::string_view text, std::string_view by) {
    std::string remark;
    for (const auto number : tokens::numbers_in(text)) {
        oauth2::Refusal alone;
        alone.error_description = fmt::format("AADSTS{}", number);
        if (tokens::advice_on(alone).id != "unknown-error") return {};
        remark += fmt::format(
            "AADSTS{0} is not in the tables of this version; https://login.microsoftonline.com/error?code={0} shows "
            "what Microsoft says of it. ",
            number);
    }
    if (!remark.empty() && !by.empty()) remark += fmt::format("What follows is by its class ({}).", by);
    return remark;
}

/// What an identity provider says.
std::optional<Explanation> by_provider_words(std::string_view text) {
    const auto refusal = refusal_in(text);
    const auto advice = tokens::advice_on(refusal);
    auto explanation = of(advice);
    const bool is_known = advice.id != "unknown-error";
    explanation.remark = unlisted_numbers(text, is_known ? advice.id : "");
    if (!explanation.remark.empty()) explanation.is = Is::a_class;
    if (!is_known && explanation.remark.empty()) return std::nullopt;
    if (refusal.correlation_id.empty()) return explanation;
    explanation.remark +=
        fmt::format("Microsoft's support and sign-in log want: correlation id {}, trace id {}.",
                    text::printable(refusal.correlation_id, 80), text::printable(refusal.trace_id, 80));
    return explanation;
}

struct Class {
    std::string_view begins;
    std::string_view means;
};

/// RFC 3463 §3: the second number.
constexpr Class subjects[] = {
    {"1", "about an address"},       {"2", "about a mailbox"},    {"3", "about the mail system"},
    {"4", "about the way of mail"},  {"5", "about the protocol"}, {"6", "about what is in the message"},
    {"7", "about rights or policy"},
};

/// "5.7.1" in the text.
std::string_view enhanced_code_in(std::string_view text) {
    for (std::size_t at = 0; at + 4 < text.size(); ++at) {
        const bool begins =
            (text[at] == '4' || text[at] == '5') && (at == 0 || text[at - 1] == ' ' || text[at - 1] == '-');
        if (begins && text[at + 1] == '.' && is_digit(text[at + 2]) && text[at + 3] == '.' && is_digit(text[at + 4])) {
            const auto end = text.find_first_not_of("0123456789.", at);
            return text.substr(at, end == std::string_view::npos ? end : end - at);
        }
    }
    return {};
}

std::optional<Explanation> by_smtp_code(std::string_view text) {
    const bool reply = text.size() > 3 && (text[0] == '4' || text[0] == '5') && is_digit(text[1]) &&
                       is_digit(text[2]) && (text[3] == ' ' || text[3] == '-');
    const auto code = enhanced_code_in(text);
    if (!reply && code.empty()) return std::nullopt;
    const bool passes = (reply ? text : code).front() == '4';
    Explanation explanation;
    explanation.is = Is::a_class;
    explanation.id = passes ? "smtp-4xx" : "smtp-5xx";
    explanation.about = "SMTP reply code";
    explanation.cause = passes ? "the server refuses for the moment" : "the server refuses for good";
    for (const auto& subject : subjects) {
        if (code.size() > 2 && code.substr(2).starts_with(subject.begins))
            explanation.cause += fmt::format(", {} ({})", subject.means, code);
    }
    explanation.remedy = passes ? "wait: it is tried again; the text says more" : "the text says what is to be changed";
    return explanation;
}

std::optional<Explanation> by_status_word(std::string_view text) {
    constexpr Class words[] = {
        {"-ERR", "a POP3 server refuses"},
        {"NO ", "an IMAP server refuses the command"},
        {"BAD ", "an IMAP server does not understand the command, or does not allow it now"},
        {"* BYE", "an IMAP server ends the session"},
        {"BYE ", "an IMAP server ends the session"},
    };
    // The tag of an IMAP answer is in front of its word.
    const auto blank = text.find(' ');
    const auto behind = blank == std::string_view::npos || blank > 10 ? std::string_view() : text.substr(blank + 1);
    for (const auto& word : words) {
        if (!text.starts_with(word.begins) && !behind.starts_with(word.begins)) continue;
        Explanation explanation;
        explanation.is = Is::a_class;
        explanation.id = "mail-refusal";
        explanation.about = "mail server";
        explanation.cause = word.means;
        explanation.remedy = "the server's text says why; rohrpost check MAILBOX finds out how far one gets";
        return explanation;
    }
    return std::nullopt;
}

Explanation with_remark(Explanation explanation) {
    if (explanation.is == Is::a_class && explanation.remark.empty()) {
        explanation.remark =
            "This text is not in the tables of this version; what is said is true of all of its class.";
    }
    return explanation;
}

}  // namespace

Explanation explain(std::string_view text) {
    text = text::trimmed(text.substr(0, text_bytes_max));
    if (const auto* row = known(text)) return of(*row);
    if (const auto advice = tokens::advice_named(text)) return of(*advice);
    if (const auto error = sasl_error_in(text)) {
        auto explanation = of(*known("gmail-login-refused"));
        explanation.remark = fmt::format("The server sent: {}", *error);
        return explanation;
    }
    const bool microsoft = !tokens::numbers_in(text).empty();
    if (!microsoft) {
        if (const auto* row = known_by(text)) return of(*row);
    }
    if (auto explanation = by_provider_words(text)) return *explanation;
    if (auto explanation = by_smtp_code(text)) return with_remark(std::move(*explanation));
    if (auto explanation = by_status_word(text)) return with_remark(std::move(*explanation));
    Explanation unknown;
    unknown.remark =
        "Nothing is known of this text. What can be explained: AADSTS and other errors of Microsoft's and Google's "
        "sign-in, what IMAP, POP3 and SMTP servers answer, lines of this program's log, ids of its findings.";
    return unknown;
}

}  // namespace doctor

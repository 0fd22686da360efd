#include "engine/doctor/provider_words.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/text.hpp"

namespace doctor {
namespace {

/// The number of a status line "HTTP 503" or "HTTP/1.1 503"; 0: there is none.
int http_status_in(std::string_view text) {
    const auto at = text::find_same(text, "HTTP");
    if (at == std::string_view::npos) return 0;
    auto rest = text.substr(at + 4);
    if (rest.starts_with('/')) rest.remove_prefix(std::min(rest.find(' '), rest.size()));
    const auto begins = std::min(rest.find_first_not_of(' '), rest.size());
    return text::number<int>(rest.substr(begins, 3)).value_or(0);
}

std::optional<oauth2::Refusal> json_refusal_in(std::string_view text) {
    const auto open = text.find('{');
    const auto close = text.rfind('}');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
    auto answer = oauth2::read_answer(400, text.substr(open, close - open + 1), std::nullopt);
    auto* refusal = std::get_if<oauth2::Refusal>(&answer);
    if (refusal == nullptr || refusal->error.empty()) return std::nullopt;
    return std::move(*refusal);
}

/// The advice is for whoever reads it on a page, too: its stand-ins are these.
std::string with_names(std::string text, const Names& names) {
    const std::pair<std::string_view, const std::string&> known[]{
        {"TENANT", names.tenant},
        {"CLIENT_ID", names.client_id},
        {"{external-url}/oauth/callback", names.redirect_uri}};
    for (const auto& [stand_in, name] : known) {
        const auto at = text.find(stand_in);
        if (at != std::string::npos && !name.empty()) text.replace(at, stand_in.size(), name);
    }
    return text;
}

Owner owner_of(tokens::Advice::Owner owner) {
    switch (owner) {
        case tokens::Advice::Owner::user:
            return Owner::account;
        case tokens::Advice::Owner::operators:
            return Owner::configuration;
        case tokens::Advice::Owner::nobody:
            break;
    }
    return Owner::nobody;
}

}  // namespace

oauth2::Refusal refusal_in(std::string_view text) {
    if (auto whole = json_refusal_in(text)) return std::move(*whole);
    oauth2::Refusal refusal;
    refusal.error_description = text;
    const int status = http_status_in(text);
    if (status >= 400 && tokens::numbers_in(text).empty()) refusal.http_status = status;
    return refusal;
}

std::optional<tokens::Advice> advice_in(std::string_view text) {
    const auto advice = tokens::advice_on(refusal_in(text));
    if (advice.id == "unknown-error") return std::nullopt;
    return advice;
}

Finding found(const tokens::Advice& advice, Subject subject, std::string did, std::string got, const Names& names) {
    Finding finding;
    finding.id = advice.id;
    finding.severity = Severity::fault;
    finding.owner = owner_of(advice.owner);
    finding.subject = std::move(subject);
    finding.did = std::move(did);
    finding.got = std::move(got);
    finding.cause = advice.cause;
    finding.remedy = with_names(std::string(advice.remedy), names);
    if (finding.owner == Owner::account && !names.credential.empty())
        finding.remedy += "\nrohrpost authorize " + names.credential;
    return finding;
}

}  // namespace doctor

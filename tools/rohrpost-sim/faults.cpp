#include "tools/rohrpost-sim/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/refusals.hpp"

namespace sim {

const std::vector<FaultFact>& fault_kinds() {
    using enum FaultKind;
    static const std::vector<FaultFact> kinds{
        {drop_in_literal, "drop_in_literal", "the connection breaks after VALUE bytes of a body (default: half)"},
        {no_data, "no_data", "UID FETCH is OK, but no answer comes for the UID (Exchange X1)"},
        {refuse_uid, "refuse_uid", "UID FETCH that asks for the UID ends in NO"},
        {throttle, "throttle", "commands after login end in BAD with VALUE ms of back-off (default 10000)"},
        {wrong_size, "wrong_size", "RFC822.SIZE is VALUE bytes too large (default 1000)"},
        {uid_last, "uid_last", "FETCH tells the UID after the body"},
        {stall, "stall", "a command after login is read, and nothing happens for VALUE ms (default: for ever)"},
        {preauth, "preauth", "the greeting is PREAUTH"},
        {no_idle, "no_idle", "IDLE is not offered and refused"},
        {lying_idle, "lying_idle", "IDLE tells nothing"},
        {not_connected, "not_connected", "login works, then BAD User is authenticated but not connected"},
        {refuse_login, "refuse_login", "every login is refused"},
        {bye, "bye", "a command after login is answered with BYE and the end"},
        {no_move, "no_move", "MOVE is not offered and refused"},
        {no_uidplus, "no_uidplus", "UIDPLUS is not offered, and UID EXPUNGE refused"},
        {refuse_change, "refuse_change",
         "UID STORE, COPY, MOVE, EXPUNGE end in NO row=TEXT (blanks as _; default: no right), where uid= is among "
         "them"},
        {change_lost_reply, "change_lost_reply",
         "UID STORE, COPY, MOVE or EXPUNGE is carried out, and the connection breaks without a reply"},
        {hide_sent, "hide_sent", "LIST does not show Sent Items"},
        {sent_late, "sent_late", "a mail is filed, and found in Sent Items only VALUE ms later (default 5000)"},
        {smtp_greeting, "smtp_greeting",
         "the submission server greets with reply VALUE row=TEXT (blanks as _; default 421); 421 ends the connection"},
        {smtp_auth, "smtp_auth", "AUTH is answered so (default 535 5.7.3)"},
        {smtp_mail, "smtp_mail", "MAIL is answered so (default 432 4.3.2)"},
        {smtp_rcpt, "smtp_rcpt", "RCPT is answered so (default 550 5.1.10); mailbox= is the recipient"},
        {smtp_body, "smtp_body", "the whole mail is answered so (default 451 4.7.0), and not kept"},
        {smtp_drop_in_body, "smtp_drop_in_body", "the connection breaks after VALUE bytes of a mail sent by BDAT"},
        {smtp_drop, "smtp_drop", "the whole mail is read and not kept, and the connection breaks without a reply"},
        {smtp_lost_reply, "smtp_lost_reply",
         "the mail (each VALUE-th one) is accepted and filed, and the connection breaks without a reply"},
        {smtp_slow, "smtp_slow", "the mail is accepted and filed, and the reply comes after VALUE ms (default 1000)"},
        {smtp_no_starttls, "smtp_no_starttls", "STARTTLS is not offered"},
        {smtp_plain, "smtp_plain", "neither PIPELINING nor CHUNKING is offered"},
        {token_invalid_grant, "token_invalid_grant", "the token endpoint refuses the grant"},
        {token_throttled, "token_throttled", "429 with Retry-After: VALUE seconds (default 5)"},
        {token_html, "token_html", "500 with a page of HTML"},
        {token_slow, "token_slow", "the token comes after VALUE ms (default 5000)"},
        {token_huge, "token_huge", "an answer of VALUE bytes (default 64 MB)"},
        {token_drop, "token_drop", "the connection ends without an answer"},
        {token_error, "token_error",
         "the token endpoint refuses with row=NAME (default invalid_grant): an AADSTS number, a word such as "
         "suberror_bad_token, throttled or "
         "google_revoked; GET /control/refusals lists them all; value=N sets Retry-After"},
        {token_expires_in, "token_expires_in", "expires_in is row=TEXT as it stands: 0, -1, \"3599\", 1e99, null"},
        {token_scope, "token_scope", "scope in the answer is row=SCOPE,SCOPE"},
        {token_no_refresh, "token_no_refresh", "the answer has no refresh token"},
        {authorize_slow, "authorize_slow", "the pages of /authorize come after VALUE ms (default 5000)"},
        {authorize_500, "authorize_500", "/authorize answers 500"},
        {authorize_page, "authorize_page",
         "/authorize ends in an error page, not in a redirect: row as in token_error"},
        {authorize_error, "authorize_error", "the browser comes back with an error: row as in token_error"},
        {authorize_state, "authorize_state", "the browser comes back with state row=missing, empty, or another one"},
        {authorize_issuer, "authorize_issuer", "the browser comes back with a foreign iss (RFC 9207)"},
        {id_token, "id_token",
         "the id_token is wrong: row=issuer, audience, expired, early, nonce, no_nonce, none (alg), signature, kid, "
         "tenant, user, missing, garbage"},
        {keys, "keys", "the JWKS is not there: row=drop, 500, huge (VALUE bytes), garbage, empty, slow (VALUE ms)"},
    };
    return kinds;
}

namespace {

std::string_view usual_row(FaultKind kind) {
    using enum FaultKind;
    if (kind == token_error) return "invalid_grant";
    if (kind == authorize_page) return "50105";
    if (kind == authorize_error) return "access_denied";
    if (kind == id_token) return "issuer";
    return kind == keys ? "garbage" : "";
}

/// A row that means nothing would be a fault that never shows.
bool row_known(const Fault& fault) {
    using enum FaultKind;
    static const std::set<std::string_view> wrong_id_tokens{"issuer",   "audience", "expired",   "early", "nonce",
                                                            "no_nonce", "none",     "signature", "kid",   "tenant",
                                                            "user",     "missing",  "garbage"};
    static const std::set<std::string_view> wrong_keys{"drop", "500", "huge", "garbage", "empty", "slow"};
    if (fault.kind == token_error || fault.kind == authorize_page || fault.kind == authorize_error)
        return refusal_named(fault.row) != nullptr;
    if (fault.kind == id_token) return wrong_id_tokens.contains(fault.row);
    if (fault.kind == keys) return wrong_keys.contains(fault.row);
    return true;
}

}  // namespace

std::optional<Fault> read_fault(std::string_view text) {
    const std::vector<std::string_view> words = text::split(text::trimmed(text), ' ');
    const auto& kinds = fault_kinds();
    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const FaultFact& f) { return f.name == words[0]; });
    if (kind == kinds.end()) return std::nullopt;
    Fault fault;
    fault.kind = kind->kind;
    for (std::size_t at = 1; at < words.size(); ++at) {
        const std::size_t equals = words[at].find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string_view key = words[at].substr(0, equals);
        const std::string_view given = words[at].substr(equals + 1);
        if (key == "mailbox") {
            fault.mailbox = given;
            continue;
        }
        if (key == "row") {
            fault.row = given;
            continue;
        }
        const auto number = text::number<std::uint64_t>(given);
        if (!number) return std::nullopt;
        if (key == "uid")
            fault.uid = static_cast<std::uint32_t>(*number);
        else if (key == "value")
            fault.value = *number;
        else if (key == "times")
            fault.times = *number;
        else
            return std::nullopt;
    }
    if (fault.row.empty()) fault.row = usual_row(fault.kind);
    if (!row_known(fault)) return std::nullopt;
    return fault;
}

std::string text_of(const Fault& fault) {
    const auto& kinds = fault_kinds();
    const auto kind =
        std::find_if(kinds.begin(), kinds.end(), [&](const FaultFact& f) { return f.kind == fault.kind; });
    return fmt::format("{} mailbox={} uid={} value={} times={}{}{}", kind->name, fault.mailbox, fault.uid, fault.value,
                       fault.times, fault.row.empty() ? "" : " row=", fault.row);
}

std::optional<Fault> Faults::strike(FaultKind kind, std::string_view mailbox, std::uint32_t uid) {
    return pick(kind, mailbox, [uid](std::uint32_t wanted) { return wanted == 0 || wanted == uid; });
}

std::optional<Fault> Faults::pick(FaultKind kind, std::string_view mailbox,
                                  const std::function<bool(std::uint32_t)>& uid) {
    for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
        const bool fits =
            fault->kind == kind && (fault->mailbox.empty() || text::same(fault->mailbox, mailbox)) && uid(fault->uid);
        if (!fits) continue;
        const Fault struck = *fault;
        if (fault->times == 1)
            faults_.erase(fault);
        else if (fault->times > 1)
            --fault->times;
        return struck;
    }
    return std::nullopt;
}

bool Faults::looms(FaultKind kind, std::string_view mailbox) const {
    return std::any_of(faults_.begin(), faults_.end(), [&](const Fault& fault) {
        return fault.kind == kind && (fault.mailbox.empty() || text::same(fault.mailbox, mailbox));
    });
}

}  // namespace sim

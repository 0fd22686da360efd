#include "engine/control/credential_json.hpp"

#include <fmt/format.h>

#include "engine/config/words.hpp"
#include "engine/control/json.hpp"
#include "engine/tokens/advice.hpp"

namespace control {
namespace {

using config::Flow;
using tokens::Meaning;

/// Flows in which a person signs in.
bool by_people(Flow flow) {
    return flow == Flow::authorization_code || flow == Flow::device_code || flow == Flow::refresh_token;
}

/// Whether nobody has signed in: a row without tokens says no more than that they were asked for.
bool never_signed_in(const CredentialFacts& facts) {
    if (facts.imported || !by_people(facts.credential.flow)) return false;
    return !facts.kept || (facts.kept->record && facts.kept->record->refresh_token.empty());
}

std::string_view without_live(const CredentialFacts& facts) {
    if (never_signed_in(facts)) return "no grant yet";
    if (facts.kept) {
        if (facts.kept->state == tokens::words_of(Meaning::consent_needed)) return "sign-in needed";
        if (facts.kept->state == tokens::words_of(Meaning::operator_must_act)) return "operator must act";
        return "current";
    }
    return facts.credential.flow == Flow::password ? "current" : "not asked yet";
}

std::string reason_of(const CredentialFacts& facts, std::string_view state) {
    if (state == "no grant yet") return "nobody has signed in yet";
    if (state == "current" || state == "not asked yet") return {};
    return facts.live && !facts.live->reason.empty() ? facts.live->reason
           : facts.kept                              ? facts.kept->reason
                                                     : std::string();
}

std::string advice_of(const CredentialFacts& facts, std::string_view state, const std::string& reason) {
    if (state == "no grant yet" || state == "sign-in needed") {
        return fmt::format("{} must sign in: on this credential's page of the console, or with rohrpost authorize {}",
                           facts.credential.user, facts.credential.id);
    }
    if (state == "waiting") return "It is tried again by itself.";
    if (state != "operator must act") return {};
    oauth2::Refusal refusal;
    refusal.error_description = reason;
    const auto advice = tokens::advice_on(refusal);
    return tokens::sentences_of(advice);
}

boost::json::object to_json(const tokens::GrantRecord& record) {
    boost::json::object object{{"at", time_text(record.signed_in_at)}};
    if (!record.owner.user.empty()) object["user"] = record.owner.user;
    if (!record.owner.tenant.empty()) object["tenant"] = record.owner.tenant;
    if (!record.owner.object_id.empty()) object["object_id"] = record.owner.object_id;
    return object;
}

WallTime access_token_ends(const CredentialFacts& facts) {
    if (facts.live && facts.live->access_token_ends) return *facts.live->access_token_ends;
    return facts.kept ? facts.kept->access_token_ends : WallTime();
}

}  // namespace

std::string_view state_of(const CredentialFacts& facts) {
    if (!facts.live || never_signed_in(facts)) return without_live(facts);
    switch (facts.live->meaning) {
        case Meaning::usable:
            break;
        case Meaning::retry:
            return "waiting";
        case Meaning::consent_needed:
            return "sign-in needed";
        case Meaning::operator_must_act:
            return "operator must act";
    }
    return facts.kept || facts.live->access_token_ends ? "current" : without_live(facts);
}

boost::json::object to_json(const CredentialFacts& facts) {
    const auto& credential = facts.credential;
    const auto state = state_of(facts);
    boost::json::object object{{"id", credential.id},
                               {"provider", credential.provider},
                               {"user", credential.user},
                               {"flow", config::word_of(config::flow_words, credential.flow)},
                               {"state", state}};
    const std::string reason = reason_of(facts, state);
    if (!reason.empty()) object["reason"] = reason;
    const std::string advice = advice_of(facts, state, reason);
    if (!advice.empty()) object["advice"] = advice;
    if (const auto ends = access_token_ends(facts); ends != WallTime()) object["access_token_ends"] = time_text(ends);
    if (facts.live && facts.live->next_attempt) object["next_attempt"] = time_text(*facts.live->next_attempt);
    if (facts.kept && facts.kept->record && facts.kept->record->signed_in_at != WallTime()) {
        object["signed_in"] = to_json(*facts.kept->record);
    }
    if (!facts.expiring.empty()) {
        boost::json::array expiring;
        for (const auto& one : facts.expiring) expiring.push_back(to_json(one));
        object["expiring"] = std::move(expiring);
    }
    object["mailboxes"] = facts.mailboxes;
    return object;
}

}  // namespace control

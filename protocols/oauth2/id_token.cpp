#include "protocols/oauth2/id_token.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "protocols/base/ensure.hpp"
#include "protocols/base/secret.hpp"
#include "protocols/base/text.hpp"
#include "protocols/jose/json.hpp"
#include "protocols/jose/verify.hpp"
#include "protocols/oauth2/errc.hpp"
#include "protocols/oauth2/issuer.hpp"

namespace oauth2 {
namespace {

namespace json = boost::json;

constexpr std::size_t text_bytes_max = 1024;
constexpr std::size_t audiences_max = 16;

bool is_clean(std::string_view text) {
    return text.size() <= text_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
               const auto code = static_cast<unsigned char>(c);
               return code >= 0x20 && code != 0x7f;
           });
}

/// A claim that is a text; false: it is there, but no clean text. An empty one, or null, is none.
bool take(const json::object& claims, std::string_view name, std::string& into) {
    const auto* value = claims.if_contains(name);
    if (value == nullptr || value->is_null()) return true;
    const auto* text = value->if_string();
    if (text == nullptr || !is_clean(*text)) return false;
    into = *text;
    return true;
}

/// A claim that is a date; false: it is there, but no date.
bool take(const json::object& claims, std::string_view name, std::optional<WallTime>& into) {
    if (!claims.contains(name)) return true;
    const auto date = jose::date_at(claims, name);
    if (!date) return false;
    into = WallTime(std::chrono::seconds(*date));
    return true;
}

/// §3.1.3.7 (3) to (5). Several audiences need an `azp`.
error_code flaw_of_audience(const json::object& claims, const std::string& client_id) {
    const auto* audience = claims.if_contains("aud");
    if (audience == nullptr) return errc::claims_malformed;
    std::size_t others = 0;
    bool ours = false;
    const auto count = [&](const json::value& one) {
        const auto* text = one.if_string();
        const bool same = text != nullptr && std::string_view(*text) == client_id;
        ours = ours || same;
        others += same ? 0U : 1U;
        return text != nullptr;
    };
    if (const auto* list = audience->if_array()) {
        if (list->size() > audiences_max || !std::all_of(list->begin(), list->end(), count))
            return errc::claims_malformed;
    } else if (!count(*audience)) {
        return errc::claims_malformed;
    }
    const bool has_party = claims.contains("azp");
    if (!ours || (others > 0 && !has_party)) return errc::wrong_audience;
    if (has_party && jose::text_at(claims, "azp") != client_id) return errc::wrong_audience;
    return {};
}

/// §3.1.3.7 (9) to (10), RFC 7519 §4.1.4 to §4.1.6.
error_code flaw_of_time(const json::object& claims, WallTime now, IdToken& into) {
    std::optional<WallTime> issued_at, not_before, expires_at;
    const bool dates = take(claims, "iat", issued_at) && take(claims, "nbf", not_before) &&
                       take(claims, "exp", expires_at) && issued_at && expires_at;
    if (!dates) return errc::claims_malformed;
    if (now >= *expires_at + clock_skew_max) return errc::expired;
    const auto latest = now + clock_skew_max;
    if (*issued_at > latest || (not_before && *not_before > latest)) return errc::not_yet_valid;
    into.issued_at = *issued_at;
    into.expires_at = *expires_at;
    return {};
}

/// §3.1.3.7 (11), §12.2.
error_code flaw_of_nonce(const json::object& claims, const IdTokenDemand& demand) {
    if (demand.occasion == IdTokenDemand::Occasion::refresh) return {};
    if (demand.nonce.empty()) return claims.contains("nonce") ? make_error_code(errc::wrong_nonce) : error_code();
    const Secret sent(demand.nonce), got{std::string(jose::text_at(claims, "nonce"))};
    return sent == got ? error_code() : make_error_code(errc::wrong_nonce);
}

/// A GUID in lower case, when there is one; personal accounts and other providers have none, or another form.
bool take_guid(const json::object& claims, std::string_view name, std::string& into) {
    std::string text;
    if (!take(claims, name, text)) return false;
    into = text::lowered(text);
    return true;
}

/// §3.1.3.7 (2). Entra: `issuer` of the key restricts whose tokens it signs.
error_code flaw_of_issuer(const IdToken& token, const IdTokenDemand& demand, std::string_view key_issuer) {
    const auto fits = [&token](const std::string& expected) { return is_issuer(token.issuer, expected, token.tenant); };
    if (std::none_of(demand.issuers.begin(), demand.issuers.end(), fits)) return errc::wrong_issuer;
    if (!key_issuer.empty() && !is_issuer(token.issuer, key_issuer, token.tenant)) return errc::wrong_key_issuer;
    return {};
}

/// What the account says about the person; false: something is malformed.
bool take_person(const json::object& claims, IdToken& into) {
    const bool texts = take(claims, "iss", into.issuer) && take(claims, "sub", into.subject) &&
                       take_guid(claims, "tid", into.tenant) && take_guid(claims, "oid", into.object_id) &&
                       take(claims, "preferred_username", into.preferred_username) && take(claims, "upn", into.upn) &&
                       take(claims, "unique_name", into.unique_name) && take(claims, "email", into.email) &&
                       take(claims, "hd", into.hosted_domain) && take(claims, "idp", into.identity_provider);
    if (!texts || into.issuer.empty() || into.subject.empty()) return false;
    if (const auto* verified = claims.if_contains("email_verified")) {
        // Some providers write it as a text.
        if (verified->is_bool()) into.email_verified = verified->get_bool();
        if (verified->is_string()) into.email_verified = verified->get_string() == "true";
    }
    if (const auto* account = claims.if_contains("acct")) {
        const bool guest = (account->is_int64() && account->get_int64() == 1) ||
                           (account->is_string() && account->get_string() == "1");
        into.account = guest ? IdToken::Account::guest : IdToken::Account::member;
    }
    return true;
}

}  // namespace

Result<IdToken> read_id_token(std::string_view token, const jose::KeySet& keys, const IdTokenDemand& demand,
                              WallTime now) {
    ensure(!demand.client_id.empty(), "an id_token is for somebody");
    const auto verified = jose::verify(token, keys);
    if (!verified) return verified.error();
    // Logout tokens and JWT access tokens are signed with the same keys. RFC 8725 §3.11.
    if (!verified->type.empty() && !text::same(verified->type, "JWT")) return errc::wrong_token_type;
    const auto claims = jose::read_object(verified->payload, jose::compact_bytes_max);
    if (!claims) return claims.error();

    IdToken read;
    if (!take_person(*claims, read)) return errc::claims_malformed;
    auto flaw = flaw_of_issuer(read, demand, verified->key_issuer);
    if (!flaw) flaw = flaw_of_audience(*claims, demand.client_id);
    if (!flaw) flaw = flaw_of_time(*claims, now, read);
    if (!flaw) flaw = flaw_of_nonce(*claims, demand);
    if (flaw) return flaw;
    return read;
}

}  // namespace oauth2

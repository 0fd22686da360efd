#include "engine/doctor/claims.hpp"

#include <boost/json/array.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/jose/json.hpp"

namespace doctor {
namespace {

constexpr std::size_t claims_bytes_max = 64 * 1024;
constexpr std::size_t list_max = 100;

std::string text_of(const boost::json::object& claims, std::string_view name) {
    return text::printable(jose::text_at(claims, name), 200);
}

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    for (const auto word : text::split(line, ' ')) {
        if (!word.empty() && words.size() < list_max) words.push_back(text::printable(word, 200));
    }
    return words;
}

std::vector<std::string> list_of(const boost::json::object& claims, std::string_view name) {
    std::vector<std::string> list;
    const auto* value = claims.if_contains(name);
    const auto* items = value == nullptr ? nullptr : value->if_array();
    if (items == nullptr) return list;
    for (const auto& item : *items) {
        const auto* text = item.if_string();
        if (text != nullptr && list.size() < list_max) list.push_back(text::printable(*text, 200));
    }
    return list;
}

}  // namespace

std::optional<Claims> read_claims(std::string_view access_token) {
    const auto parts = text::split(access_token, '.');
    if (parts.size() != 3) return std::nullopt;
    const auto bytes = base64url_decoded(parts[1]);
    if (!bytes) return std::nullopt;
    const auto object = jose::read_object(*bytes, claims_bytes_max);
    if (!object) return std::nullopt;
    Claims claims;
    claims.audience = text_of(*object, "aud");
    claims.tenant = text::lowered(text_of(*object, "tid"));
    claims.object_id = text::lowered(text_of(*object, "oid"));
    claims.client_id = text_of(*object, object->contains("appid") ? "appid" : "azp");
    for (const std::string_view name : {"upn", "unique_name", "preferred_username", "email"}) {
        auto text = text_of(*object, name);
        if (!text.empty()) claims.names.push_back(std::move(text));
    }
    claims.scopes = words_of(jose::text_at(*object, "scp"));
    claims.roles = list_of(*object, "roles");
    claims.application = jose::text_at(*object, "idtyp") == "app";
    if (const auto issued = jose::date_at(*object, "iat")) {
        claims.issued_at = WallTime(std::chrono::seconds(*issued));
    }
    return claims;
}

}  // namespace doctor

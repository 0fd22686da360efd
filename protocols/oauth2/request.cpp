#include "protocols/oauth2/request.hpp"

#include <vector>

#include "protocols/base/base64.hpp"
#include "protocols/base/ensure.hpp"
#include "protocols/oauth2/client_fields.hpp"

namespace oauth2 {
namespace {

using Fields = std::vector<Field>;

Fields begun(std::string_view grant_type, const Client& client) {
    Fields fields{{"grant_type", grant_type}};
    append_client(fields, client);
    return fields;
}

void append_scope(Fields& fields, std::string_view scope) {
    if (!scope.empty()) fields.emplace_back("scope", scope);
}

/// Then the form names no client: a server may refuse one that shows who it is in two places.
bool is_in_header(const Client& client) {
    return client.auth == ClientAuth::client_secret_basic && client.client_secret;
}

}  // namespace

Secret authorization_of(const Client& client) {
    const auto& secret = client.client_secret;
    if (!secret || !is_in_header(client)) return {};
    std::string pair;
    pair.reserve(3 * client.client_id.size() + 3 * secret->reveal().size() + 1);  // no copy is left unwiped
    append_encoded(pair, client.client_id);
    pair += ':';
    append_encoded(pair, secret->reveal());
    const Secret plain(std::move(pair));
    return Secret("Basic " + base64_encoded(plain.reveal()));
}

void append_client(std::vector<Field>& fields, const Client& client) {
    ensure(!client.client_secret || !client.client_assertion, "a client shows one proof of who it is");
    if (is_in_header(client)) return;
    fields.emplace_back("client_id", client.client_id);
    if (client.client_secret) fields.emplace_back("client_secret", client.client_secret->reveal());
    if (client.client_assertion) {
        fields.emplace_back("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        fields.emplace_back("client_assertion", client.client_assertion->reveal());
    }
}

Secret form_of(const Refresh& refresh) {
    Fields fields = begun("refresh_token", refresh);
    append_scope(fields, refresh.scope);
    fields.emplace_back("refresh_token", refresh.refresh_token.reveal());
    return form_of(fields);
}

Secret form_of(const Redemption& redemption) {
    Fields fields = begun("authorization_code", redemption);
    append_scope(fields, redemption.scope);
    fields.emplace_back("code", redemption.code.reveal());
    fields.emplace_back("redirect_uri", redemption.redirect_uri);
    fields.emplace_back("code_verifier", redemption.code_verifier.reveal());
    return form_of(fields);
}

Secret form_of(const DevicePoll& poll) {
    Fields fields = begun("urn:ietf:params:oauth:grant-type:device_code", poll);
    fields.emplace_back("device_code", poll.device_code.reveal());
    return form_of(fields);
}

Secret form_of(const OwnBehalf& own_behalf) {
    Fields fields = begun("client_credentials", own_behalf);
    append_scope(fields, own_behalf.scope);
    return form_of(fields);
}

Secret form_of(const JwtBearer& bearer) {
    const Fields fields{{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                        {"assertion", bearer.assertion.reveal()}};
    return form_of(fields);
}

}  // namespace oauth2

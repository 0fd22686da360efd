// What tests and demonstrations change while the provider runs. Requests and answers are JSON; a mailbox's folder is
// INBOX unless "folder" names another.
//   POST   /control/append         {"mailbox", "count": 1, "hidden_ms": 0} or {"mailbox", "message": "…"} → {"uids"}
//   POST   /control/delete         {"mailbox", "uid"}
//   POST   /control/uidvalidity    {"mailbox", "from_one": false} → {"uid_validity"}: new UIDs, higher ones or from 1
//   POST   /control/expire-tokens  {"user": ""}
//   POST   /control/revoke         {"user"}; /control/restore takes it back
//   POST   /control/token          {"user"} → {"access_token"}
//   POST   /control/token-lifetime {"seconds"}
//   POST   /control/drop-sessions  {}
//   POST   /control/faults         {"fault": "no_data mailbox=… uid=… times=… row=…"}; GET lists, DELETE clears
//   GET    /control/counters
//   GET    /control/sent → {"mails": [{"login", "sender", "recipients", "message_id", "submission", "bytes"}]}
//   GET    /control/refusals → {"refusals": [{"name", "status", "error", "code", "suberror"}]}: rows of token_error
//   GET    /control/identity → {"issuer", "tenant", "keys", "signed_in", "clients", "people", "user_codes"}
//   POST   /control/signed-in      {"users": ["…"]}: who is signed in on the workstation from now on
//   POST   /control/rotate-keys    {"keep_seconds": 86400} → {"kid"}: how long the old key is still served
//   POST   /control/person         {"name", "password", "email", "upn", "tenant": "home" | "other", "guest": false}
//   POST   /control/share          {"user", "mailbox"}: the user may open the mailbox, too
//   POST   /control/client         {"client_id", "redirect_uris": [], "secret", "secret_expired", "certificates": [],
//                                   "pkce_required", "device_code_allowed", "multi_tenant"}: what is not given stays
//   POST   /control/service-account {"email", "key": PEM, "delegated": true}
//   POST   /control/consent        {"user", "client_id", "scopes": []}; without scopes it is forgotten
//   GET    /control/mailbox?mailbox=… → {"uid_validity", "uid_next", "messages": [{"uid", "number", "flags"}]}

#include <boost/json.hpp>

#include "protocols/base/text.hpp"
#include "tools/rohrpost-sim/answers.hpp"
#include "tools/rohrpost-sim/http_endpoint.hpp"
#include "tools/rohrpost-sim/imap_command.hpp"

namespace sim {

namespace json = boost::json;

namespace {

HttpReply done(const json::object& body = {}) { return {.body = json::serialize(body)}; }
HttpReply wrong(std::string_view expected) {
    return {.status = 400, .body = json::serialize(json::object{{"error", expected}})};
}

std::string string_in(const json::object& body, std::string_view key, std::string_view otherwise = {}) {
    const json::value* found = body.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string(otherwise);
}

std::uint64_t number_in(const json::object& body, std::string_view key, std::uint64_t otherwise) {
    const json::value* found = body.if_contains(key);
    return found != nullptr && found->is_int64() ? static_cast<std::uint64_t>(found->as_int64()) : otherwise;
}

HttpReply append(World& world, Folder& folder, const json::object& body) {
    json::array uids;
    const std::string given = string_in(body, "message");
    const std::chrono::milliseconds hidden(number_in(body, "hidden_ms", 0));
    if (!given.empty()) {
        uids.emplace_back(world.arrive(folder, given));
    } else {
        for (std::uint64_t left = number_in(body, "count", 1); left > 0; --left)
            uids.emplace_back(world.arrive(folder, hidden));
    }
    return done({{"uids", uids}});
}

HttpReply shown(const Folder& folder) {
    json::array messages;
    for (const Entry& entry : folder.entries)
        messages.push_back(
            json::object{{"uid", entry.uid}, {"number", entry.number}, {"flags", flags_text(entry.flags)}});
    return done({{"uid_validity", folder.uid_validity}, {"uid_next", folder.uid_next}, {"messages", messages}});
}

HttpReply counted(const World& world) {
    const Counters& counters = world.counters;
    return done({{"sessions_now", world.sessions().size()},
                 {"sessions_most", counters.sessions_most},
                 {"sessions", counters.sessions},
                 {"logins", counters.logins},
                 {"logins_refused", counters.logins_refused},
                 {"commands", counters.commands},
                 {"searches", counters.searches},
                 {"idles", counters.idles},
                 {"bodies_fetched", counters.bodies_fetched},
                 {"body_bytes_fetched", counters.body_bytes_fetched},
                 {"arrivals", counters.arrivals},
                 {"smtp_logins", counters.smtp_logins},
                 {"mails_sent", world.sent().size()},
                 {"token_requests", counters.token_requests},
                 {"tokens_issued", world.tokens.issued()},
                 {"introspections", counters.introspections}});
}

std::string header_of(const std::string& message, const char* name) {
    Wanted::Section section;
    section.name = "HEADER.FIELDS";
    section.fields = {name};
    const std::string field = section_of(message, section);
    return std::string(text::trimmed(field.substr(std::min(field.find(':') + 1, field.size()))));
}

HttpReply listed_mails(const World& world) {
    json::array mails;
    for (const SentMail& mail : world.sent())
        mails.push_back(json::object{{"login", mail.login},
                                     {"sender", mail.sender},
                                     {"recipients", json::value_from(mail.recipients)},
                                     {"message_id", header_of(mail.message, "Message-ID")},
                                     {"submission", header_of(mail.message, "X-Rohrpost-Submission")},
                                     {"bytes", mail.message.size()}});
    return done({{"mails", mails}});
}

HttpReply handle_faults(World& world, const HttpRequest& request, const json::object& body) {
    if (request.method == "DELETE") world.faults.clear();
    if (request.method == "POST") {
        auto fault = read_fault(string_in(body, "fault"));
        if (!fault) return wrong("fault: NAME [mailbox=…] [uid=…] [value=…] [times=…] [row=…]");
        world.faults.add(std::move(*fault));
    }
    json::array faults;
    for (const Fault& fault : world.faults.all()) faults.emplace_back(text_of(fault));
    return done({{"faults", faults}});
}

std::vector<std::string> strings_in(const json::object& body, std::string_view key) {
    std::vector<std::string> strings;
    const json::value* found = body.if_contains(key);
    if (found == nullptr || !found->is_array()) return strings;
    for (const json::value& one : found->as_array())
        if (one.is_string()) strings.emplace_back(one.as_string());
    return strings;
}

bool truth_in(const json::object& body, std::string_view key, bool otherwise) {
    const json::value* found = body.if_contains(key);
    return found != nullptr && found->is_bool() ? found->as_bool() : otherwise;
}

HttpReply listed_refusals() {
    json::array rows;
    for (const auto* list : {&entra_refusals(), &google_refusals()})
        for (const Refusal& one : *list)
            rows.push_back(json::object{{"name", one.name},
                                        {"status", one.status},
                                        {"error", one.error},
                                        {"code", one.code},
                                        {"suberror", one.suberror}});
    return done({{"refusals", rows}});
}

HttpReply shown(IdentityProvider& identity) {
    json::array keys, clients, people, user_codes;
    for (const RsaKey& key : identity.served_keys()) keys.emplace_back(key.kid());
    for (const auto& [id, client] : identity.clients) clients.emplace_back(id);
    for (const auto& [name, account] : identity.people) people.emplace_back(name);
    for (const auto& [code, device] : identity.devices)
        if (device.state == DeviceCode::State::waiting) user_codes.emplace_back(device.user_code);
    return done({{"issuer", issuer_of(identity, identity.rules.tenant)},
                 {"tenant", identity.rules.tenant},
                 {"keys", keys},
                 {"signed_in", json::value_from(identity.workstation)},
                 {"clients", clients},
                 {"people", people},
                 {"user_codes", user_codes}});
}

void change_client(IdentityProvider& identity, const json::object& body) {
    const std::string id = string_in(body, "client_id");
    Client& client = identity.clients[id];
    client.id = id;
    if (body.contains("redirect_uris")) client.redirect_uris = strings_in(body, "redirect_uris");
    if (body.contains("certificates")) client.certificates = strings_in(body, "certificates");
    client.secret = string_in(body, "secret", client.secret);
    client.secret_expired = truth_in(body, "secret_expired", client.secret_expired);
    client.pkce_required = truth_in(body, "pkce_required", client.pkce_required);
    client.device_code_allowed = truth_in(body, "device_code_allowed", client.device_code_allowed);
    client.multi_tenant = truth_in(body, "multi_tenant", client.multi_tenant);
}

void add_person(World& world, const json::object& body) {
    const auto& rules = world.identity.rules;
    const std::string name = text::lowered(string_in(body, "name"));
    world.identity.people[name] =
        Account{.name = name,
                .upn = string_in(body, "upn", name),
                .email = string_in(body, "email", name),
                .display = string_in(body, "display", name.substr(0, name.find('@'))),
                .password = string_in(body, "password", world.population().password),
                .oid = string_in(body, "oid", uuid_of("oid " + name)),
                .tenant = string_in(body, "tenant", "home") == "home" ? rules.tenant : rules.other_tenant,
                .guest = truth_in(body, "guest", false)};
}

/// The identity provider's; nullopt: something else.
std::optional<HttpReply> handle_identity(World& world, std::string_view what, const json::object& body) {
    IdentityProvider& identity = world.identity;
    const std::string user = string_in(body, "user"), client_id = string_in(body, "client_id");
    if (what == "refusals") return listed_refusals();
    if (what == "identity") return shown(identity);
    if (what == "signed-in") {
        const auto users = strings_in(body, "users");
        for (const std::string& name : users)
            if (!world.account(name)) return wrong("users: addresses of users, not " + name);
        identity.workstation = users;
    } else if (what == "rotate-keys") {
        identity.rotate_keys(std::chrono::seconds(number_in(body, "keep_seconds", 86400)));
        return done({{"kid", identity.signing_key().kid()}});
    } else if (what == "person") {
        if (string_in(body, "name").empty()) return wrong("name: an address");
        add_person(world, body);
    } else if (what == "share") {
        world.share(user, string_in(body, "mailbox"));
    } else if (what == "client") {
        if (client_id.empty()) return wrong("client_id");
        change_client(identity, body);
    } else if (what == "service-account") {
        const std::string email = string_in(body, "email"), key = string_in(body, "key");
        if (!RsaKey::from_pem(key)) return wrong("key: an RSA key or a certificate, PEM");
        identity.service_accounts[email] = {email, key, truth_in(body, "delegated", true)};
    } else if (what == "consent") {
        const auto scopes = strings_in(body, "scopes");
        if (scopes.empty())
            identity.forget_consent(client_id, user);
        else
            identity.consent(client_id, user, scopes);
    } else {
        return std::nullopt;
    }
    return done();
}

/// What needs no mailbox; nullopt: something else.
std::optional<HttpReply> handle_world(World& world, const HttpRequest& request, const json::object& body) {
    const std::string_view what = std::string_view(request.path).substr(std::string_view("/control/").size());
    const std::string user = string_in(body, "user");
    if (what == "counters") return counted(world);
    if (what == "sent") return listed_mails(world);
    if (what == "faults") return handle_faults(world, request, body);
    if (what == "expire-tokens") {
        world.expire_tokens(user, "Session invalidated - AccessTokenExpired");
    } else if (what == "revoke") {
        world.tokens.revoke(user);
    } else if (what == "restore") {
        world.tokens.restore(user);
    } else if (what == "token") {
        return done({{"access_token", world.tokens.issue(user)}});
    } else if (what == "token-lifetime") {
        world.tokens.set_lifetime(std::chrono::seconds(number_in(body, "seconds", 3600)));
    } else if (what == "drop-sessions") {
        for (Watcher* session : std::vector<Watcher*>(world.sessions())) session->cut();
    } else {
        return std::nullopt;
    }
    return done();
}

}  // namespace

HttpReply answer_control(World& world, const HttpRequest& request) {
    json::object body;
    if (!request.body.empty()) {
        boost::system::error_code malformed;
        const json::value value = json::parse(request.body, malformed);
        if (malformed || !value.is_object()) return wrong("a JSON object");
        body = value.as_object();
    }
    if (auto reply = handle_world(world, request, body)) return std::move(*reply);
    const std::string_view what = std::string_view(request.path).substr(std::string_view("/control/").size());
    if (auto reply = handle_identity(world, what, body)) return std::move(*reply);
    const auto asked = request.fields.find("mailbox");
    const std::string mailbox = asked != request.fields.end() ? asked->second : string_in(body, "mailbox");
    Folder* folder = world.folder(mailbox, string_in(body, "folder", "INBOX"));
    if (folder == nullptr) return wrong("mailbox: an address such as box0001@sim.test; folder: one of its folders");
    if (request.path == "/control/append") return append(world, *folder, body);
    if (request.path == "/control/mailbox") return shown(*folder);
    if (request.path == "/control/delete") {
        folder->remove(static_cast<std::uint32_t>(number_in(body, "uid", 0)));
        return done();
    }
    if (request.path == "/control/uidvalidity") {
        folder->renumber(truth_in(body, "from_one", false) ? Folder::NewUids::from_one : Folder::NewUids::higher);
        return done({{"uid_validity", folder->uid_validity}});
    }
    return {.status = 404, .body = R"({"error":"not_found"})"};
}

}  // namespace sim

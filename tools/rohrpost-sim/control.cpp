// What tests and demonstrations change while the provider runs. Requests and answers are JSON; a mailbox's folder is
// INBOX unless "folder" names another.
//   POST   /control/append         {"mailbox", "count": 1, "hidden_ms": 0} or {"mailbox", "message": "…"} → {"uids"}
//   POST   /control/delete         {"mailbox", "uid"}
//   POST   /control/uidvalidity    {"mailbox"} → {"uid_validity"}
//   POST   /control/expire-tokens  {"user": ""}
//   POST   /control/revoke         {"user"}; /control/restore takes it back
//   POST   /control/token          {"user"} → {"access_token"}
//   POST   /control/token-lifetime {"seconds"}
//   POST   /control/drop-sessions  {}
//   POST   /control/faults         {"fault": "no_data mailbox=… uid=… times=…"}; GET lists, DELETE clears
//   GET    /control/counters
//   GET    /control/mailbox?mailbox=… → {"uid_validity", "uid_next", "messages": [{"uid", "number", "flags"}]}

#include <boost/json.hpp>

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
                 {"token_requests", counters.token_requests},
                 {"tokens_issued", world.tokens.issued()},
                 {"introspections", counters.introspections}});
}

HttpReply handle_faults(World& world, const HttpRequest& request, const json::object& body) {
    if (request.method == "DELETE") world.faults.clear();
    if (request.method == "POST") {
        auto fault = read_fault(string_in(body, "fault"));
        if (!fault) return wrong("fault: NAME [mailbox=…] [uid=…] [value=…] [times=…]");
        world.faults.add(std::move(*fault));
    }
    json::array faults;
    for (const Fault& fault : world.faults.all()) faults.emplace_back(text_of(fault));
    return done({{"faults", faults}});
}

/// What needs no mailbox; nullopt: something else.
std::optional<HttpReply> handle_world(World& world, const HttpRequest& request, const json::object& body) {
    const std::string_view what = std::string_view(request.path).substr(std::string_view("/control/").size());
    const std::string user = string_in(body, "user");
    if (what == "counters") return counted(world);
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
        folder->renumber();
        return done({{"uid_validity", folder->uid_validity}});
    }
    return {.status = 404, .body = R"({"error":"not_found"})"};
}

}  // namespace sim

#pragma once
/// A daemon and one mailbox for it at a server that knows passwords: Dovecot, Cyrus or Courier.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include "tests/support/courier.hpp"
#include "tests/support/cyrus.hpp"
#include "tests/support/mail_rig.hpp"

namespace password_desk {

using support::Courier;
using support::Cyrus;
using support::Dovecot;
using support::ImapUser;

namespace json = boost::json;

inline const std::string desk = "desk@sim.test";
using Bytes = std::multiset<std::string>;

inline bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

inline std::vector<std::string> mails(std::uint32_t from, std::uint32_t count, std::size_t bytes = 2048) {
    std::vector<std::string> all;
    for (std::uint32_t number = from; number < from + count; ++number)
        all.push_back(sim::message_of(desk, number, bytes));
    return all;
}

inline ImapUser user_of(Dovecot& server) { return {server.port(), server.ca_file(), desk, Dovecot::password}; }
inline ImapUser user_of(Cyrus& server) { return server.user(desk); }
inline ImapUser user_of(Courier& server) { return server.user(desk); }

enum class Consumer { maildir, pull };

/// A daemon, and one mailbox for it to serve at a server that knows passwords.
template <class Server>
struct Desk {
    explicit Desk(typename Server::Wish wish = {}) : server(std::move(wish)) {}

    /// `more`: further keys of the mailbox, "protocol" among them.
    void import(const std::string& after, Consumer consumer = Consumer::maildir, const json::object& more = {},
                std::string_view password = Server::password) const {
        const json::object host{{"host", "localhost"}, {"port", server.port()}, {"tls", "implicit"}};
        const auto* protocol = more.if_contains("protocol");
        json::object provider{{"id", "house"}, {"ca_file", server.ca_file().string()}};
        provider[protocol == nullptr ? "imap" : protocol->as_string()] = host;
        json::object document;
        document["providers"] = json::array{provider};
        document["credentials"] = json::array{json::object{{"id", "desk"},
                                                           {"provider", "house"},
                                                           {"user", desk},
                                                           {"flow", "password"},
                                                           {"password", json::object{{"value", password}}}}};
        document["mailboxes"] = json::array{json::object{
            {"id", "desk"}, {"address", desk}, {"credential", "desk"}, {"after", after}, {"consumer", "tickets"}}};
        auto& mailbox = document["mailboxes"].as_array().at(0).as_object();
        for (const auto& [key, value] : more) mailbox[key] = value;
        json::object tickets{{"id", "tickets"}, {"kind", "pull"}};
        if (consumer == Consumer::maildir) {
            tickets["kind"] = "maildir";
            tickets["path"] = daemon.maildir().string();
        }
        document["consumers"] = json::array{tickets};
        daemon.import(json::serialize(document));
    }
    [[nodiscard]] Bytes in(const std::string& folder) {
        const auto bodies = user_of(server).bodies(folder);
        return {bodies.begin(), bodies.end()};
    }
    [[nodiscard]] std::size_t count(const std::string& criteria) {
        auto user = user_of(server);
        user.must("EXAMINE INBOX");
        std::size_t found = 0;
        for (const std::string& line : user.must("UID SEARCH " + criteria))
            if (line.starts_with("* SEARCH"))
                found = static_cast<std::size_t>(std::count(line.begin() + 8, line.end(), ' '));
        return found;
    }
    [[nodiscard]] json::object after(std::vector<std::string> more = {}) const {
        std::vector<std::string> words{"mailbox", "after", "desk", "--json"};
        words.insert(words.end(), more.begin(), more.end());
        const auto ran = daemon.ask(std::move(words));
        INFO(ran.errors);
        REQUIRE(ran.exit_code == 0);
        return json::parse(ran.output).as_object();
    }
    [[nodiscard]] std::string logs() const { return daemon.log() + server.log(); }

    Server server;
    support::Daemon daemon;
};

}  // namespace password_desk

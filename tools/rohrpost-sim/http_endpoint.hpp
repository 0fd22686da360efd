#pragma once

#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/wait/asio.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace sim {

struct HttpRequest {
    std::string method;
    std::string path;
    std::map<std::string, std::string> fields;  // of the query and of a form body, decoded
    std::string bearer;                         // token of the Authorization header
    std::string body;
    std::string basic{};  // of the Authorization header, still encoded
    std::map<std::string, std::string, std::less<>> cookies{};

    /// Empty: not given.
    [[nodiscard]] std::string field(const std::string& name) const;
    [[nodiscard]] bool has(const std::string& name) const { return fields.contains(name); }
};

struct HttpReply {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body{};
    std::chrono::seconds retry_after{};                          // 0: no such header
    std::chrono::milliseconds after{};                           // when it is sent
    bool dropped = false;                                        // the connection ends instead
    std::vector<std::pair<std::string, std::string>> headers{};  // more of them: Location, Set-Cookie

    /// Empty: no such header.
    [[nodiscard]] std::string header(std::string_view name) const;
};

/// "a=1&b=%20x+y" decoded; broken escapes stay as they are.
std::map<std::string, std::string> read_form(std::string_view text);

/// POST …/token: RFC 6749 with Entra's or Google's manners and the faults token_*.
HttpReply answer_token(World& world, const HttpRequest& request);
/// GET or POST /introspect: RFC 7662, for a mail server that wants to know whose token it got.
HttpReply answer_introspection(World& world, const HttpRequest& request);
/// /control/…: see control.cpp for the list.
HttpReply answer_control(World& world, const HttpRequest& request);
/// …/authorize and what its pages send back, RFC 6749 §4.1.
HttpReply answer_authorize(World& world, const HttpRequest& request);
/// POST …/devicecode, and the page /device for people: RFC 8628.
HttpReply answer_device_code(World& world, const HttpRequest& request);
HttpReply answer_device_page(World& world, const HttpRequest& request);
/// GET …/.well-known/openid-configuration and …/keys.
HttpReply answer_discovery(World& world, const HttpRequest& request);
HttpReply answer_keys(World& world, const HttpRequest& request);
/// Picks one of them by path.
HttpReply answer(World& world, const HttpRequest& request);

/// Answers requests until the client leaves. Plain, or TLS with its handshake.
awaitable<void> serve_http(std::shared_ptr<asio::ip::tcp::socket> socket, World& world);
awaitable<void> serve_https(std::shared_ptr<asio::ssl::stream<asio::ip::tcp::socket>> stream, World& world);

}  // namespace sim

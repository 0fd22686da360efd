#pragma once

#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "protocols/wait/asio.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace sim {

struct HttpRequest {
    std::string method;
    std::string path;
    std::map<std::string, std::string> fields;  // of the query and of a form body, decoded
    std::string bearer;                         // token of the Authorization header
    std::string body;
};

struct HttpReply {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body{};
    std::chrono::seconds retry_after{};  // 0: no such header
    std::chrono::milliseconds after{};   // when it is sent
    bool dropped = false;                // the connection ends instead
};

/// "a=1&b=%20x+y" decoded; broken escapes stay as they are.
std::map<std::string, std::string> read_form(std::string_view text);

/// POST /token: RFC 6749 §6 with Entra's manners and the faults token_*.
HttpReply answer_token(World& world, const HttpRequest& request);
/// GET or POST /introspect: RFC 7662, for a mail server that wants to know whose token it got.
HttpReply answer_introspection(World& world, const HttpRequest& request);
/// /control/…: see control.cpp for the list.
HttpReply answer_control(World& world, const HttpRequest& request);
/// Picks one of them by path.
HttpReply answer(World& world, const HttpRequest& request);

/// Answers requests until the client leaves. Plain, or TLS with its handshake.
awaitable<void> serve_http(std::shared_ptr<asio::ip::tcp::socket> socket, World& world);
awaitable<void> serve_https(std::shared_ptr<asio::ssl::stream<asio::ip::tcp::socket>> stream, World& world);

}  // namespace sim

#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>

#include "protocols/http/message.hpp"

/// Between Beast's messages and ours; for the .cpp files of this folder.
namespace http {

namespace beast_http = boost::beast::http;

constexpr std::size_t unix_path_bytes_max = 107;

/// Ours for an error of Beast's parser.
error_code fault_of(const boost::system::error_code& beast_failed);
/// The value of Host.
std::string host_field(const Url& url);
/// The bytes of a request that closes the connection after its answer.
std::string written(const Request& request, const std::string& host);
/// The bytes of a response.
enum class After { keep_alive, close };
enum class Body { send, leave_out };  // left out after HEAD: the length stays
std::string written(const Response& response, After after, Body body);

Response taken(beast_http::response<beast_http::string_body> message);
Request taken(beast_http::request<beast_http::string_body> message);

}  // namespace http

#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/result.hpp"

namespace control {

/// Where a call comes from. The owner is whoever may open the data folder: behind the control socket, or without a
/// daemon.
enum class From { network, owner };

/// What a command or an API call asks for: the method and target of HTTP.
struct Request {
    std::string method = "GET";
    std::string target;  // path and query: /v1/mailboxes?limit=10
    std::string body{};
    From from = From::network;
    std::string type{};  // of the body: "application/json"; empty: not said
};

struct Response {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};  // further ones
};

inline constexpr std::string_view plain_type = "text/plain; charset=utf-8";
inline constexpr std::string_view mail_type = "message/rfc822";
inline constexpr std::string_view problem_type = "application/problem+json";

Response answer(const boost::json::value& value, unsigned status = 200);
/// {"title", "status", "detail": sentence}: problem details, whose type is about:blank. RFC 9457.
Response refusal(unsigned status, std::string_view sentence);
/// The same with further members.
Response refusal(unsigned status, std::string_view sentence, boost::json::object more);
/// A failure of the store or of secrets, with what to do.
Response failure(error_code reason);

}  // namespace control

#include "engine/local_api.hpp"

#include <boost/json/parse.hpp>

awaitable<console::Api::Reply> LocalApi::call(std::string method, std::string target, std::string body) {
    control::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    const auto response = co_await control::handle(here_, std::move(request));
    Reply reply;
    reply.status = response.status;
    error_code malformed;
    auto json = boost::json::parse(response.body, malformed);
    if (!malformed && json.is_object()) reply.body = std::move(json.as_object());
    co_return reply;
}

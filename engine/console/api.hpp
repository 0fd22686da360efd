#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/wait/asio.hpp"

namespace console {

/// The API of the services server, which the pages are a client of: in the same process, or over the network.
class Api {
public:
    virtual ~Api() = default;

    struct Reply {
        unsigned status = 0;  // of HTTP; 0: no answer came, and `trouble` says why
        boost::json::object body{};
        std::string trouble{}, remedy{};  // for people
    };
    /// `target` is path and query: /v1/credentials?limit=10
    virtual awaitable<Reply> call(std::string method, std::string target, std::string body) = 0;

    /// Whether it is the token of the API that somebody entered. Takes the same time for every wrong one.
    [[nodiscard]] virtual bool admits(std::string_view token) const = 0;
    /// Another one for each token: whoever logged in with the one before is out.
    [[nodiscard]] virtual std::uint64_t generation() const = 0;
};

/// The text under that key; empty when it is not there.
std::string text_at(const boost::json::object& object, std::string_view key);

}  // namespace console

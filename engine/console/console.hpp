#pragma once

#include <string>

#include "engine/tokens/sign_ins.hpp"
#include "protocols/http/message.hpp"

namespace console {

/// The pages that a person's browser sees. Today the one at the end of a sign-in: {external-url}/oauth/callback.
/// On the shard of the sign-ins.
class Console {
public:
    Console(tokens::SignIns& sign_ins, const Clock& clock);

    /// `external_url` is how browsers reach this listener: "https://desk.example.com", without a slash at its end.
    void reached_by(std::string external_url);
    [[nodiscard]] static bool has(std::string_view path) noexcept;
    awaitable<http::Response> answer(http::Request request);

private:
    awaitable<http::Response> callback(http::Request request);
    bool too_often();

    tokens::SignIns& sign_ins_;
    const Clock& clock_;
    std::string external_url_;
    Monotonic minute_{};
    std::size_t calls_ = 0;  // in it
};

/// Scheme, host and port of an external URL; nullopt: none, or more than that behind it.
std::optional<std::string> host_in(std::string_view external_url);

}  // namespace console

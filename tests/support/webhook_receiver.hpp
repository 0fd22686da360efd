#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/runtime/shard.hpp"
#include "protocols/base/random.hpp"
#include "protocols/http/server.hpp"

namespace support {

/// An application that takes events over HTTP at 127.0.0.1, on a thread of its own. It keeps everything that was
/// posted, also what it refused.
class WebhookReceiver {
public:
    /// The secret as an operator gives it.
    static constexpr std::string_view secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    struct Post {
        std::string id;
        std::string timestamp;
        std::string signature;
        std::string text;
        boost::json::object body;
        int answered = 0;
    };
    /// `status_for` the n-th post, from 0; on the receiver's thread.
    explicit WebhookReceiver(std::function<int(std::size_t)> status_for = [](std::size_t) { return 204; });
    ~WebhookReceiver();

    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::vector<Post> posts() const;
    /// Those that were taken, of that type ("alarm.raised").
    [[nodiscard]] std::vector<Post> taken(std::string_view type) const;

private:
    awaitable<http::Response> answer(http::Request request);

    SystemRandom random_;
    SystemClock clock_;
    std::function<int(std::size_t)> status_for_;
    mutable std::mutex mutex_;
    std::vector<Post> posts_;
    runtime::Shard shard_;
    std::unique_ptr<http::Server> server_;
};

}  // namespace support

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "protocols/net/seams.hpp"
#include "protocols/webhook/receiver.hpp"

namespace webhooks {

using webhook::Receiver;

/// What is posted once, or several times until it is taken. The id is the receiver's idempotency key.
struct Parcel {
    std::string id;
    std::string body;  // a CloudEvents JSON document
};

struct Taken {
    bool taken = false;  // a 2xx
    std::string says;    // otherwise why not, for people
    std::optional<std::chrono::seconds> retry_after{};
};

/// Posts it with the headers of Standard Webhooks. Redirects are not followed: they are answers that take nothing.
awaitable<Taken> post(Seams& seams, Receiver receiver, Parcel parcel, std::chrono::milliseconds within);

}  // namespace webhooks

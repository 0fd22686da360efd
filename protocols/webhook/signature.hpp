#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "protocols/base/secret.hpp"

namespace webhook {

/// The key of a webhook's secret: "whsec_" and base64 as Standard Webhooks writes it, or else the secret's own bytes.
Secret key_of(const Secret& secret);

/// Signs a body that comes piece by piece. Standard Webhooks 1.0.
class Signing {
public:
    Signing(const Secret& key, std::string_view id, std::string_view timestamp);
    ~Signing();
    Signing(const Signing&) = delete;
    Signing& operator=(const Signing&) = delete;

    void put(std::string_view piece);
    /// The header webhook-signature, "v1," and the base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY". Once.
    std::string finish();

private:
    struct Mac;
    std::unique_ptr<Mac> mac_;
};

/// The same for a body in one piece.
std::string signature_of(const Secret& key, std::string_view id, std::string_view timestamp, std::string_view body);

}  // namespace webhook

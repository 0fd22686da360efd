#pragma once

#include <string>
#include <string_view>

#include "protocols/base/secret.hpp"

namespace webhooks {

/// The key of a webhook's secret: "whsec_" and base64 as Standard Webhooks writes it, or else the secret's own bytes.
Secret key_of(const Secret& secret);

/// The header webhook-signature, "v1," and the base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY". Standard Webhooks 1.0.
std::string signature_of(const Secret& key, std::string_view id, std::string_view timestamp, std::string_view body);

}  // namespace webhooks

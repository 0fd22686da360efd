#pragma once

#include <optional>

#include "tools/rohrpost-sim/http_endpoint.hpp"

namespace sim {

constexpr std::string_view client_assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The application's id: of the form, or of an Authorization header; empty: none.
std::string client_id_of(const HttpRequest& request);
/// Whether the request proves that it comes from the application (secret, signed assertion, nothing for a public one);
/// otherwise the refusal.
std::optional<HttpReply> unproven(World& world, const Client& client, const HttpRequest& request);

}  // namespace sim

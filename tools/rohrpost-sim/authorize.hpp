#pragma once

#include <string>

#include "tools/rohrpost-sim/http_endpoint.hpp"

namespace sim {

/// Whether every scope may be asked for; otherwise the first that may not.
std::string foreign_scope(const IdentityProvider& identity, const std::vector<std::string>& scopes);

/// Begins a dialogue that was checked; returns its first page, or its end when nothing need be asked.
HttpReply begin_flow(World& world, Flow flow, const HttpRequest& request);

}  // namespace sim

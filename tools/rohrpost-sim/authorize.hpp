#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/rohrpost-sim/http_endpoint.hpp"
#include "tools/rohrpost-sim/refusals.hpp"

namespace sim {

/// Whether every scope may be asked for; otherwise the first that may not.
std::string foreign_scope(const IdentityProvider& identity, const std::vector<std::string>& scopes);

/// A first request: everything about the redirect is checked before anything may be sent there.
HttpReply begin_authorization(World& world, const HttpRequest& request);
/// The end without a redirect: the person reads it, the application learns nothing.
HttpReply page_of_refusal(IdentityProvider& identity, const Refusal& refusal, std::string_view words = {});
/// The browser goes back to the application with an error.
HttpReply back_with_refusal(World& world, const Flow& flow, const Refusal& refusal, std::string_view words = {});
/// Begins a dialogue that was checked; returns its first page, or its end when nothing need be asked.
HttpReply begin_flow(World& world, Flow flow, const HttpRequest& request);

}  // namespace sim

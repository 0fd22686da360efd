#pragma once

#include <memory>

#include "tools/rohrpost-sim/connection.hpp"
#include "tools/rohrpost-sim/world.hpp"

namespace simulation {

/// One request to the pretend provider's HTTP endpoints, answered; then the connection ends.
awaitable<void> serve_http(std::shared_ptr<sim::Connection> connection, sim::World& world);

}  // namespace simulation

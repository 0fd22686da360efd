#pragma once

#include "engine/config/flags.hpp"
#include "protocols/net/dial.hpp"

/// The flag --ip-family as diallers take it.
net::Family family_of(config::IpFamily family) noexcept;

#pragma once

#include "engine/config/flags.hpp"

/// Runs the daemon until it is told to end; returns the exit code.
int run_daemon(const config::RunFlags& flags);

#pragma once

#include <string>

namespace runtime {

/// Tells systemd about the state of the service, when it started us with Type=notify; otherwise does nothing.
void notify_ready(const std::string& status);
void notify_reloading();
void notify_stopping();
void notify_watchdog();

}  // namespace runtime

#pragma once

#include <memory>

#include "engine/config/flags.hpp"
#include "engine/console/console.hpp"
#include "engine/console/remote_api.hpp"
#include "engine/outside.hpp"
#include "engine/runtime/scope.hpp"
#include "engine/runtime/shard.hpp"
#include "protocols/http/server.hpp"

/// The console as a process of its own, on an application server: pages, and nothing else. It has no store, no key and
/// no mailbox; whatever it shows and does goes over the API of the services server. Made and run on the main thread.
class ConsoleProcess {
public:
    ConsoleProcess(config::RunFlags flags, Outside& outside);
    ~ConsoleProcess();

    /// Serves until SIGTERM or SIGINT; SIGHUP reads certificate and token again. The exit code. Throws StartError when
    /// a file cannot be read or the address is taken.
    int run();

private:
    awaitable<http::Response> answer(http::Request request);
    awaitable<http::Response> readiness();
    std::string metrics();
    static awaitable<void> reach(console::RemoteApi& api);
    awaitable<void> watch_signals();
    void reload();

    config::RunFlags flags_;
    runtime::Shard shard_;
    console::RemoteApi api_;
    console::Attempts attempts_;
    console::Console console_;
    std::unique_ptr<http::Server> server_;
    runtime::Scope scope_;  // last
};

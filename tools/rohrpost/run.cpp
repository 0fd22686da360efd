#include "tools/rohrpost/run.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include <csignal>
#include <cstdio>
#include <system_error>

#include "engine/console_process.hpp"
#include "engine/engine.hpp"
#include "engine/machine.hpp"
#include "engine/runtime/log.hpp"

int run_daemon(const config::RunFlags& flags) {
    std::signal(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error of the write, not of the process
    try {
        const bool json = flags.log_format == config::LogFormat::json;
        runtime::open_log(flags.log_level, json ? runtime::LogFormat::json : runtime::LogFormat::text);
        if (!flags.services_server.empty()) {
            config::RunFlags alone = flags;
            alone.proxy.clear();  // it is there for providers
            Machine machine(alone);
            ConsoleProcess console(alone, machine);
            return console.run();
        }
        Machine machine(flags);
        Engine engine(flags, machine);
        return engine.run();
    } catch (const StartError& failure) {
        fmt::print(stderr, "rohrpost: {}\n", failure.what());
        return failure.code();
    } catch (const std::system_error& failure) {
        if (failure.code() != std::errc::resource_unavailable_try_again) throw;
        fmt::print(stderr,
                   "rohrpost: the system has no thread for it: lower --threads, or raise TasksMax, LimitNPROC or "
                   "LimitAS\n");
        return EX_OSERR;
    }
}

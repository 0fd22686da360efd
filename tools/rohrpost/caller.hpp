#pragma once

#include <memory>
#include <string>

#include "engine/config/flags.hpp"
#include "engine/control/message.hpp"

namespace cli {

/// Carries calls to whoever has the store of a data folder: the daemon behind its control socket, or, when none runs,
/// this process, which opens the store itself.
class Caller {
public:
    virtual ~Caller() = default;
    /// Throws Failure when the daemon is lost on the way.
    virtual control::Response call(control::Request request) = 0;
    [[nodiscard]] virtual bool daemon_runs() const noexcept = 0;
};

/// What a command needs when no daemon runs.
struct Needs {
    bool new_store = false;  // import: makes the store and the key when they are missing
    bool checks = false;     // check: goes out to the network, with a token service of its own
    config::IpFamily ip_family = config::IpFamily::any;  // checks
    std::string proxy{};                                 // checks; empty: none
    bool secrets = false;                                // export --with-secrets: opens them
    std::string key_file{};                              // empty: DIR/key
};

/// Throws Failure: no store, in use, no rights, damaged, key wrong.
std::unique_ptr<Caller> caller_for(const std::string& data, const Needs& needs);

/// The body of a successful response. Throws Failure with the exit code that fits the refusal.
std::string accepted(const control::Response& response);
/// Calls and returns the body; throws Failure when it is refused.
std::string ask(Caller& caller, std::string method, std::string target);

/// For a part of a path or the value of a parameter.
std::string encoded(std::string_view text);

}  // namespace cli

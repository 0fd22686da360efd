#pragma once
/// What the doctor finds, as values.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/clock.hpp"

namespace doctor {

enum class Severity { ok, note, warning, fault };

/// Who can do something about it; of the worst fault it gives the exit code of `rohrpost check`.
enum class Owner {
    configuration,  // whoever wrote the import document, or registered the application
    account,        // whoever signs in, or administers the mailbox
    network,        // whoever keeps the machine and its way out
    nobody,         // it passes by itself
};

struct Subject {
    enum class Kind { mailbox, credential, provider, host } kind = Kind::mailbox;
    std::string name;  // its id, or host:port
    friend bool operator==(const Subject&, const Subject&) = default;
};

/// One thing that was looked at. Holds no secret.
struct Finding {
    std::string id;  // stable
    Severity severity = Severity::ok;
    Owner owner = Owner::nobody;
    Subject subject;
    std::string did, got;       // what was done, and what came back
    std::string cause, remedy;  // empty when all is well; a remedy may have several lines, some of them commands
};

/// What became of one mailbox: its own findings and those of what it depends on.
struct Outcome {
    std::string mailbox, address, credential;
    std::string provider;
    std::vector<std::string> hosts;  // host:port
    Severity worst = Severity::ok;
    std::string summary;  // a line
};

struct Report {
    WallTime begun_at{};
    std::chrono::milliseconds took{};
    Severity worst = Severity::ok;
    std::vector<Outcome> mailboxes;  // in order of id
    std::vector<Finding> findings;   // the worst first
};

/// "ok", "note", "warning", "fault"
std::string_view word_of(Severity severity) noexcept;
/// "mailbox", "credential", "provider", "host"
std::string_view word_of(Subject::Kind kind) noexcept;
/// "configuration", "account", "network", "nobody"
std::string_view word_of(Owner owner) noexcept;

}  // namespace doctor

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.hpp"

namespace powercut {

/// Where everything is that a program is configured with.
struct Rig {
    std::filesystem::path disk;     // the file system under test; the program's mail and state go there
    std::filesystem::path outside;  // its configuration, which is not to be lost
    std::filesystem::path runtime;  // what does not survive a start: pid files
    std::filesystem::path ca_file;
    std::string password;  // everybody's
    std::uint16_t imap_port = 0, pop3_port = 0;
};

/// When a mail counts as taken over for good, so that it may be gone elsewhere.
enum class Acknowledges {
    in_its_log,     // Rohrpost: its line that everything up to a UID is durable
    at_the_server,  // has it deleted there
    by_ending,      // leaves it there, and ends with success
};

/// A mail fetcher, and how it is used here.
struct Program {
    std::string name;
    std::string version;
    std::string configuration;  // what matters of it, in words
    Acknowledges acknowledges = Acknowledges::at_the_server;
    std::vector<std::string> addresses;              // the mailboxes it fetches
    std::optional<support::Process::Start> prepare;  // before the first mail
    std::optional<support::Process::Start> serve;    // a daemon until it is killed; nothing: `fetch` again and again
    support::Process::Start fetch;                   // takes what is there, and ends
    int nothing_new = 0;                             // its exit code then
    std::filesystem::path maildir;
    std::vector<std::filesystem::path> locks;  // files with the pid of a process that does not survive a power cut
    bool byte_exact = false;                   // a mail counts only when no byte of it has changed
    std::optional<support::Process::Account> account;  // owns the disk; nothing: root
};

/// Whether it needs POP3. Throws std::runtime_error for an unknown name.
bool speaks_pop3(const std::string& name);
/// The Debian packages it is in.
std::vector<std::string> packages_of(const std::string& name);
/// Writes its configuration. Throws std::runtime_error for an unknown name.
Program configured(const std::string& name, const Rig& rig);
std::vector<std::string> program_names();

}  // namespace powercut

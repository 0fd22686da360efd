#include <fmt/format.h>

#include <sys/resource.h>
#include <CLI/CLI.hpp>
#include <array>

#include <cstdio>

#include "engine/config/faults.hpp"
#include "engine/config/flags.hpp"
#include "engine/control/version.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/run.hpp"

namespace cli {
namespace {

constexpr std::array<Command, 15> commands{{
    {"run", "The daemon: fetches mail, sends mail, tells what is wrong", run_command},
    {"import", "Take in providers, credentials, mailboxes and consumers from a JSON document", import_command},
    {"export", "Print that document, with or without secrets", export_command},
    {"authorize", "First token: let the owner of a credential sign in at the provider", authorize_command},
    {"api-token", "A new token for the API and the console's log-in", api_token_command},
    {"credential", "list, show credentials: whose tokens are current, and what to do", credential_command},
    {"check", "The doctor: why mail is not fetched, and what helps", check_command},
    {"mailbox", "list, show, pause, resume, remove mailboxes", mailbox_command},
    {"inbox", "list, read and acknowledge mail of a pull consumer", inbox_command},
    {"send", "Read a message from standard input and queue it, as sendmail does", send_command},
    {"queue", "list, show, hold, release, retry, cancel what waits to be sent; drain", queue_command},
    {"key", "rotate the key that secrets are sealed with", key_command},
    {"remove", "Take a provider, credential, consumer, webhook or alarm away", remove_command},
    {"status", "How the store and the daemon are doing", status_command},
    {"alarms", "What is wrong and operators were told of", alarms_command},
}};

void print_help() {
    fmt::print("Rohrpost {}: a mail transport engine.\n\nUsage: rohrpost COMMAND [flags]\n\nCommands:\n",
               control::version);
    for (const Command& command : commands) fmt::print("  {:<10} {}\n", command.name, command.what);
    fmt::print("\nrohrpost COMMAND --help explains each. --data DIR goes with every command (default {}).\n",
               config::default_data());
}

/// `--data DIR` in front of the command's name goes with it, too.
void move_data_behind_command(Words& words) {
    if (words.size() > 2 && words[0] == "--data") {
        std::rotate(words.begin(), words.begin() + 2, words.begin() + 3);
    } else if (words.size() > 1 && words[0].starts_with("--data=")) {
        std::swap(words[0], words[1]);
    }
}

int dispatch(Words words) {
    move_data_behind_command(words);
    if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
        print_help();
        return EX_OK;
    }
    if (words[0] == "--version") {
        fmt::print("rohrpost {}\n", control::version);
        return EX_OK;
    }
    std::vector<std::string_view> names;
    for (const Command& command : commands) {
        if (command.name == words[0]) return command.act(Words(words.begin() + 1, words.end()));
        names.push_back(command.name);
    }
    std::string hint = config::suggestion(words[0], names);
    if (hint.empty()) hint = "; rohrpost --help lists all";
    throw Failure(EX_USAGE, fmt::format("there is no command \"{}\"{}", words[0], hint));
}

}  // namespace

namespace {

bool gives(const Words& words, std::string_view flag) {
    return std::any_of(words.begin(), words.end(), [flag](const std::string& word) {
        return word == flag || (word.starts_with(flag) && word.substr(flag.size()).starts_with('='));
    });
}

/// A fault that names a flag which nobody gave on the command line comes from the file of --config.
bool is_of_file(const Words& words, std::string_view what) {
    const auto flag = what.substr(0, what.find(':'));
    return gives(words, "--config") && flag.starts_with("--") && !gives(words, flag);
}

}  // namespace

bool parse(CLI::App& app, Words words) {
    const Words given = words;
    std::reverse(words.begin(), words.end());
    try {
        app.parse(std::move(words));
        return true;
    } catch (const CLI::CallForHelp&) {
        fmt::print("{}", app.help());
        return false;
    } catch (const CLI::ConfigError& error) {
        constexpr std::string_view prefix = "INI was not able to parse ";  // CLI11's words for a key it does not know
        const std::string_view what = error.what();
        if (!what.starts_with(prefix)) throw Failure(EX_CONFIG, fmt::format("the file of --config: {}", what));
        throw Failure(EX_CONFIG, fmt::format("the file of --config: there is no flag \"{}\" ({} --help lists all)",
                                             what.substr(prefix.size()), app.get_name()));
    } catch (const CLI::FileError& error) {
        throw Failure(EX_NOINPUT, error.what());
    } catch (const CLI::ParseError& error) {
        if (is_of_file(given, error.what())) {
            throw Failure(EX_CONFIG,
                          fmt::format("the file of --config: {} ({} --help explains)", error.what(), app.get_name()));
        }
        throw Failure(EX_USAGE, fmt::format("{} ({} --help explains)", error.what(), app.get_name()));
    }
}

int run_command(Words words) {
    config::RunFlags flags;
    CLI::App app(
        "Runs the daemon. SIGTERM ends it after sessions have finished their message, SIGHUP loads the "
        "configuration again.",
        "rohrpost run");
    config::declare(app, flags);
    if (!parse(app, std::move(words))) return EX_OK;
    return run_daemon(flags);
}

}  // namespace cli

namespace {

/// A core file would hold tokens and the key. One byte and not none: no file is that small, and where core_pattern
/// names a program, which ignores the limit (core(5)), the kernel takes exactly this value to mean "no dump"
/// (fs/coredump.c).
void forbid_core_files() {
    const rlimit one_byte{1, 1};
    setrlimit(RLIMIT_CORE, &one_byte);
}

}  // namespace

int main(int count, char** words) {
    forbid_core_files();
    int code = EX_SOFTWARE;
    std::string line;
    try {
        code = cli::dispatch(cli::Words(words + 1, words + count));
    } catch (const cli::Failure& failure) {
        code = failure.code();
        line = failure.what();
    } catch (const std::exception& error) {
        line = fmt::format("unexpected: {}", error.what());
    }
    if (std::fflush(stdout) != 0 && code == EX_OK) {
        code = EX_IOERR;
        line = "standard output cannot be written";
    }
    if (!line.empty()) fmt::print(stderr, "rohrpost: {}\n", line);
    return code;
}

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rohrpost/exit.hpp"

namespace CLI {
class App;
}

namespace cli {

using Words = std::vector<std::string>;

/// One command of the program: its name, a line of help, and what it does with the words after its name. Returns the
/// exit code, or throws Failure.
struct Command {
    std::string_view name;
    std::string_view what;
    int (*act)(Words words);
};

int run_command(Words words);
int authorize_command(Words words);
int check_command(Words words);
int import_command(Words words);
int export_command(Words words);
int api_token_command(Words words);
int credential_command(Words words);
int mailbox_command(Words words);
int key_command(Words words);
int inbox_command(Words words);
int send_command(Words words);
int queue_command(Words words);
int remove_command(Words words);
int status_command(Words words);
int alarms_command(Words words);

/// Parses the words after a command's name. False: help was asked for and has been printed. Throws Failure.
[[nodiscard]] bool parse(CLI::App& app, Words words);

}  // namespace cli

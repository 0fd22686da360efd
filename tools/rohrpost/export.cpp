#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "engine/config/flags.hpp"
#include "protocols/base/secret.hpp"
#include "queue/store/file.hpp"
#include "tools/rohrpost/caller.hpp"
#include "tools/rohrpost/commands.hpp"

namespace cli {
namespace {

/// Whole or not at all, for its owner alone.
Result<void> write_file(store::Disk& disk, const std::filesystem::path& path, std::string_view bytes) {
    auto draft = path;
    draft += ".new";
    auto done = disk.remove(draft);  // its mode would stay
    if (!done && !store::is_missing(done.error())) return done;
    auto file = disk.open(draft, store::Disk::Mode::create);
    if (!file) return file.error();
    done = (*file)->write(bytes, 0);
    if (done) done = (*file)->sync();
    if (done) done = disk.rename(draft, path);
    if (done) return disk.sync_directory(path.parent_path());
    (void)disk.remove(draft);
    return done;
}

void write_output(const std::string& output, std::string_view text) {
    if (output.empty()) {
        fmt::print("{}", text);
        if (std::fflush(stdout) != 0) throw Failure(EX_IOERR, "standard output does not take it");
        return;
    }
    store::SystemDisk disk;
    const auto written = write_file(disk, std::filesystem::absolute(output), text);
    if (!written) throw Failure(EX_CANTCREAT, fmt::format("{}: {}", output, written.error().message()));
}

}  // namespace

int export_command(Words words) {
    std::string data;
    std::string output;
    Needs needs;
    CLI::App app(
        "Prints the configuration as an import document. Secrets stay sealed: they show as {\"sealed\": true}.",
        "rohrpost export");
    config::declare_data(app, data);
    app.add_flag("--with-secrets", needs.secrets,
                 "Open the secrets: passwords, client secrets, keys, and refresh tokens as they are now, so that an "
                 "import elsewhere goes on with them. For a file or a pipe, not for a terminal");
    app.add_option("--output", output, "Write it there (mode 0600), whole or not at all, instead of printing it")
        ->type_name("FILE");
    app.add_option("--key-file", needs.key_file, "The key secrets are sealed with, when no daemon runs")
        ->type_name("FILE")
        ->default_str("DIR/key");
    if (!parse(app, std::move(words))) return EX_OK;
    if (needs.secrets && output.empty() && ::isatty(STDOUT_FILENO) == 1) {
        throw Failure(EX_USAGE, "secrets are not shown on a terminal: name a file with --output");
    }
    const auto caller = caller_for(data, needs);
    const Secret text(ask(*caller, "GET", needs.secrets ? "/v1/configuration?secrets=open" : "/v1/configuration"));
    write_output(output, text.reveal());
    if (needs.secrets) {
        fmt::print(stderr,
                   "this export has all secrets in it, readable: keep it like a key. Refresh tokens change with "
                   "use: serve these credentials from one place only\n");
    }
    return EX_OK;
}

}  // namespace cli

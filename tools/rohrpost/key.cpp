#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "engine/config/flags.hpp"
#include "engine/secrets/key_file.hpp"
#include "engine/secrets/reseal.hpp"
#include "tools/rohrpost/commands.hpp"
#include "tools/rohrpost/offline_store.hpp"

namespace cli {
namespace {

secrets::Key new_key(const std::filesystem::path& path, Random& random) {
    auto key = secrets::create_key(path, random);
    if (!key) throw Failure(EX_CANTCREAT, fmt::format("{}: {}", path.string(), key.error().message()));
    return std::move(*key);
}

/// A new key that nothing came to be sealed with is of no use to anybody.
secrets::Resealed resealed(store::Store& store, const secrets::Keyring& from, const secrets::Keyring& to,
                           const std::filesystem::path& new_key_file) {
    check_store(store.begin());
    std::string at;
    const auto done = secrets::reseal(store, from, to, at);
    if (!done) {
        store.rollback();
        std::error_code stays;
        std::filesystem::remove(new_key_file, stays);
        throw Failure(EX_DATAERR, fmt::format("{}{}; nothing was changed, the key is the one before",
                                              at.empty() ? "" : at + ": ", done.error().message()));
    }
    check_store(store.commit());
    return *done;
}

/// The new key is durable before anything is sealed with it, and lies beside the old one until the store has gone over
/// to it: whenever this is interrupted, the next start finds the right one.
void rotate(const std::string& data, const secrets::KeySource& source, const std::string& to) {
    const bool in_place = to.empty();
    if (in_place && source.kind != secrets::KeySource::Kind::file) {
        throw Failure(EX_USAGE,
                      fmt::format("the key comes from {}, which is not changed from here: name a file for the "
                                  "new one with --to, and put it in the place of the old one afterwards",
                                  source.name()));
    }
    std::error_code wrong;
    if (!std::filesystem::exists(std::filesystem::path(data) / "ledger.db", wrong)) {
        throw Failure(EX_NOINPUT, fmt::format("{}: there is no store: name the right folder with --data", data));
    }
    store::SystemDisk disk;
    SystemRandom random;
    const auto opened = offline_store(disk, data);
    const auto before = offline_keyring(*opened.store, source, random);
    const auto path = in_place ? secrets::next_of(source.file) : std::filesystem::path(to);
    if (in_place)
        std::filesystem::remove(path, wrong);  // of a rotation that came to nothing: the store is sealed with the other
    const secrets::Keyring after(new_key(path, random), random);
    const auto count = resealed(*opened.store, before, after, path);
    fmt::print("{} secrets and {} grants are sealed with the new key\n", count.secrets, count.grants);
    if (!in_place) {
        fmt::print("it is in {}: put it in the place of {} before the daemon starts\n", path.string(), source.name());
        return;
    }
    const auto replaced = secrets::replace_key(source.file);
    if (!replaced) {
        throw Failure(EX_CANTCREAT, fmt::format("{} could not be put in the place of {}: do so by hand", path.string(),
                                                source.file.string()));
    }
    fmt::print("{} is the new key; {} opens backups that were made before: keep it with them, or delete it\n",
               source.file.string(), replaced->string());
}

}  // namespace

int key_command(Words words) {
    std::string data;
    std::string key_file;
    std::string to;
    CLI::App app("The key that secrets are sealed with.", "rohrpost key");
    app.require_subcommand(1);
    auto* rotation = app.add_subcommand(
        "rotate", "Seal all secrets and grants with a new key. The daemon must not run meanwhile; it takes seconds.");
    config::declare_data(*rotation, data);
    rotation->add_option("--key-file", key_file, "The key of now, when it is not where the daemon finds it by itself")
        ->type_name("FILE");
    rotation->add_option("--to", to, "Write the new key there, instead of in the place of the old one")
        ->type_name("FILE");
    if (!parse(app, std::move(words))) return EX_OK;
    rotate(data, secrets::find_key(key_file, data), to);
    return EX_OK;
}

}  // namespace cli

#include "tests/simulation/process.hpp"

#include <cstdlib>
#include <stdexcept>

#include "engine/config/import.hpp"
#include "tools/rohrpost-sim/certificates.hpp"

namespace simulation {

Ground::Ground() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rohrpost-simulation-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory can be made");
    directory_ = pattern;
    sim::write_private_file(key_file(), std::string(32, 'k'));
    const sim::Authority authority("Rohrpost pretend authority");
    sim::write_private_file(ca_file(), authority.certificate_pem());
}

Ground::~Ground() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

bool Process::start(const config::RunFlags& flags, const EngineSizes& sizes) {
    try {
        engine_ = std::make_unique<Engine>(flags, *this, sizes);
    } catch (const StartError& error) {
        failure_ = error.what();
        return false;
    }
    engine_->begin();
    return true;
}

void install(store::Disk& disk, const config::RunFlags& flags, const EngineSizes& sizes, std::string_view document) {
    store::OpenFailure failure;
    auto opened = store::open_store(disk, flags.data, sizes.store, &failure);
    if (!opened) throw std::runtime_error(failure.sentence);
    auto& store = *opened->store;
    const auto done = [](bool worked, const std::string& what) {
        if (!worked) throw std::runtime_error(what);
    };
    Dice dice(1);
    done(store.begin().has_value(), "no transaction");
    const auto keyring = secrets::Keyring::open(std::filesystem::path(flags.key_file), store, dice);
    done(keyring.has_value(), "the key file");
    auto reading = config::read_document(document, config::NoSources());
    done(reading.faults.empty(),
         reading.faults.empty() ? "" : "the document: " + config::text_of(reading.faults.list().front()));
    const auto imported = config::import_into(store, *keyring, reading.document);
    done(imported.has_value() && imported->faults.empty(), "the import");
    done(store.commit().has_value(), "the commit");
}

}  // namespace simulation

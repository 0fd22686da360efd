#pragma once

#include <string>

#include "engine/secrets/keyring.hpp"
#include "queue/store/open.hpp"

namespace cli {

/// The store in a data folder, for a command that opens it itself: no daemon has it then. Throws Failure with the exit
/// code that fits.
store::OpenedStore offline_store(store::Disk& disk, const std::string& data);
/// Its key. A transaction of its own: the key and what the store remembers of it are there before anything is sealed.
/// Throws Failure.
secrets::Keyring offline_keyring(store::Store& store, const secrets::KeySource& source, Random& random);
/// Throws Failure when `done` is an error of the store.
void check_store(const Result<void>& done);

}  // namespace cli

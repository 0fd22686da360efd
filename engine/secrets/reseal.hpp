#pragma once

#include "engine/secrets/keyring.hpp"

namespace secrets {

struct Resealed {
    std::size_t secrets = 0;
    std::size_t grants = 0;
};

/// Seals everything in the store with `to`, which it is sealed with `from`. Inside a transaction: all of it or nothing.
/// Errors: malformed, foreign_key, tampered, of the secret that `at` names then ("desk: client_secret"); the store's.
Result<Resealed> reseal(store::Store& store, const Keyring& from, const Keyring& to, std::string& at);

}  // namespace secrets

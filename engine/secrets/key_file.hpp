#pragma once

#include <filesystem>

#include "engine/secrets/key_source.hpp"
#include "engine/secrets/sealing.hpp"

namespace secrets {

/// Reads the key. It is written as 32 bytes, or as these in base64 or hexadecimal.
/// Errors: key_missing, key_unreadable, key_exposed, key_wrong_size.
Result<Key> read_key(const KeySource& source);

/// Makes a new key in a file that does not exist yet (mode 0600), durably. Errors: key_uncreatable.
Result<Key> create_key(const std::filesystem::path& path, Random& random);

/// While a rotation is under way the next key lies beside the one it replaces.
std::filesystem::path next_of(const std::filesystem::path& key_file);
/// Puts the next key in the place of the key, which stays beside it under another name (key.old, key.old.2, …: none is
/// ever overwritten); durable when it returns. May be interrupted anywhere and done again. That name; empty: there was
/// no key. Errors: key_uncreatable.
Result<std::filesystem::path> replace_key(const std::filesystem::path& key_file);

}  // namespace secrets

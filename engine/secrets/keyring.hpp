#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "engine/secrets/sealing.hpp"
#include "queue/store/store.hpp"

namespace secrets {

/// The key of a store, from its key file. Seals and opens what the store keeps; const, any thread.
class Keyring {
public:
    /// Reads the key file. A store that was never sealed gets one: the file is created (32 random bytes, mode 0600)
    /// when it is missing, and the store remembers a check value. Call it inside a transaction of the store, or in a
    /// committer's job: it may write meta.
    /// Errors: key_missing, key_unreadable, key_exposed, key_wrong_size, key_foreign, key_uncreatable; the store's.
    static Result<Keyring> open(const std::filesystem::path& key_file, store::Store& store, Random& random);

    /// A keyring without file or store.
    Keyring(Key key, Random& random) : key_(std::move(key)), random_(&random) {}

    /// `owner` and `name` are those of Store::put_secret: the sealed secret opens for them only.
    [[nodiscard]] std::string seal(std::string_view owner, std::string_view name, const Secret& plain) const;
    /// Errors: malformed, foreign_key, tampered.
    [[nodiscard]] Result<Secret> unseal(std::string_view owner, std::string_view name, std::string_view sealed) const;

private:
    Key key_;
    Random* random_;
};

}  // namespace secrets

#pragma once

#include <string>
#include <string_view>

#include "engine/secrets/key_source.hpp"
#include "engine/secrets/sealing.hpp"
#include "queue/store/store.hpp"

namespace secrets {

/// The name that a credential's grant is sealed under; its owner is the credential.
inline constexpr std::string_view grant_name = "grant";

/// The key of a store. Seals and opens what the store keeps; const, any thread.
class Keyring {
public:
    /// Reads the key. A store that was never sealed gets one: a key file is created (32 random bytes, mode 0600) when
    /// it is missing, and the store remembers a check value. Finishes a rotation that was interrupted. Call it inside a
    /// transaction of the store, or in a committer's job: it may write meta.
    /// Errors: key_missing, key_unreadable, key_exposed, key_wrong_size, key_foreign, key_uncreatable; the store's.
    static Result<Keyring> open(const KeySource& source, store::Store& store, Random& random);

    /// A keyring of any key, without a store.
    Keyring(Key key, Random& random) : key_(std::move(key)), random_(&random) {}

    /// Inside a transaction: the store is sealed with this key from now on.
    Result<void> own(store::Store& store) const;
    /// `owner` and `name` are those of Store::put_secret: the sealed secret opens for them only.
    [[nodiscard]] std::string seal(std::string_view owner, std::string_view name, const Secret& plain) const;
    /// Errors: malformed, foreign_key, tampered.
    [[nodiscard]] Result<Secret> unseal(std::string_view owner, std::string_view name, std::string_view sealed) const;

private:
    [[nodiscard]] bool opens(std::string_view check) const;

    Key key_;
    Random* random_;
};

}  // namespace secrets

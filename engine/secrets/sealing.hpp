#pragma once

#include <string>
#include <string_view>

#include "engine/secrets/errc.hpp"
#include "protocols/base/random.hpp"
#include "protocols/base/result.hpp"
#include "protocols/base/secret.hpp"

namespace secrets {

inline constexpr std::size_t key_bytes = 32;
inline constexpr std::size_t key_id_bytes = 8;
inline constexpr std::size_t sealed_overhead_bytes = 1 + key_id_bytes + 12 + 16;

/// A key of AES-256 and the name that sealed secrets carry of it. A value; any thread.
class Key {
public:
    /// Errors: key_wrong_size.
    static Result<Key> from_bytes(Secret bytes);

    [[nodiscard]] const Secret& bytes() const noexcept { return bytes_; }
    /// The first bytes of a hash of the key: tells keys apart, tells nothing about the key.
    [[nodiscard]] const std::string& id() const noexcept { return id_; }

private:
    Key(Secret bytes, std::string id) : bytes_(std::move(bytes)), id_(std::move(id)) {}

    Secret bytes_;
    std::string id_;
};

/// Seals `plain` with AES-256-GCM and a fresh random 96-bit nonce. `place` names what the secret belongs to; it is
/// authenticated, so a sealed secret opens nowhere else.
/// Layout: version (1 byte, 1), key id (8), nonce (12), ciphertext, tag (16). NIST SP 800-38D.
std::string seal(const Key& key, std::string_view place, const Secret& plain, Random& random);

/// Opens what seal() made for the same key and place. Errors: malformed, foreign_key, tampered.
Result<Secret> unseal(const Key& key, std::string_view place, std::string_view sealed);

}  // namespace secrets

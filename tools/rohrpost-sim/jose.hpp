#pragma once
/// Signed tokens (JWS, JWT, JWK: RFC 7515, 7517, 7519) as far as an identity provider needs them. On purpose without
/// anything of the product's: two implementations that agree prove each other.

#include <openssl/evp.h>

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/base/random.hpp"

namespace sim {

enum class Algorithm { rs256, ps256 };
std::string_view name_of(Algorithm algorithm);

/// The 32 bytes of SHA-256.
std::string sha256(std::string_view bytes);

/// An RSA key: both halves, or the public one only. Copies share it.
class RsaKey {
public:
    /// 2048 bits that follow from `random` alone, so that a simulated world has the same ones each time.
    static RsaKey drawn_from(Random& random);
    /// A private key, a public key or a certificate; nullopt: none of them, or not RSA.
    static std::optional<RsaKey> from_pem(std::string_view pem);

    /// The key's own name: a hash of it (RFC 7638).
    [[nodiscard]] const std::string& kid() const noexcept { return kid_; }
    /// "kty", "use", "kid", "n", "e".
    [[nodiscard]] boost::json::object jwk() const;
    [[nodiscard]] std::string private_pem() const;
    [[nodiscard]] std::string public_pem() const;
    [[nodiscard]] std::string sign(Algorithm algorithm, std::string_view bytes) const;
    [[nodiscard]] bool verifies(Algorithm algorithm, std::string_view bytes, std::string_view signature) const;

private:
    explicit RsaKey(std::shared_ptr<EVP_PKEY> key);
    std::shared_ptr<EVP_PKEY> key_;
    std::string modulus_, exponent_, kid_;
};

/// base64url of SHA-256 (or SHA-1) over the DER of a certificate: "x5t#S256" (or "x5t"); empty: no certificate.
std::string thumbprint_sha256(std::string_view certificate_pem);
std::string thumbprint_sha1(std::string_view certificate_pem);

/// A signed token taken apart; nothing is verified yet.
struct Jwt {
    boost::json::object header;
    boost::json::object claims;
    std::string signed_part;
    std::string signature;

    [[nodiscard]] std::string header_text(std::string_view key) const;
    /// Empty: absent, or not a string.
    [[nodiscard]] std::string text(std::string_view key) const;
    /// A whole number of seconds; nullopt: absent, something else, or so large that sums would overflow.
    [[nodiscard]] std::optional<std::int64_t> number(std::string_view key) const;
    /// RS256 and PS256 only; "none" and the rest: nullopt.
    [[nodiscard]] std::optional<Algorithm> algorithm() const;
};
std::optional<Jwt> read_jwt(std::string_view token);
/// "alg" and "kid" are added to `header` when it lacks them.
std::string signed_jwt(boost::json::object header, const boost::json::object& claims, const RsaKey& key,
                       Algorithm algorithm = Algorithm::rs256);
/// "alg": "none" and an empty signature.
std::string unsigned_jwt(const boost::json::object& claims);

}  // namespace sim

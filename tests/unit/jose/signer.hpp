#pragma once
/// Keys and signed tokens for tests: made by openssl(1) and by OpenSSL's functions, with any header and any payload.

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace jose_test {

/// A private key of a test.
class Signer {
public:
    /// "RSA" of so many bits, or "EC" on P-256.
    explicit Signer(const std::string& type, unsigned bits = 2048);

    [[nodiscard]] std::string pem() const;  // PKCS#8
    /// Its public half as members of a JWK: "kty" and the numbers, without braces.
    [[nodiscard]] std::string members() const;
    /// A JWK set of this key alone.
    [[nodiscard]] std::string key_set(std::string_view id) const;
    /// `header` and `payload` as they are, signed by `algorithm` (RS256, PS256, ES256).
    [[nodiscard]] std::string signed_as(std::string_view algorithm, std::string_view header,
                                        std::string_view payload) const;

private:
    [[nodiscard]] std::string number(const char* name, std::size_t bytes) const;

    std::shared_ptr<evp_pkey_st> key_;
};

/// Made once; 2048 bits.
const Signer& rsa_signer();
const Signer& other_rsa_signer();
const Signer& ec_signer();

/// A certificate of it, PEM, good for 30 days.
std::string certificate_of(const Signer& signer);

/// What openssl(1) writes to standard output, text only; throws unless it ends with 0.
std::string openssl(std::string_view arguments, std::string input = {}, const std::string& directory = "/");

}  // namespace jose_test

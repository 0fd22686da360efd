#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/base/secret.hpp"

struct evp_pkey_st;
struct x509_st;

namespace jose {

inline constexpr std::size_t pem_bytes_max = 64U << 10U;

/// An RSA key that signs. Copies share it; OpenSSL wipes it when the last one ends. Any thread may use it.
struct PrivateKey {
    std::shared_ptr<evp_pkey_st> key;
};

/// The first private key of a PEM text, in PKCS#8 (RFC 5958) or PKCS#1 (RFC 8017 appendix A.1.2). Other blocks, like
/// certificates, may stand beside it. Errors: too_long, encrypted_key, no_private_key, not_rsa, weak_key, bad_key.
Result<PrivateKey> read_private_key(const Secret& pem);

struct Certificate {
    std::string thumbprint;  // SHA-256 over its DER, in base64url: x5t#S256 of RFC 7515 §4.1.8
    WallTime not_before{};
    WallTime not_after{};
    std::shared_ptr<x509_st> certificate;
};

/// The first certificate of a PEM text. Errors: too_long, no_certificate.
Result<Certificate> read_certificate(std::string_view pem);

/// Whether the certificate is of this key.
bool belongs(const Certificate& certificate, const PrivateKey& key);

}  // namespace jose

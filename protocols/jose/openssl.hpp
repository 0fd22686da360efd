#pragma once
/// What OpenSSL hands out, owned. For the files of this folder.

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

namespace jose {

template <auto free>
struct Freed {
    template <class T>
    void operator()(T* object) const noexcept {
        free(object);
    }
};
template <class T, auto free>
using Owned = std::unique_ptr<T, Freed<free>>;

using Bio = Owned<BIO, BIO_free_all>;
using Number = Owned<BIGNUM, BN_free>;
using Digesting = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using KeyMaking = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using EcSignature = Owned<ECDSA_SIG, ECDSA_SIG_free>;
using Parameters = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using ParameterMaking = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;

/// Leaves no error behind: TLS on the same thread would take it for its own.
class ErrorsForgotten {
public:
    ErrorsForgotten() = default;
    ErrorsForgotten(const ErrorsForgotten&) = delete;
    ErrorsForgotten& operator=(const ErrorsForgotten&) = delete;
    ~ErrorsForgotten() { ERR_clear_error(); }
};

inline const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace jose

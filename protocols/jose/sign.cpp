#include "protocols/jose/sign.hpp"

#include <openssl/rsa.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/base/ensure.hpp"
#include "protocols/jose/errc.hpp"
#include "protocols/jose/openssl.hpp"

namespace jose {
namespace {

/// Empty: the key does not sign, as happens when its parts don't fit each other.
std::string signature_of(std::string_view text, Algorithm algorithm, EVP_PKEY* key) {
    const ErrorsForgotten forgotten;
    const Digesting digesting(EVP_MD_CTX_new());
    EVP_PKEY_CTX* context = nullptr;  // the digest's
    if (!digesting || EVP_DigestSignInit(digesting.get(), &context, EVP_sha256(), nullptr, key) != 1) return {};
    const int padding = algorithm == Algorithm::ps256 ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    if (EVP_PKEY_CTX_set_rsa_padding(context, padding) != 1) return {};
    if (algorithm == Algorithm::ps256 && (EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) != 1 ||
                                          EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
        return {};
    }
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
    std::size_t size = signature.size();
    const int done = EVP_DigestSign(digesting.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                                    bytes_of(text), text.size());
    signature.resize(done == 1 ? size : 0);
    return signature;
}

}  // namespace

Result<Secret> sign(const SignHeader& header, std::string_view claims, const PrivateKey& key) {
    ensure(header.algorithm != Algorithm::es256 && key.key != nullptr, "tokens are signed with RSA keys");
    boost::json::object parts{{"alg", name_of(header.algorithm)}, {"typ", "JWT"}};
    if (!header.key_id.empty()) parts["kid"] = header.key_id;
    if (!header.thumbprint.empty()) parts["x5t#S256"] = header.thumbprint;
    std::string text = base64url_encoded(boost::json::serialize(parts)) + '.' + base64url_encoded(claims);
    const auto bytes = signature_of(text, header.algorithm, key.key.get());
    if (bytes.empty()) return errc::bad_key;
    const auto signature = base64url_encoded(bytes);
    std::string compact;
    compact.reserve(text.size() + 1 + signature.size());
    compact.append(text).append(1, '.').append(signature);
    return Secret(std::move(compact));
}

}  // namespace jose

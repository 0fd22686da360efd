#include "protocols/jose/verify.hpp"

#include <openssl/rsa.h>

#include <optional>
#include <vector>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/jose/errc.hpp"
#include "protocols/jose/json.hpp"
#include "protocols/jose/openssl.hpp"

namespace jose {
namespace {

constexpr std::size_t header_bytes_max = 8U << 10U;
constexpr std::size_t coordinate_bytes = 32;

struct Header {
    Algorithm algorithm = Algorithm::rs256;
    std::optional<std::string> key_id;
    std::string type;
};

Result<Header> read_header(std::string_view encoded) {
    const auto text = base64url_decoded(encoded);
    if (!text) return errc::not_compact;
    const auto object = read_object(*text, header_bytes_max);
    if (!object) return object.error();
    const auto algorithm = algorithm_of(text_at(*object, "alg"));
    if (!algorithm) return errc::algorithm_refused;
    if (object->contains("crit")) return errc::critical_header;
    Header header{.algorithm = *algorithm, .key_id = {}, .type = std::string(text_at(*object, "typ"))};
    if (const auto* id = object->if_contains("kid")) {
        if (!id->is_string()) return errc::not_compact;
        header.key_id = std::string(id->get_string());
    }
    return header;
}

bool fits(const Key& key, Algorithm algorithm) {
    const bool for_ec = algorithm == Algorithm::es256;
    return (key.type == Key::Type::ec_p256) == for_ec && (key.use_of.empty() || key.use_of == name_of(algorithm));
}

/// The two numbers of RFC 7518 §3.4 in the form that OpenSSL reads; empty: not two numbers.
std::string ec_signature(std::string_view pair) {
    if (pair.size() != 2 * coordinate_bytes) return {};
    Number r(BN_bin2bn(bytes_of(pair), coordinate_bytes, nullptr));
    Number s(BN_bin2bn(bytes_of(pair.substr(coordinate_bytes)), coordinate_bytes, nullptr));
    const EcSignature signature(ECDSA_SIG_new());
    if (!r || !s || !signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
    (void)r.release();  // the signature's now
    (void)s.release();
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    if (size <= 0) return {};
    std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return text;
}

bool is_signed_by(EVP_PKEY* key, Algorithm algorithm, std::string_view text, std::string_view signature) {
    const std::string of_ec = algorithm == Algorithm::es256 ? ec_signature(signature) : std::string();
    if (algorithm == Algorithm::es256) signature = of_ec;
    const Digesting digesting(EVP_MD_CTX_new());
    EVP_PKEY_CTX* context = nullptr;  // the digest's
    if (!digesting || EVP_DigestVerifyInit(digesting.get(), &context, EVP_sha256(), nullptr, key) != 1) return false;
    if (algorithm == Algorithm::rs256 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1) return false;
    if (algorithm == Algorithm::ps256 && (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) != 1 ||
                                          EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) != 1 ||
                                          EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
        return false;
    }
    return EVP_DigestVerify(digesting.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
}

}  // namespace

Result<Verified> verify(std::string_view compact, const KeySet& keys) {
    if (compact.size() > compact_bytes_max) return errc::too_long;
    const auto first = compact.find('.'), last = compact.rfind('.');
    if (first == std::string_view::npos || first == last) return errc::not_compact;
    const auto payload_text = compact.substr(first + 1, last - first - 1);
    const auto signature = base64url_decoded(compact.substr(last + 1));
    auto payload = base64url_decoded(payload_text);  // a dot in it is foreign
    if (!signature || signature->empty() || !payload) return errc::not_compact;
    const auto header = read_header(compact.substr(0, first));
    if (!header) return header.error();

    const auto& key_id = header->key_id;
    const ErrorsForgotten forgotten;
    error_code why = errc::unknown_key;
    for (const Key& key : keys) {
        if (key_id && (key.id.empty() || key.id != *key_id)) continue;
        if (!fits(key, header->algorithm)) {
            if (key_id && why == make_error_code(errc::unknown_key)) why = errc::algorithm_mismatch;
            continue;
        }
        if (!key.key) {
            why = key.flaw;
            continue;
        }
        if (is_signed_by(key.key.get(), header->algorithm, compact.substr(0, last), *signature)) {
            return Verified{.payload = std::move(*payload), .type = header->type, .key_issuer = key.issuer};
        }
        why = errc::bad_signature;
    }
    return why;
}

}  // namespace jose

#include "protocols/jose/key_set.hpp"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "protocols/base/base64.hpp"
#include "protocols/jose/errc.hpp"
#include "protocols/jose/json.hpp"
#include "protocols/jose/openssl.hpp"

namespace jose {
namespace {

namespace json = boost::json;

constexpr std::size_t id_bytes_max = 512;
constexpr std::size_t exponent_bytes_max = 8;
constexpr std::size_t coordinate_bytes = 32;

using PublicKey = std::shared_ptr<EVP_PKEY>;

Number number_at(const json::object& jwk, std::string_view name, std::size_t bytes_max) {
    const auto text = text_at(jwk, name);
    if (text.empty() || text.size() > bytes_max * 2) return nullptr;
    const auto bytes = base64url_decoded(text);
    if (!bytes || bytes->empty() || bytes->size() > bytes_max) return nullptr;
    return Number(BN_bin2bn(bytes_of(*bytes), static_cast<int>(bytes->size()), nullptr));
}

Result<PublicKey> made_of(const char* type, OSSL_PARAM_BLD* making) {
    const Parameters parameters(OSSL_PARAM_BLD_to_param(making));
    const KeyMaking context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
        return errc::bad_key;
    }
    return PublicKey(key, EVP_PKEY_free);
}

/// RFC 7518 §6.3.1.
Result<PublicKey> rsa_key(const json::object& jwk) {
    const auto modulus = number_at(jwk, "n", rsa_bits_max / 8 + 1);
    const auto exponent = number_at(jwk, "e", exponent_bytes_max);
    if (!modulus || !exponent) return errc::bad_key;
    if (BN_num_bits(modulus.get()) > rsa_bits_max || BN_is_odd(modulus.get()) == 0) return errc::bad_key;
    if (BN_num_bits(modulus.get()) < rsa_bits_min) return errc::weak_key;
    // With the exponent 1 a signature is the text itself.
    if (BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) == 1) return errc::weak_key;
    const ParameterMaking making(OSSL_PARAM_BLD_new());
    if (!making || OSSL_PARAM_BLD_push_BN(making.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(making.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
        return errc::bad_key;
    }
    return made_of("RSA", making.get());
}

/// RFC 7518 §6.2.1. The point must lie on the curve.
Result<PublicKey> ec_key(const json::object& jwk) {
    const auto x = base64url_decoded(text_at(jwk, "x").substr(0, coordinate_bytes * 2));
    const auto y = base64url_decoded(text_at(jwk, "y").substr(0, coordinate_bytes * 2));
    if (!x || !y || x->size() != coordinate_bytes || y->size() != coordinate_bytes) return errc::bad_key;
    const std::string point = '\x04' + *x + *y;
    const ParameterMaking making(OSSL_PARAM_BLD_new());
    if (!making || OSSL_PARAM_BLD_push_utf8_string(making.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(making.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
        return errc::bad_key;
    }
    auto key = made_of("EC", making.get());
    if (!key) return key;
    const KeyMaking checking(EVP_PKEY_CTX_new_from_pkey(nullptr, key->get(), nullptr));
    if (!checking || EVP_PKEY_public_check(checking.get()) != 1) return errc::bad_key;
    return key;
}

/// Whether a key is for checking signatures. RFC 7517 §4.2, §4.3.
bool is_for_signatures(const json::object& jwk) {
    if (jwk.contains("use") && text_at(jwk, "use") != "sig") return false;
    const auto* operations = jwk.if_contains("key_ops");
    if (operations == nullptr) return true;
    const auto* list = operations->if_array();
    return list != nullptr && std::find(list->begin(), list->end(), json::value("verify")) != list->end();
}

}  // namespace

Result<KeySet> read_key_set(std::string_view text) {
    const ErrorsForgotten forgotten;
    const auto object = read_object(text, key_set_bytes_max);
    if (!object) return object.error();
    const auto* keys = object->if_contains("keys");
    if (keys == nullptr || !keys->is_array()) return errc::bad_key;
    if (keys->get_array().size() > keys_max) return errc::too_long;

    KeySet set;
    for (const auto& value : keys->get_array()) {
        const auto* jwk = value.if_object();
        if (jwk == nullptr || !is_for_signatures(*jwk)) continue;
        const auto type = text_at(*jwk, "kty");
        const bool is_rsa = type == "RSA";
        if (!is_rsa && !(type == "EC" && text_at(*jwk, "crv") == "P-256")) continue;
        const auto id = text_at(*jwk, "kid");
        if (id.size() > id_bytes_max) continue;
        Key key{.type = is_rsa ? Key::Type::rsa : Key::Type::ec_p256,
                .id = std::string(id),
                .use_of = std::string(text_at(*jwk, "alg")),
                .issuer = std::string(text_at(*jwk, "issuer")),
                .key = nullptr,
                .flaw = {}};
        auto made = is_rsa ? rsa_key(*jwk) : ec_key(*jwk);
        if (made) key.key = std::move(*made);
        if (!made) key.flaw = made.error();
        set.push_back(std::move(key));
    }
    return set;
}

}  // namespace jose

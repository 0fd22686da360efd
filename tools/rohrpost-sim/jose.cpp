#include "tools/rohrpost-sim/jose.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <span>
#include <stdexcept>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"

namespace sim {

namespace json = boost::json;

namespace {

template <class T, void (*end)(T*)>
struct Ender {
    void operator()(T* object) const { end(object); }
};
using Number = std::unique_ptr<BIGNUM, Ender<BIGNUM, BN_clear_free>>;
using Scratch = std::unique_ptr<BN_CTX, Ender<BN_CTX, BN_CTX_free>>;
using Memory = std::unique_ptr<BIO, Ender<BIO, BIO_free_all>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Ender<EVP_MD_CTX, EVP_MD_CTX_free>>;
using KeyMaker = std::unique_ptr<EVP_PKEY_CTX, Ender<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using ParamsMaker = std::unique_ptr<OSSL_PARAM_BLD, Ender<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Ender<OSSL_PARAM, OSSL_PARAM_free>>;
using Certificate = std::unique_ptr<X509, Ender<X509, X509_free>>;

constexpr BN_ULONG public_exponent = 65537;
constexpr std::size_t prime_bytes = 128;

void must(bool worked, const char* what) {
    if (worked) return;
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    throw std::runtime_error(fmt::format("cannot {}: {}", what, reason));
}

const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* octets(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

Number number() {
    Number made(BN_new());
    must(made != nullptr, "make a number");
    return made;
}

std::string bytes_of(const BIGNUM* value) {
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
    BN_bn2bin(value, octets(bytes));
    return bytes;
}

/// The first prime from a drawn number up whose predecessor has no factor in common with the exponent.
Number prime_from(Random& random, BN_CTX* scratch) {
    std::array<std::byte, prime_bytes> bytes{};
    random.fill(bytes);
    bytes.front() |= std::byte{0xC0};  // so that the product of two has all its bits
    bytes.back() |= std::byte{0x01};
    Number prime(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), prime_bytes, nullptr));
    must(prime != nullptr, "make a number");
    for (;;) {
        const bool fits = BN_mod_word(prime.get(), public_exponent) != 1;
        if (fits && BN_check_prime(prime.get(), scratch, nullptr) == 1) return prime;
        must(BN_add_word(prime.get(), 2) == 1, "count");
    }
}

std::string contents(BIO* memory) {
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(memory, &bytes);
    return {bytes, static_cast<std::size_t>(length)};
}

Memory memory_of(std::string_view bytes) {
    return Memory(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

Certificate certificate_of(std::string_view pem) {
    const Memory memory = memory_of(pem);
    Certificate certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    ERR_clear_error();
    return certificate;
}

std::string thumbprint(std::string_view certificate_pem, const EVP_MD* hash) {
    const Certificate certificate = certificate_of(certificate_pem);
    if (!certificate) return {};
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int length = 0;
    must(X509_digest(certificate.get(), hash, octets(digest), &length) == 1, "hash a certificate");
    digest.resize(length);
    return base64url_encoded(digest);
}

/// A digest that signs or verifies is told how by the key's own context.
void choose_padding(EVP_PKEY_CTX* how, Algorithm algorithm) {
    if (algorithm == Algorithm::rs256) return;
    must(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1, "choose a padding");
    must(EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1, "choose a length of salt");
}

std::optional<json::object> object_in(std::string_view part) {
    const auto bytes = base64url_decoded(part);
    if (!bytes) return std::nullopt;
    boost::system::error_code malformed;
    const json::value value = json::parse(*bytes, malformed);
    if (malformed || !value.is_object()) return std::nullopt;
    return value.as_object();
}

std::string text_in(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

}  // namespace

std::string_view name_of(Algorithm algorithm) { return algorithm == Algorithm::rs256 ? "RS256" : "PS256"; }

std::string sha256(std::string_view bytes) {
    std::string digest(32, '\0');
    must(EVP_Digest(bytes.data(), bytes.size(), octets(digest), nullptr, EVP_sha256(), nullptr) == 1, "hash");
    return digest;
}

RsaKey::RsaKey(std::shared_ptr<EVP_PKEY> key) : key_(std::move(key)) {
    BIGNUM* modulus = nullptr;
    BIGNUM* exponent = nullptr;
    must(EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_RSA_N, &modulus) == 1, "read a modulus");
    const Number owned_modulus(modulus);
    must(EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_RSA_E, &exponent) == 1, "read an exponent");
    const Number owned_exponent(exponent);
    modulus_ = base64url_encoded(bytes_of(modulus));
    exponent_ = base64url_encoded(bytes_of(exponent));
    kid_ = base64url_encoded(sha256(fmt::format(R"({{"e":"{}","kty":"RSA","n":"{}"}})", exponent_, modulus_)));
}

RsaKey RsaKey::drawn_from(Random& random) {
    const Scratch scratch(BN_CTX_new());
    const Number p = prime_from(random, scratch.get());
    const Number q = prime_from(random, scratch.get());
    const Number n = number(), e = number(), phi = number(), p_less = number(), q_less = number();
    const Number d = number(), d_p = number(), d_q = number(), q_inverse = number();
    bool worked = BN_set_word(e.get(), public_exponent) == 1 && BN_mul(n.get(), p.get(), q.get(), scratch.get()) == 1;
    worked = worked && BN_copy(p_less.get(), p.get()) != nullptr && BN_sub_word(p_less.get(), 1) == 1;
    worked = worked && BN_copy(q_less.get(), q.get()) != nullptr && BN_sub_word(q_less.get(), 1) == 1;
    worked = worked && BN_mul(phi.get(), p_less.get(), q_less.get(), scratch.get()) == 1;
    worked = worked && BN_mod_inverse(d.get(), e.get(), phi.get(), scratch.get()) != nullptr;
    worked = worked && BN_mod(d_p.get(), d.get(), p_less.get(), scratch.get()) == 1;
    worked = worked && BN_mod(d_q.get(), d.get(), q_less.get(), scratch.get()) == 1;
    worked = worked && BN_mod_inverse(q_inverse.get(), q.get(), p.get(), scratch.get()) != nullptr;
    must(worked, "work out a key");

    const ParamsMaker maker(OSSL_PARAM_BLD_new());
    const std::initializer_list<std::pair<const char*, const BIGNUM*>> parts{
        {OSSL_PKEY_PARAM_RSA_N, n.get()},           {OSSL_PKEY_PARAM_RSA_E, e.get()},
        {OSSL_PKEY_PARAM_RSA_D, d.get()},           {OSSL_PKEY_PARAM_RSA_FACTOR1, p.get()},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, q.get()},     {OSSL_PKEY_PARAM_RSA_EXPONENT1, d_p.get()},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, d_q.get()}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, q_inverse.get()},
    };
    for (const auto& [name, value] : parts) must(OSSL_PARAM_BLD_push_BN(maker.get(), name, value) == 1, "make a key");
    const Params params(OSSL_PARAM_BLD_to_param(maker.get()));
    const KeyMaker key_maker(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    must(EVP_PKEY_fromdata_init(key_maker.get()) == 1 &&
             EVP_PKEY_fromdata(key_maker.get(), &key, EVP_PKEY_KEYPAIR, params.get()) == 1,
         "make a key");
    return RsaKey(std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free));
}

std::optional<RsaKey> RsaKey::from_pem(std::string_view pem) {
    EVP_PKEY* key = nullptr;
    if (pem.find("CERTIFICATE") != std::string_view::npos) {
        const Certificate certificate = certificate_of(pem);
        if (certificate) key = X509_get_pubkey(certificate.get());
    } else if (pem.find("PRIVATE") != std::string_view::npos) {
        key = PEM_read_bio_PrivateKey(memory_of(pem).get(), nullptr, nullptr, nullptr);
    } else {
        key = PEM_read_bio_PUBKEY(memory_of(pem).get(), nullptr, nullptr, nullptr);
    }
    ERR_clear_error();
    if (key == nullptr) return std::nullopt;
    std::shared_ptr<EVP_PKEY> owned(key, EVP_PKEY_free);
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return std::nullopt;
    return RsaKey(std::move(owned));
}

json::object RsaKey::jwk() const {
    return {{"kty", "RSA"}, {"use", "sig"}, {"kid", kid_}, {"n", modulus_}, {"e", exponent_}};
}

std::string RsaKey::private_pem() const {
    const Memory memory(BIO_new(BIO_s_mem()));
    must(PEM_write_bio_PrivateKey(memory.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "write a key");
    return contents(memory.get());
}

std::string RsaKey::public_pem() const {
    const Memory memory(BIO_new(BIO_s_mem()));
    must(PEM_write_bio_PUBKEY(memory.get(), key_.get()) == 1, "write a key");
    return contents(memory.get());
}

std::string RsaKey::sign(Algorithm algorithm, std::string_view bytes) const {
    const Digest digest(EVP_MD_CTX_new());
    EVP_PKEY_CTX* how = nullptr;
    must(EVP_DigestSignInit(digest.get(), &how, EVP_sha256(), nullptr, key_.get()) == 1, "begin to sign");
    choose_padding(how, algorithm);
    std::size_t length = 0;
    must(EVP_DigestSign(digest.get(), nullptr, &length, octets(bytes), bytes.size()) == 1, "measure a signature");
    std::string signature(length, '\0');
    must(EVP_DigestSign(digest.get(), octets(signature), &length, octets(bytes), bytes.size()) == 1, "sign");
    signature.resize(length);
    return signature;
}

bool RsaKey::verifies(Algorithm algorithm, std::string_view bytes, std::string_view signature) const {
    const Digest digest(EVP_MD_CTX_new());
    EVP_PKEY_CTX* how = nullptr;
    must(EVP_DigestVerifyInit(digest.get(), &how, EVP_sha256(), nullptr, key_.get()) == 1, "begin to verify");
    choose_padding(how, algorithm);
    const bool good =
        EVP_DigestVerify(digest.get(), octets(signature), signature.size(), octets(bytes), bytes.size()) == 1;
    ERR_clear_error();
    return good;
}

std::string thumbprint_sha256(std::string_view certificate_pem) { return thumbprint(certificate_pem, EVP_sha256()); }
std::string thumbprint_sha1(std::string_view certificate_pem) { return thumbprint(certificate_pem, EVP_sha1()); }

std::string Jwt::header_text(std::string_view key) const { return text_in(header, key); }
std::string Jwt::text(std::string_view key) const { return text_in(claims, key); }

std::optional<std::int64_t> Jwt::number(std::string_view key) const {
    const json::value* found = claims.if_contains(key);
    constexpr std::int64_t beyond = 1'000'000'000'000'000;
    if (found == nullptr || !found->is_int64()) return std::nullopt;
    const std::int64_t value = found->as_int64();
    return value > -beyond && value < beyond ? std::optional(value) : std::nullopt;
}

std::optional<Algorithm> Jwt::algorithm() const {
    const std::string name = header_text("alg");
    for (const Algorithm one : {Algorithm::rs256, Algorithm::ps256})
        if (name == name_of(one)) return one;
    return std::nullopt;
}

std::optional<Jwt> read_jwt(std::string_view token) {
    const auto parts = text::split(token, '.');
    if (parts.size() != 3) return std::nullopt;
    auto header = object_in(parts[0]);
    auto claims = object_in(parts[1]);
    auto signature = base64url_decoded(parts[2]);
    if (!header || !claims || !signature) return std::nullopt;
    return Jwt{std::move(*header), std::move(*claims), std::string(token.substr(0, token.rfind('.'))),
               std::move(*signature)};
}

std::string signed_jwt(json::object header, const json::object& claims, const RsaKey& key, Algorithm algorithm) {
    header.emplace("typ", "JWT");
    header.emplace("alg", name_of(algorithm));
    header.emplace("kid", key.kid());
    const std::string part =
        base64url_encoded(json::serialize(header)) + '.' + base64url_encoded(json::serialize(claims));
    return part + '.' + base64url_encoded(key.sign(algorithm, part));
}

std::string unsigned_jwt(const json::object& claims) {
    return base64url_encoded(R"({"typ":"JWT","alg":"none"})") + '.' + base64url_encoded(json::serialize(claims)) + '.';
}

}  // namespace sim

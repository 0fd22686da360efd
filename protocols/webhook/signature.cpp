#include "protocols/webhook/signature.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <array>

#include "protocols/base/base64.hpp"
#include "protocols/base/ensure.hpp"

namespace webhook {
namespace {

struct Free {
    void operator()(EVP_MAC* mac) const noexcept { EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};

EVP_MAC* hmac() {
    static const std::unique_ptr<EVP_MAC, Free> algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    ensure(algorithm != nullptr, "OpenSSL has HMAC");
    return algorithm.get();
}

}  // namespace

struct Signing::Mac {
    std::unique_ptr<EVP_MAC_CTX, Free> context{EVP_MAC_CTX_new(hmac())};
};

Secret key_of(const Secret& secret) {
    constexpr std::string_view mark = "whsec_";
    if (!secret.reveal().starts_with(mark)) return secret;
    auto bytes = base64_decoded(secret.reveal().substr(mark.size()));
    return bytes && !bytes->empty() ? Secret(std::move(*bytes)) : secret;
}

Signing::Signing(const Secret& key, std::string_view id, std::string_view timestamp) : mac_(std::make_unique<Mac>()) {
    std::string digest = "SHA256";
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
    const auto bytes = key.reveal();
    const int begun = EVP_MAC_init(mac_->context.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   bytes.size(), parameters.data());
    ensure(begun == 1, "HMAC-SHA256 cannot fail");
    put(fmt::format("{}.{}.", id, timestamp));
}

Signing::~Signing() = default;

void Signing::put(std::string_view piece) {
    const int taken =
        EVP_MAC_update(mac_->context.get(), reinterpret_cast<const unsigned char*>(piece.data()), piece.size());
    ensure(taken == 1, "HMAC-SHA256 cannot fail");
}

std::string Signing::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    std::size_t length = 0;
    const int done = EVP_MAC_final(mac_->context.get(), mac.data(), &length, mac.size());
    ensure(done == 1, "HMAC-SHA256 cannot fail");
    return "v1," + base64_encoded({reinterpret_cast<const char*>(mac.data()), length});
}

std::string signature_of(const Secret& key, std::string_view id, std::string_view timestamp, std::string_view body) {
    Signing signing(key, id, timestamp);
    signing.put(body);
    return signing.finish();
}

}  // namespace webhook

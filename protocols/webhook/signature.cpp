#include "engine/webhooks/signature.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "protocols/base/base64.hpp"
#include "protocols/base/ensure.hpp"

namespace webhooks {

Secret key_of(const Secret& secret) {
    constexpr std::string_view mark = "whsec_";
    if (!secret.reveal().starts_with(mark)) return secret;
    auto bytes = base64_decoded(secret.reveal().substr(mark.size()));
    return bytes && !bytes->empty() ? Secret(std::move(*bytes)) : secret;
}

std::string signature_of(const Secret& key, std::string_view id, std::string_view timestamp, std::string_view body) {
    const auto content = fmt::format("{}.{}.{}", id, timestamp, body);
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned length = 0;
    const auto* done =
        HMAC(EVP_sha256(), key.reveal().data(), static_cast<int>(key.reveal().size()),
             reinterpret_cast<const unsigned char*>(content.data()), content.size(), mac.data(), &length);
    ensure(done != nullptr, "HMAC-SHA256 cannot fail");
    return "v1," + base64_encoded({reinterpret_cast<const char*>(mac.data()), length});
}

}  // namespace webhooks

#include "protocols/oauth2/pkce.hpp"

#include <openssl/evp.h>

#include "protocols/base/base64.hpp"
#include "protocols/base/ensure.hpp"

namespace oauth2 {

std::string token_of(const Entropy& entropy) {
    return base64url_encoded({reinterpret_cast<const char*>(entropy.data()), entropy.size()});
}

std::string fresh_token(Random& random) {
    Entropy entropy;
    random.fill(entropy);
    return token_of(entropy);
}

Secret code_verifier_of(const Entropy& entropy) { return Secret(token_of(entropy)); }

std::string code_challenge_of(const Secret& code_verifier) {
    const auto text = code_verifier.reveal();
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    ensure(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1, "SHA-256 works");
    return base64url_encoded({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace oauth2

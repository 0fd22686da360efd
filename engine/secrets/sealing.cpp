#include "engine/secrets/sealing.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <memory>

#include "protocols/base/ensure.hpp"

namespace secrets {
namespace {

constexpr char version = 1;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* octets(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

/// What is authenticated beside the ciphertext: the head of the sealed form and the place it belongs to.
std::string associated(std::string_view head, std::string_view place) { return std::string(head) + std::string(place); }

}  // namespace

Result<Key> Key::from_bytes(Secret bytes) {
    if (bytes.reveal().size() != key_bytes) return errc::key_wrong_size;
    std::string named = "rohrpost key id";
    named += bytes.reveal();
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(octets(std::string_view(named)), named.size(), digest.data());
    OPENSSL_cleanse(named.data(), named.size());
    return Key(std::move(bytes), std::string(reinterpret_cast<const char*>(digest.data()), key_id_bytes));
}

std::string seal(const Key& key, std::string_view place, const Secret& plain, Random& random) {
    const std::string_view text = plain.reveal();
    std::string nonce(nonce_bytes, '\0');
    random.fill(std::as_writable_bytes(std::span(nonce)));
    std::string sealed(1, version);
    sealed += key.id();
    const std::string extra = associated(sealed, place);
    std::string cipher(text.size(), '\0');
    std::string tag(tag_bytes, '\0');

    const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int written = 0;
    int ended = 0;
    const bool done =
        context &&
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets(key.bytes().reveal()),
                           octets(std::string_view(nonce))) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &written, octets(std::string_view(extra)),
                          static_cast<int>(extra.size())) == 1 &&
        EVP_EncryptUpdate(context.get(), octets(cipher), &written, octets(text), static_cast<int>(text.size())) == 1 &&
        EVP_EncryptFinal_ex(context.get(), octets(cipher) + written, &ended) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, tag.data()) == 1;
    ensure(done, "AES-256-GCM seals");
    return sealed + nonce + cipher + tag;
}

Result<Secret> unseal(const Key& key, std::string_view place, std::string_view sealed) {
    if (sealed.size() < sealed_overhead_bytes || sealed.front() != version) return errc::malformed;
    const std::string_view head = sealed.substr(0, 1 + key_id_bytes);
    if (head.substr(1) != key.id()) return errc::foreign_key;
    const std::string_view nonce = sealed.substr(head.size(), nonce_bytes);
    std::string tag(sealed.substr(sealed.size() - tag_bytes));
    const std::string_view cipher = sealed.substr(head.size() + nonce_bytes, sealed.size() - sealed_overhead_bytes);
    const std::string extra = associated(head, place);
    std::string plain(cipher.size(), '\0');

    const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int written = 0;
    int ended = 0;
    const bool prepared = context &&
                          EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets(key.bytes().reveal()),
                                             octets(nonce)) == 1 &&
                          EVP_DecryptUpdate(context.get(), nullptr, &written, octets(std::string_view(extra)),
                                            static_cast<int>(extra.size())) == 1 &&
                          EVP_DecryptUpdate(context.get(), octets(plain), &written, octets(cipher),
                                            static_cast<int>(cipher.size())) == 1 &&
                          EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1;
    ensure(prepared, "AES-256-GCM starts to open");
    Secret opened(std::move(plain));
    unsigned char end = 0;
    if (EVP_DecryptFinal_ex(context.get(), &end, &ended) != 1) {
        ERR_clear_error();  // TLS on this thread would take a left error for its own
        return errc::tampered;
    }
    return opened;
}

}  // namespace secrets

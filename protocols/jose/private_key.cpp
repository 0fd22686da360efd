#include "protocols/jose/private_key.hpp"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <ctime>
#include <optional>

#include "protocols/base/base64.hpp"
#include "protocols/jose/algorithm.hpp"
#include "protocols/jose/errc.hpp"
#include "protocols/jose/openssl.hpp"

namespace jose {
namespace {

/// Nobody is asked for a pass phrase.
int no_pass_phrase(char*, int, int, void*) { return -1; }

Bio reader_of(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

bool is_encrypted(std::string_view pem) {
    return pem.find("-----BEGIN ENCRYPTED PRIVATE KEY-----") != std::string_view::npos ||
           pem.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
}

std::optional<WallTime> time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
    return std::chrono::system_clock::from_time_t(timegm(&parts));
}

}  // namespace

Result<PrivateKey> read_private_key(const Secret& pem) {
    const auto text = pem.reveal();
    if (text.size() > pem_bytes_max) return errc::too_long;
    const ErrorsForgotten forgotten;
    const Bio reader = reader_of(text);
    PrivateKey read{.key = {PEM_read_bio_PrivateKey(reader.get(), nullptr, no_pass_phrase, nullptr), EVP_PKEY_free}};
    if (!read.key) return is_encrypted(text) ? errc::encrypted_key : errc::no_private_key;
    if (EVP_PKEY_get_base_id(read.key.get()) != EVP_PKEY_RSA) return errc::not_rsa;
    const int bits = EVP_PKEY_get_bits(read.key.get());
    if (bits < rsa_bits_min) return errc::weak_key;
    if (bits > rsa_bits_max) return errc::bad_key;
    return read;
}

Result<Certificate> read_certificate(std::string_view pem) {
    if (pem.size() > pem_bytes_max) return errc::too_long;
    const ErrorsForgotten forgotten;
    const Bio reader = reader_of(pem);
    Certificate read;
    read.certificate = {PEM_read_bio_X509(reader.get(), nullptr, no_pass_phrase, nullptr), X509_free};
    if (!read.certificate) return errc::no_certificate;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    const auto begins = time_of(X509_get0_notBefore(read.certificate.get()));
    const auto ends = time_of(X509_get0_notAfter(read.certificate.get()));
    if (!begins || !ends || X509_digest(read.certificate.get(), EVP_sha256(), digest.data(), &size) != 1) {
        return errc::no_certificate;
    }
    read.thumbprint = base64url_encoded({reinterpret_cast<const char*>(digest.data()), size});
    read.not_before = *begins;
    read.not_after = *ends;
    return read;
}

bool belongs(const Certificate& certificate, const PrivateKey& key) {
    const ErrorsForgotten forgotten;
    return X509_check_private_key(certificate.certificate.get(), key.key.get()) == 1;
}

}  // namespace jose

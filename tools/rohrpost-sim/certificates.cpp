#include "tools/rohrpost-sim/certificates.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

namespace sim {

namespace {

template <class T, void (*end)(T*)>
struct Ender {
    void operator()(T* object) const { end(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Ender<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Ender<X509, X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Ender<X509_EXTENSION, X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Ender<BIO, BIO_free_all>>;

void must(bool worked, const char* what) {
    if (worked) return;
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    throw std::runtime_error(fmt::format("cannot {}: {}", what, reason));
}

Key fresh_key() {
    Key key(EVP_EC_gen("P-256"));
    must(key != nullptr, "make a key");
    return key;
}

std::string contents(BIO* memory) {
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(memory, &bytes);
    return {bytes, static_cast<std::size_t>(length)};
}

std::string pem_of(X509& certificate) {
    const Memory memory(BIO_new(BIO_s_mem()));
    must(PEM_write_bio_X509(memory.get(), &certificate) == 1, "write a certificate");
    return contents(memory.get());
}

std::string pem_of(EVP_PKEY& key) {
    const Memory memory(BIO_new(BIO_s_mem()));
    must(PEM_write_bio_PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "write a key");
    return contents(memory.get());
}

void extend(X509& certificate, X509& issuer, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    must(extension != nullptr, "make a certificate extension");
    must(X509_add_ext(&certificate, extension.get(), -1) == 1, "add a certificate extension");
}

/// A certificate for `key` with everything but extensions and signature.
Certificate blank(EVP_PKEY& key, std::string_view name, std::chrono::seconds from, std::chrono::seconds to) {
    Certificate certificate(X509_new());
    must(certificate != nullptr, "make a certificate");
    X509_set_version(certificate.get(), X509_VERSION_3);
    std::uint64_t serial = 0;
    must(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "draw a serial number");
    must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1U) == 1, "set a serial number");
    must(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from.count()) != nullptr, "set a time");
    must(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to.count()) != nullptr, "set a time");
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()),
                                    -1, 0) == 1,
         "set a name");
    must(X509_set_pubkey(certificate.get(), &key) == 1, "set a public key");
    return certificate;
}

void sign(X509& certificate, X509& issuer, EVP_PKEY& issuer_key) {
    must(X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer)) == 1, "set an issuer");
    must(X509_sign(&certificate, &issuer_key, EVP_sha256()) > 0, "sign a certificate");
}

void describe_authority(X509& certificate, X509& issuer) {
    extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(certificate, issuer, NID_subject_key_identifier, "hash");
}

std::string alternative_names(const CertificateWish& wish) {
    std::string names;
    const auto add = [&names](std::string_view kind, const std::string& name) {
        names += fmt::format("{}{}:{}", names.empty() ? "" : ",", kind, name);
    };
    for (const std::string& name : wish.dns_names) add("DNS", name);
    for (const std::string& address : wish.addresses) add("IP", address);
    return names;
}

}  // namespace

struct Authority::Impl {
    Key key;
    Certificate certificate;
    std::string intermediates_pem;  // from this authority up, without the root
};

Authority::Authority(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;
Authority::~Authority() = default;

Authority::Authority(std::string_view name, std::chrono::seconds valid_to) : impl_(std::make_unique<Impl>()) {
    impl_->key = fresh_key();
    impl_->certificate = blank(*impl_->key, name, -std::chrono::hours(24), valid_to);
    describe_authority(*impl_->certificate, *impl_->certificate);
    sign(*impl_->certificate, *impl_->certificate, *impl_->key);
}

Authority Authority::intermediate(std::string_view name) const {
    auto below = std::make_unique<Impl>();
    below->key = fresh_key();
    below->certificate = blank(*below->key, name, -std::chrono::hours(24), std::chrono::hours(24 * 365));
    describe_authority(*below->certificate, *impl_->certificate);
    sign(*below->certificate, *impl_->certificate, *impl_->key);
    below->intermediates_pem = pem_of(*below->certificate) + impl_->intermediates_pem;
    return Authority(std::move(below));
}

Identity Authority::issue(const CertificateWish& wish) const {
    using Flaw = CertificateWish::Flaw;
    const Key key = fresh_key();
    const Certificate certificate = blank(*key, wish.common_name, wish.valid_from, wish.valid_to);
    const bool alone = wish.flaw == Flaw::self_signed;
    X509& issuer = alone ? *certificate : *impl_->certificate;
    extend(*certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
    extend(*certificate, issuer, NID_key_usage, "critical,digitalSignature");
    extend(*certificate, issuer, NID_ext_key_usage, wish.flaw == Flaw::client_purpose ? "clientAuth" : "serverAuth");
    const std::string names = alternative_names(wish);
    if (!names.empty()) extend(*certificate, issuer, NID_subject_alt_name, names);
    const Key stranger = fresh_key();
    EVP_PKEY& pen = alone ? *key : wish.flaw == Flaw::bad_signature ? *stranger : *impl_->key;
    sign(*certificate, issuer, pen);
    return {pem_of(*certificate) + (alone ? "" : impl_->intermediates_pem), pem_of(*key)};
}

std::string Authority::certificate_pem() const { return pem_of(*impl_->certificate); }

void write_private_file(const std::filesystem::path& path, std::string_view bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = file >= 0;
    while (written && !bytes.empty()) {
        const ssize_t count = ::write(file, bytes.data(), bytes.size());
        written = count > 0;
        if (written) bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    if (file >= 0) ::close(file);
    if (!written) throw std::runtime_error(fmt::format("cannot write {}", path.string()));
}

}  // namespace sim

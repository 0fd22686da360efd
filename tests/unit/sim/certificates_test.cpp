#include "tools/rohrpost-sim/certificates.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <catch2/catch.hpp>

using sim::Authority;
using sim::CertificateWish;

namespace {

using Certificate = std::shared_ptr<X509>;

std::vector<Certificate> read_all(const std::string& pem) {
    const std::shared_ptr<BIO> memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all);
    std::vector<Certificate> found;
    while (X509* next = PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)) found.emplace_back(next, X509_free);
    return found;
}

/// What OpenSSL says about the chain for a TLS server called `host`, when only `root` is trusted.
int verified(const std::string& root, const std::string& chain, const char* host) {
    const std::vector<Certificate> trusted = read_all(root);
    const std::vector<Certificate> sent = read_all(chain);
    const std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
    for (const Certificate& one : trusted) X509_STORE_add_cert(store.get(), one.get());
    const std::shared_ptr<STACK_OF(X509)> others(sk_X509_new_null(),
                                                 [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
    for (const Certificate& one : sent) sk_X509_push(others.get(), one.get());
    const std::shared_ptr<X509_STORE_CTX> context(X509_STORE_CTX_new(), X509_STORE_CTX_free);
    X509_STORE_CTX_init(context.get(), store.get(), sent.front().get(), others.get());
    X509_STORE_CTX_set_default(context.get(), "ssl_server");
    X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context.get()), host, 0);
    X509_verify_cert(context.get());
    return X509_STORE_CTX_get_error(context.get());
}

int verdict_on(const CertificateWish& wish, const char* host = "localhost") {
    const Authority authority("Test root");
    return verified(authority.certificate_pem(), authority.issue(wish).chain_pem, host);
}

}  // namespace

TEST_CASE("sim certificates: an issued certificate is good for its names only", "[sim]") {
    CertificateWish wish;
    wish.dns_names = {"mail.sim.test"};
    CHECK(verdict_on(wish, "mail.sim.test") == X509_V_OK);
    CHECK(verdict_on(wish, "other.sim.test") == X509_V_ERR_HOSTNAME_MISMATCH);
}

TEST_CASE("sim certificates: validity is as wished", "[sim]") {
    CertificateWish wish;
    wish.valid_from = -std::chrono::hours(2);
    wish.valid_to = -std::chrono::hours(1);
    CHECK(verdict_on(wish) == X509_V_ERR_CERT_HAS_EXPIRED);
    wish.valid_from = std::chrono::hours(1);
    wish.valid_to = std::chrono::hours(2);
    CHECK(verdict_on(wish) == X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST_CASE("sim certificates: each flaw is found by OpenSSL", "[sim]") {
    using Flaw = CertificateWish::Flaw;
    const auto with = [](Flaw flaw) {
        CertificateWish wish;
        wish.flaw = flaw;
        return verdict_on(wish);
    };
    CHECK(with(Flaw::none) == X509_V_OK);
    CHECK(with(Flaw::self_signed) == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    CHECK(with(Flaw::bad_signature) == X509_V_ERR_CERT_SIGNATURE_FAILURE);
    CHECK(with(Flaw::client_purpose) == X509_V_ERR_INVALID_PURPOSE);
}

TEST_CASE("sim certificates: an intermediate travels in the chain", "[sim]") {
    const Authority root("Test root");
    const Authority stranger("Other root");
    const sim::Identity identity = root.intermediate("Test intermediate").issue({});
    CHECK(read_all(identity.chain_pem).size() == 2);
    CHECK(verified(root.certificate_pem(), identity.chain_pem, "localhost") == X509_V_OK);
    CHECK(verified(stranger.certificate_pem(), identity.chain_pem, "localhost") != X509_V_OK);
}

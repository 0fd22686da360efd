#include "tests/unit/jose/signer.hpp"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <fstream>
#include <stdexcept>

#include "protocols/base/base64.hpp"
#include "protocols/base/text.hpp"
#include "protocols/jose/openssl.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace jose_test {
namespace {

void must(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(what);
}

std::string digits(const BIGNUM* number, std::size_t bytes) {
    if (bytes == 0) bytes = static_cast<std::size_t>(BN_num_bytes(number));
    std::string text(bytes, '\0');
    must(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(bytes)) >= 0, "a number");
    return text;
}

}  // namespace

Signer::Signer(const std::string& type, unsigned bits)
    : key_(type == "EC" ? EVP_EC_gen("prime256v1") : EVP_RSA_gen(bits), EVP_PKEY_free) {
    must(key_ != nullptr, "a key is made");
}

std::string Signer::pem() const {
    const jose::Bio bio(BIO_new(BIO_s_mem()));
    must(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "PEM");
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string Signer::number(const char* name, std::size_t bytes) const {
    BIGNUM* value = nullptr;
    must(EVP_PKEY_get_bn_param(key_.get(), name, &value) == 1, "a number of the key");
    const jose::Number owned(value);
    return base64url_encoded(digits(value, bytes));
}

std::string Signer::members() const {
    if (EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC) {
        return R"("kty":"EC","crv":"P-256","x":")" + number(OSSL_PKEY_PARAM_EC_PUB_X, 32) + R"(","y":")" +
               number(OSSL_PKEY_PARAM_EC_PUB_Y, 32) + '"';
    }
    return R"("kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N, 0) + R"(","e":")" + number(OSSL_PKEY_PARAM_RSA_E, 0) +
           '"';
}

std::string Signer::key_set(std::string_view id) const {
    return R"({"keys":[{"kid":")" + std::string(id) + R"(",)" + members() + "}]}";
}

std::string Signer::signed_as(std::string_view algorithm, std::string_view header, std::string_view payload) const {
    const std::string text = base64url_encoded(header) + '.' + base64url_encoded(payload);
    const jose::Digesting digesting(EVP_MD_CTX_new());
    EVP_PKEY_CTX* context = nullptr;
    must(EVP_DigestSignInit(digesting.get(), &context, EVP_sha256(), nullptr, key_.get()) == 1, "signing begins");
    if (algorithm == "PS256") {
        must(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) == 1,
             "PSS");
    }
    std::string signature(1024, '\0');
    std::size_t size = signature.size();
    auto* into = reinterpret_cast<unsigned char*>(signature.data());
    must(EVP_DigestSign(digesting.get(), into, &size, jose::bytes_of(text), text.size()) == 1, "signing");
    signature.resize(size);
    if (algorithm == "ES256") {
        const auto* der = jose::bytes_of(signature);
        const jose::EcSignature pair(d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size)));
        signature = digits(ECDSA_SIG_get0_r(pair.get()), 32) + digits(ECDSA_SIG_get0_s(pair.get()), 32);
    }
    return text + '.' + base64url_encoded(signature);
}

const Signer& rsa_signer() {
    static const Signer signer("RSA");
    return signer;
}

const Signer& other_rsa_signer() {
    static const Signer signer("RSA");
    return signer;
}

const Signer& ec_signer() {
    static const Signer signer("EC");
    return signer;
}

std::string certificate_of(const Signer& signer) {
    const TemporaryDirectory folder;
    std::ofstream(folder.path() / "key") << signer.pem();
    return openssl("req -new -x509 -key key -subj /CN=rohrpost -days 30", {}, folder.path());
}

std::string openssl(std::string_view arguments, std::string input, const std::string& directory) {
    support::Process::Start start;
    start.command.emplace_back("openssl");
    for (const auto argument : text::split(arguments, ' ')) start.command.emplace_back(argument);
    start.input = std::move(input);
    start.directory = directory;
    const auto ran = support::run_to_end(std::move(start));
    if (ran.exit_code != 0) throw std::runtime_error("openssl: " + ran.errors);
    return ran.output;
}

}  // namespace jose_test

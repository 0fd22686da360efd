#include "protocols/jose/sign.hpp"

#include <openssl/err.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "protocols/base/base64.hpp"
#include "protocols/jose/errc.hpp"
#include "protocols/jose/verify.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/jose/signer.hpp"

using jose::errc;
using jose::read_certificate;
using jose::read_private_key;
using namespace jose_test;

namespace {

void put(const TemporaryDirectory& folder, const char* name, std::string_view bytes) {
    std::ofstream(folder.path() / name, std::ios::binary) << bytes;
}

std::string got(const TemporaryDirectory& folder, const char* name) {
    std::ifstream file(folder.path() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A key, its certificate and what openssl(1) says about them, made once.
struct Made {
    Made() {
        run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key");
        run("rsa -in key -traditional -out pkcs1");
        run("pkcs8 -topk8 -in key -passout pass:x -out encrypted");
        run("rsa -in key -traditional -aes128 -passout pass:x -out encrypted1");
        run("req -new -x509 -key key -subj /CN=rohrpost -days 30 -out certificate");
        run("x509 -in certificate -outform DER -out der");
        run("dgst -sha256 -binary -out digest der");
        run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec");
        run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out small");
        run("pkey -in key -pubout -out public");
    }
    void run(std::string_view arguments) const { openssl(arguments, {}, folder.path()); }
    [[nodiscard]] std::string text(const char* name) const { return got(folder, name); }
    [[nodiscard]] jose::PrivateKey key() const { return *read_private_key(Secret(text("key"))); }

    TemporaryDirectory folder;
};

const Made& made() {
    static const Made once;
    return once;
}

}  // namespace

TEST_CASE("jose: a private key is read from PKCS#8 and PKCS#1, whatever stands beside it", "[jose]") {
    const auto& files = made();
    CHECK(read_private_key(Secret(files.text("key"))).has_value());
    CHECK(read_private_key(Secret(files.text("pkcs1"))).has_value());
    CHECK(read_private_key(Secret("# a comment\n" + files.text("certificate") + files.text("key"))).has_value());
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("jose: a private key that is none is refused by name", "[jose]") {
    const auto& files = made();
    const auto code_of = [](std::string pem) { return read_private_key(Secret(std::move(pem))).error(); };
    CHECK(code_of(files.text("encrypted")) == make_error_code(errc::encrypted_key));
    CHECK(code_of(files.text("encrypted1")) == make_error_code(errc::encrypted_key));
    CHECK(code_of(files.text("ec")) == make_error_code(errc::not_rsa));
    CHECK(code_of(files.text("small")) == make_error_code(errc::weak_key));
    CHECK(code_of(files.text("public")) == make_error_code(errc::no_private_key));
    CHECK(code_of(files.text("certificate")) == make_error_code(errc::no_private_key));
    CHECK(code_of("") == make_error_code(errc::no_private_key));
    CHECK(code_of(std::string(70'000, 'x')) == make_error_code(errc::too_long));
    const auto pem = files.text("key");
    for (std::size_t kept = 0; kept + 2 < pem.size(); kept += 13) {
        CAPTURE(kept);
        CHECK(read_private_key(Secret(pem.substr(0, kept))).has_error());
    }
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("jose: a certificate has the thumbprint and the times that openssl(1) sees", "[jose]") {
    const auto& files = made();
    const auto certificate = read_certificate(files.text("key") + files.text("certificate"));
    REQUIRE(certificate.has_value());
    CHECK(certificate->thumbprint == base64url_encoded(files.text("digest")));
    CHECK(certificate->thumbprint.size() == 43);
    CHECK(certificate->not_after - certificate->not_before == std::chrono::hours(30 * 24));
    CHECK(belongs(*certificate, files.key()));
    CHECK_FALSE(belongs(*certificate, *read_private_key(Secret(rsa_signer().pem()))));
    CHECK(read_certificate(files.text("key")).error() == make_error_code(errc::no_certificate));
    CHECK(read_certificate(std::string(70'000, 'x')).error() == make_error_code(errc::too_long));
}

TEST_CASE("jose: what is signed says what it should, and openssl(1) takes it", "[jose]") {
    const auto& files = made();
    const std::string claims = R"({"iss":"app","aud":"https://login.test/token"})";
    const auto algorithm = GENERATE(jose::Algorithm::ps256, jose::Algorithm::rs256);
    const bool pss = algorithm == jose::Algorithm::ps256;
    const auto token = jose::sign({.algorithm = algorithm, .key_id = pss ? "" : "k-1", .thumbprint = pss ? "abc" : ""},
                                  claims, files.key());
    REQUIRE(token.has_value());
    const std::string text(token->reveal());
    const auto first = text.find('.'), last = text.rfind('.');
    CHECK(base64url_decoded(text.substr(0, first)) ==
          (pss ? R"({"alg":"PS256","typ":"JWT","x5t#S256":"abc"})" : R"({"alg":"RS256","typ":"JWT","kid":"k-1"})"));
    CHECK(base64url_decoded(text.substr(first + 1, last - first - 1)) == claims);
    TemporaryDirectory folder;
    put(folder, "signature", *base64url_decoded(text.substr(last + 1)));
    put(folder, "public", files.text("public"));
    const std::string options = pss ? " -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32" : "";
    CHECK(openssl("dgst -sha256 -verify public -signature signature" + options, text.substr(0, last), folder.path()) ==
          "Verified OK\n");
}

TEST_CASE("jose: what is signed with a key is verified with its public half only", "[jose]") {
    const auto& signer = rsa_signer();
    const auto key = *read_private_key(Secret(signer.pem()));
    const auto token = *jose::sign({.algorithm = jose::Algorithm::rs256, .key_id = "k", .thumbprint = {}}, "{}", key);
    CHECK(verify(token.reveal(), *jose::read_key_set(signer.key_set("k"))).has_value());
    CHECK(verify(token.reveal(), *jose::read_key_set(other_rsa_signer().key_set("k"))).has_error());
}

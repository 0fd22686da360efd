#include "protocols/jose/verify.hpp"

#include <openssl/err.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "protocols/base/base64.hpp"
#include "protocols/jose/errc.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/jose/signer.hpp"

using jose::errc;
using jose::read_key_set;
using jose::verify;
using namespace jose_test;

namespace {

constexpr std::string_view joe = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

constexpr std::string_view a2_keys =
    R"({"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPME)"
    R"(zP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsL)"
    R"(A9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8)"
    R"(q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]})";
constexpr std::string_view a2 =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7"
    "t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j"
    "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe"
    "77Rw";
constexpr std::string_view a3_keys =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";
constexpr std::string_view a3 =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr std::string_view cookbook_keys =
    R"({"keys":[{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwU)"
    R"(BZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5y)"
    R"(dQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9)"
    R"(k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"}]})";
constexpr std::string_view cookbook =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGc"
    "m9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGh"
    "lcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.MRjdkly7_-"
    "oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2"
    "e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_"
    "qHRD"
    "68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_"
    "de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE"
    "_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";

jose::KeySet keys_of(std::string_view text) {
    auto keys = read_key_set(text);
    REQUIRE(keys.has_value());
    return std::move(*keys);
}

/// What verify() says, as the number of an errc; 0: taken.
int said(std::string_view token, std::string_view keys) {
    const auto verified = verify(token, keys_of(keys));
    return verified ? 0 : verified.error().value();
}
int number(errc code) { return static_cast<int>(code); }

std::string set_of(std::initializer_list<std::string> keys) {
    std::string text = R"({"keys":[)";
    for (const auto& key : keys) text += (text.ends_with('[') ? "{" : ",{") + key + '}';
    return text + "]}";
}

}  // namespace

TEST_CASE("jose: the examples of RFC 7515 A.2, A.3 and RFC 7520 4.1 are taken", "[jose]") {
    const auto [token, keys, payload] = GENERATE(table<std::string_view, std::string_view, std::string_view>(
        {{a2, a2_keys, joe},
         {a3, a3_keys, joe},
         {cookbook, cookbook_keys,
          "It\xe2\x80\x99s a dangerous business, Frodo, going out your door. You step onto the road, and if you don't "
          "keep your feet, there\xe2\x80\x99s no knowing where you might be swept off to."}}));
    const auto verified = verify(token, keys_of(keys));
    REQUIRE(verified.has_value());
    CHECK(verified->payload == payload);
    CHECK(verified->type.empty());
}

TEST_CASE("jose: a token that is altered in any character, or cut off anywhere, is refused", "[jose]") {
    const auto [token, keys_text] = GENERATE(table<std::string_view, std::string_view>({{a2, a2_keys}, {a3, a3_keys}}));
    const auto keys = keys_of(keys_text);
    for (std::size_t at = 0; at < token.size(); ++at) {
        std::string altered(token);
        altered[at] = altered[at] == 'A' ? 'B' : 'A';
        CAPTURE(at);
        CHECK(verify(altered, keys).has_error());
        CHECK(verify(token.substr(0, at), keys).has_error());
    }
    CHECK(verify(std::string(token) + "A", keys).has_error());
    CHECK(verify(std::string(token) + "=", keys).has_error());
    CHECK(verify(std::string(token) + ".", keys).has_error());
    CHECK(ERR_peek_error() == 0);  // nothing is left for TLS on this thread to stumble over
}

TEST_CASE("jose: what openssl(1) signs with PS256 is taken, other salts and paddings are not", "[jose]") {
    const auto& rsa = rsa_signer();
    const std::string text =
        base64url_encoded(R"({"alg":"PS256","kid":"k"})") + '.' + base64url_encoded(R"({"sub":"x"})");
    const TemporaryDirectory folder;
    std::ofstream(folder.path() / "key") << rsa.pem();
    const auto signature = [&](std::string_view options) {
        openssl("dgst -sha256 -sign key -out signature" + std::string(options), text, folder.path());
        std::ifstream file(folder.path() / "signature", std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    const auto pss = signature(" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32");
    const auto pss_long = signature(" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:max");
    const auto pkcs = signature("");
    CHECK(said(text + '.' + base64url_encoded(pss), rsa.key_set("k")) == 0);
    CHECK(said(text + '.' + base64url_encoded(pss_long), rsa.key_set("k")) == number(errc::bad_signature));
    CHECK(said(text + '.' + base64url_encoded(pkcs), rsa.key_set("k")) == number(errc::bad_signature));
}

TEST_CASE("jose: only RS256, PS256 and ES256 are taken, and each by a key of its type", "[jose]") {
    const auto& rsa = rsa_signer();
    const auto& ec = ec_signer();
    const std::string keys = set_of({R"("kid":"r",)" + rsa.members(), R"("kid":"e",)" + ec.members()});
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256","kid":"r"})", "{}"), keys) == 0);
    CHECK(said(rsa.signed_as("PS256", R"({"alg":"PS256","kid":"r"})", "{}"), keys) == 0);
    CHECK(said(ec.signed_as("ES256", R"({"alg":"ES256","kid":"e"})", "{}"), keys) == 0);
    CHECK(said(rsa.signed_as("PS256", R"({"alg":"RS256","kid":"r"})", "{}"), keys) == number(errc::bad_signature));
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256","kid":"e"})", "{}"), keys) == number(errc::algorithm_mismatch));
    CHECK(said(ec.signed_as("ES256", R"({"alg":"ES256","kid":"r"})", "{}"), keys) == number(errc::algorithm_mismatch));
    const auto header = GENERATE(as<std::string>(), R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"HS256"})",
                                 R"({"alg":"RS512"})", R"({"alg":"rs256"})", R"({"alg":"RS1"})", R"({"alg":""})",
                                 R"({"alg":null})", R"({"alg":["RS256"]})", R"({})", R"({"alg":"ES384"})");
    CAPTURE(header);
    CHECK(said(rsa.signed_as("RS256", header, "{}"), keys) == number(errc::algorithm_refused));
}

TEST_CASE("jose: an unsigned token is refused", "[jose]") {
    const auto keys = rsa_signer().key_set("r");
    CHECK(said(base64url_encoded(R"({"alg":"none"})") + ".e30.", keys) == number(errc::not_compact));
    CHECK(said(base64url_encoded(R"({"alg":"RS256","kid":"r"})") + ".e30.", keys) == number(errc::not_compact));
    CHECK(said(base64url_encoded(R"({"alg":"RS256","kid":"r"})") + ".e30", keys) == number(errc::not_compact));
    CHECK(said(base64url_encoded(R"({"alg":"RS256","kid":"r"})") + ".e30.AA", keys) == number(errc::bad_signature));
}

TEST_CASE("jose: a key for one algorithm does not check another", "[jose]") {
    const auto& rsa = rsa_signer();
    const std::string keys = set_of({R"("kid":"r","alg":"RS256",)" + rsa.members()});
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256","kid":"r"})", "{}"), keys) == 0);
    CHECK(said(rsa.signed_as("PS256", R"({"alg":"PS256","kid":"r"})", "{}"), keys) == number(errc::algorithm_mismatch));
}

TEST_CASE("jose: a token names a key of the set, or every fitting key is tried", "[jose]") {
    const auto &rsa = rsa_signer(), &other = other_rsa_signer();
    const std::string keys = set_of({R"("kid":"a",)" + other.members(), ec_signer().members(),
                                     R"("kid":"b",)" + rsa.members(), R"("kid":"c",)" + other.members()});
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256","kid":"b"})", "{}"), keys) == 0);
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256"})", "{}"), keys) == 0);
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256","kid":"a"})", "{}"), keys) == number(errc::bad_signature));
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256","kid":"d"})", "{}"), keys) == number(errc::unknown_key));
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256","kid":""})", "{}"), keys) == number(errc::unknown_key));
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256","kid":7})", "{}"), keys) == number(errc::not_compact));
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256","kid":"b"})", "{}"), R"({"keys":[]})") ==
          number(errc::unknown_key));
}

TEST_CASE("jose: a key that the token brings along counts for nothing", "[jose]") {
    const auto& stranger = other_rsa_signer();
    const auto header = R"({"alg":"RS256","jku":"https://evil.test/keys","jwk":{)" + stranger.members() + "}}";
    CHECK(said(stranger.signed_as("RS256", header, "{}"), rsa_signer().key_set("r")) == number(errc::bad_signature));
}

TEST_CASE("jose: headers that readers could understand differently are refused", "[jose]") {
    const auto& rsa = rsa_signer();
    const auto [header, code] = GENERATE(table<std::string, errc>(
        {{R"({"alg":"RS256","crit":["exp"],"exp":1})", errc::critical_header},
         {R"({"alg":"RS256","crit":[]})", errc::critical_header},
         {R"({"alg":"RS256","b64":false,"crit":["b64"]})", errc::critical_header},
         {R"({"alg":"RS256","alg":"RS256"})", errc::duplicate_member},
         {R"({"alg":"none","\u0061lg":"RS256"})", errc::duplicate_member},
         {R"({"alg":"RS256","x":{"y":[{"z":1,"z":2}]}})", errc::duplicate_member},
         {R"({"alg":"RS256"} x)", errc::not_json},
         {R"({"alg":"RS256")", errc::not_json},
         {R"(["RS256"])", errc::not_json},
         {"{\"alg\":\"RS256\",\"x\":\"\xff\"}", errc::not_json},
         {"", errc::not_json},
         {R"({"alg":"RS256","x":)" + std::string(5000, '[') + std::string(5000, ']') + "}", errc::too_long},
         {R"({"alg":"RS256","x":)" + std::string(50, '[') + std::string(50, ']') + "}", errc::not_json},
         {R"({"alg":"RS256","x":")" + std::string(9000, 'x') + "\"}", errc::too_long}}));
    CAPTURE(header.substr(0, 100));
    CHECK(said(rsa.signed_as("RS256", header, "{}"), rsa.key_set("r")) == number(code));
}

TEST_CASE("jose: tokens and key sets have limits", "[jose]") {
    const auto& rsa = rsa_signer();
    CHECK(said(rsa.signed_as("RS256", R"({"alg":"RS256"})", std::string(60'000, 'x')), rsa.key_set("r")) ==
          number(errc::too_long));
    CHECK(read_key_set(R"({"keys":[],"x":")" + std::string(jose::key_set_bytes_max, 'x') + "\"}").error() ==
          make_error_code(errc::too_long));
    std::string many = R"({"keys":[{})";
    for (std::size_t i = 0; i < jose::keys_max; ++i) many += ",{}";
    CHECK(read_key_set(many + "]}").error() == make_error_code(errc::too_long));
    const auto broken =
        GENERATE(as<std::string>(), "", "[]", "{}", R"({"keys":{}})", R"({"keys":null})", R"({"keys":)");
    CHECK(read_key_set(broken).has_error());
}

TEST_CASE("jose: keys of other uses and types are left out, broken and weak ones say why", "[jose]") {
    const auto& rsa = rsa_signer();
    const Signer small("RSA", 1024);
    const std::string good = rsa.members();
    const auto wrong_exponent = [&](std::string_view e) {
        std::string members = good;
        return members.replace(members.find(R"("e":")") + 5, 4, e);
    };
    const auto token = [&](std::string_view id) {
        return rsa.signed_as("RS256", R"({"alg":"RS256","kid":")" + std::string(id) + "\"}", "{}");
    };
    const std::string keys = set_of({
        R"("kid":"enc","use":"enc",)" + good,
        R"("kid":"ops","key_ops":["encrypt"],)" + good,
        R"("kid":"verify","key_ops":["x","verify"],"use":"sig",)" + good,
        R"("kid":"oct","kty":"oct","k":"AAAA")",
        R"("kid":"okp","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")",
        R"("kid":"p521","kty":"EC","crv":"P-521","x":"AA","y":"AA")",
        R"("kid":"small",)" + small.members(),
        R"("kid":"one",)" + wrong_exponent("AQ"),
        R"("kid":"even",)" + wrong_exponent("AQAC"),
        R"("kid":"long",)" + wrong_exponent("AQABAQABAQABAQAB"),
        R"("kid":"none",)" + wrong_exponent(""),
        R"("kid":"huge","kty":"RSA","e":"AQAB","n":")" + base64url_encoded(std::string(2000, '\xff')) + '"',
        R"("kid":"off","kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
        R"("y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")",
        R"("kid":"zero","kty":"EC","crv":"P-256","x":")" + std::string(43, 'A') + R"(","y":")" + std::string(43, 'A') +
            '"',
        R"("kid":"short","kty":"EC","crv":"P-256","x":"f83O","y":"f83O")",
    });
    CHECK(said(token("verify"), keys) == 0);
    for (const auto* id : {"enc", "ops", "oct", "okp", "p521"}) {
        CAPTURE(id);
        CHECK(said(token(id), keys) == number(errc::unknown_key));
    }
    CHECK(said(small.signed_as("RS256", R"({"alg":"RS256","kid":"small"})", "{}"), keys) == number(errc::weak_key));
    CHECK(said(token("one"), keys) == number(errc::weak_key));
    CHECK(said(token("even"), keys) == number(errc::weak_key));
    for (const auto* id : {"long", "none", "huge"}) {
        CAPTURE(id);
        CHECK(said(token(id), keys) == number(errc::bad_key));
    }
    for (const auto* id : {"off", "zero", "short"}) {
        CAPTURE(id);
        const auto by_ec = ec_signer().signed_as("ES256", R"({"alg":"ES256","kid":")" + std::string(id) + "\"}", "{}");
        CHECK(said(by_ec, keys) == number(errc::bad_key));
    }
}

TEST_CASE("jose: a signature of the wrong length or of zeros is refused", "[jose]") {
    const auto keys = ec_signer().key_set("e");
    const std::string text = base64url_encoded(R"({"alg":"ES256","kid":"e"})") + ".e30.";
    for (const std::size_t size : {1U, 63U, 64U, 65U, 72U, 200U}) {
        CHECK(said(text + base64url_encoded(std::string(size, '\0')), keys) == number(errc::bad_signature));
        CHECK(said(text + base64url_encoded(std::string(size, '\xff')), keys) == number(errc::bad_signature));
    }
}

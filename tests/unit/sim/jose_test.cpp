#include "tools/rohrpost-sim/jose.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/sim/identity_desk.hpp"

using sim::Algorithm;
using sim::RsaKey;

TEST_CASE("sim jose: a key follows from its randomness and signs what its public half verifies", "[sim]") {
    support::SeededRandom one(7), same(7), other(8);
    const RsaKey key = RsaKey::drawn_from(one), twin = RsaKey::drawn_from(same), stranger = RsaKey::drawn_from(other);
    CHECK(key.kid() == twin.kid());
    CHECK(key.kid() != stranger.kid());
    const auto open_half = RsaKey::from_pem(key.public_pem());
    REQUIRE(open_half);
    CHECK(open_half->kid() == key.kid());
    CHECK(RsaKey::from_pem(key.private_pem())->kid() == key.kid());
    for (const Algorithm algorithm : {Algorithm::rs256, Algorithm::ps256}) {
        const std::string signature = key.sign(algorithm, "some bytes");
        CHECK(signature.size() == 256);
        CHECK(open_half->verifies(algorithm, "some bytes", signature));
        CHECK_FALSE(open_half->verifies(algorithm, "some byteS", signature));
        CHECK_FALSE(stranger.verifies(algorithm, "some bytes", signature));
        const Algorithm wrong = algorithm == Algorithm::rs256 ? Algorithm::ps256 : Algorithm::rs256;
        CHECK_FALSE(open_half->verifies(wrong, "some bytes", signature));
        for (std::size_t at = 0; at < signature.size(); at += 37) {
            std::string bent = signature;
            bent[at] = static_cast<char>(bent[at] ^ 1);
            CHECK_FALSE(open_half->verifies(algorithm, "some bytes", bent));
        }
    }
}

TEST_CASE("sim jose: what is signed can be read again, nothing else is a token", "[sim]") {
    support::SeededRandom random(7);
    const RsaKey key = RsaKey::drawn_from(random);
    const std::string token = sim::signed_jwt({{"x", 1}}, {{"iss", "me"}, {"exp", 12}}, key, Algorithm::ps256);
    const auto jwt = sim::read_jwt(token);
    REQUIRE(jwt);
    CHECK(jwt->algorithm() == Algorithm::ps256);
    CHECK(jwt->header_text("kid") == key.kid());
    CHECK(jwt->text("iss") == "me");
    CHECK(jwt->number("exp") == 12);
    CHECK_FALSE(jwt->number("iss"));
    CHECK(key.verifies(Algorithm::ps256, jwt->signed_part, jwt->signature));
    CHECK_FALSE(sim::read_jwt(sim::unsigned_jwt({{"iss", "me"}}))->algorithm());
    for (const std::string& none : {std::string(), std::string(".."), std::string("a.b.c"), token + ".x",
                                    token.substr(0, token.rfind('.')), std::string("e30.W10.")})
        CHECK_FALSE(sim::read_jwt(none));
    CHECK_FALSE(RsaKey::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
}

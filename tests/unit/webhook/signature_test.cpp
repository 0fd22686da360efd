#include "protocols/webhook/signature.hpp"

#include <catch2/catch.hpp>

using namespace webhook;

TEST_CASE("signatures are those of Standard Webhooks", "[webhook]") {
    // The example of its documentation.
    const auto key = key_of(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    CHECK(signature_of(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", R"({"test": 2432232314})") ==
          "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("a secret that is no whsec_ of base64 signs with its own bytes", "[webhook]") {
    CHECK(key_of(Secret("plain words")) == Secret("plain words"));
    CHECK(key_of(Secret("whsec_")) == Secret("whsec_"));
    CHECK(key_of(Secret("whsec_not base64")) == Secret("whsec_not base64"));
    CHECK(key_of(Secret("whsec_YWJj")) == Secret("abc"));
}

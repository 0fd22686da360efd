#include <catch2/catch.hpp>

#include "engine/secrets/sealing.hpp"

using namespace secrets;

namespace {

Key key_of(char fill) { return *Key::from_bytes(Secret(std::string(key_bytes, fill))); }

/// Fills with one value.
class Fixed final : public Random {
public:
    explicit Fixed(std::byte value) : value_(value) {}
    void fill(std::span<std::byte> bytes) override { std::fill(bytes.begin(), bytes.end(), value_); }

private:
    std::byte value_;
};

}  // namespace

TEST_CASE("a sealed secret opens with its key at its place, whatever its length", "[secrets]") {
    SystemRandom random;
    const Key key = key_of('k');
    for (const std::size_t length : {0U, 1U, 15U, 16U, 17U, 5000U}) {
        const Secret plain(std::string(length, 'x'));
        const std::string sealed = seal(key, "svc:password", plain, random);
        CHECK(sealed.size() == length + sealed_overhead_bytes);
        const auto opened = unseal(key, "svc:password", sealed);
        REQUIRE(opened.has_value());
        CHECK(*opened == plain);
    }
}

TEST_CASE("AES-256-GCM gives the known answer for zero key and nonce", "[secrets]") {
    // NIST GCM test case 14 has this ciphertext; the tag differs, as ours authenticates more.
    Fixed zero(std::byte{0});
    const std::string sealed = seal(key_of('\0'), "", Secret(std::string(16, '\0')), zero);
    const std::string expected("\xce\xa7\x40\x3d\x4d\x60\x6b\x6e\x07\x4e\xc5\xd3\xba\xf3\x9d\x18", 16);
    CHECK(sealed.substr(1 + key_id_bytes + 12, 16) == expected);
}

TEST_CASE("no bit of a sealed secret can be changed, none left out", "[secrets]") {
    SystemRandom random;
    const Key key = key_of('k');
    const std::string sealed = seal(key, "place", Secret("hunter2"), random);
    for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
        std::string altered = sealed;
        altered[i / 8] = static_cast<char>(altered[i / 8] ^ (1 << (i % 8)));
        CHECK(unseal(key, "place", altered).has_error());
    }
    for (std::size_t length = 0; length < sealed.size(); ++length) {
        CHECK(unseal(key, "place", sealed.substr(0, length)).has_error());
    }
}

TEST_CASE("a secret that was moved elsewhere or sealed with another key does not open", "[secrets]") {
    SystemRandom random;
    const std::string sealed = seal(key_of('k'), "svc:password", Secret("hunter2"), random);
    CHECK(unseal(key_of('k'), "other:password", sealed).error() == errc::tampered);
    CHECK(unseal(key_of('l'), "svc:password", sealed).error() == errc::foreign_key);
    CHECK(unseal(key_of('k'), "svc:password", "no").error() == errc::malformed);
}

TEST_CASE("two seals of the same secret differ", "[secrets]") {
    SystemRandom random;
    CHECK(seal(key_of('k'), "p", Secret("s"), random) != seal(key_of('k'), "p", Secret("s"), random));
}

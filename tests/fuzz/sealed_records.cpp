/// What the store keeps sealed, and what is in it: damage is an error, never another secret.

#include "engine/secrets/sealing.hpp"
#include "engine/tokens/grant_record.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

class CountingRandom final : public Random {
public:
    void fill(std::span<std::byte> bytes) override {
        for (auto& byte : bytes) byte = static_cast<std::byte>(++count_);
    }

private:
    unsigned char count_ = 0;
};

const secrets::Key& key() {
    static const auto made = secrets::Key::from_bytes(Secret(std::string(secrets::key_bytes, 'k')));
    return *made;
}

void sealed(std::string_view input) {
    CountingRandom random;
    const Secret plain{std::string(input)};
    std::string bytes = secrets::seal(key(), "here", plain, random);
    fuzz::expect(bytes.size() == input.size() + secrets::sealed_overhead_bytes, "a seal has its size");
    const auto again = secrets::unseal(key(), "here", bytes);
    fuzz::expect(again && again->reveal() == input, "what was sealed opens");
    fuzz::expect(!secrets::unseal(key(), "there", bytes), "elsewhere it does not");
    fuzz::Chance chance(input);
    const std::size_t bit = chance.up_to(bytes.size() * 8 - 1);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    fuzz::expect(!secrets::unseal(key(), "here", bytes), "a flipped bit is found");
    fuzz::expect(!secrets::unseal(key(), "here", input) || input.size() > secrets::sealed_overhead_bytes,
                 "what nobody sealed does not open");
}

void grant(std::string_view input) {
    const auto record = tokens::decoded(Secret(std::string(input)));
    if (!record) return;
    const auto printed = tokens::encoded(*record);
    const auto again = tokens::decoded(printed);
    fuzz::expect(again.has_value(), "a printed grant reads");
    fuzz::expect(tokens::encoded(*again).reveal() == printed.reveal() &&
                     again->access_token.reveal() == record->access_token.reveal() && again->seed == record->seed &&
                     again->life.expires_at == record->life.expires_at,
                 "a grant prints and reads to the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto input = fuzz::text_of(bytes, size);
    sealed(input);
    grant(input);
    return 0;
}

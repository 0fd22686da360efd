#include "protocols/base/random.hpp"

#include <openssl/rand.h>

#include "protocols/base/ensure.hpp"

std::uint64_t Random::next() {
    std::uint64_t value = 0;
    fill(std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

double Random::fraction() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

void SystemRandom::fill(std::span<std::byte> bytes) {
    const int filled = RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    ensure(filled == 1, "the operating system gives random bytes");
}

#include "queue/store/crc32c.hpp"

#include <array>
#include <cstring>

namespace store {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;  // reflected

constexpr auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t byte = 0; byte < made.size(); ++byte) {
        std::uint32_t sum = byte;
        for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? polynomial : 0);
        made[byte] = sum;
    }
    return made;
}();

#ifdef __x86_64__
/// What a sum becomes when `zeros` zero bytes follow, as sums are linear: by it, sums of neighbours become one.
class Shift {
public:
    explicit Shift(std::size_t zeros) noexcept {
        std::array<std::uint32_t, 32> of_bit{};
        for (std::uint32_t bit = 0; bit < of_bit.size(); ++bit) {
            std::uint32_t sum = 1U << bit;
            for (std::size_t byte = 0; byte < zeros; ++byte) sum = (sum >> 8) ^ table[sum & 0xff];
            of_bit[bit] = sum;
        }
        for (std::uint32_t place = 0; place < 4; ++place) {
            for (std::uint32_t byte = 0; byte < 256; ++byte) {
                for (std::uint32_t bit = 0; bit < 8; ++bit) {
                    if ((byte >> bit & 1U) != 0) of_[place][byte] ^= of_bit[place * 8 + bit];
                }
            }
        }
    }
    [[nodiscard]] std::uint32_t of(std::uint64_t sum) const noexcept {
        return of_[0][sum & 0xff] ^ of_[1][sum >> 8 & 0xff] ^ of_[2][sum >> 16 & 0xff] ^ of_[3][sum >> 24 & 0xff];
    }

private:
    std::array<std::array<std::uint32_t, 256>, 4> of_{};
};

__attribute__((target("sse4.2"))) inline std::uint64_t step(std::uint64_t sum, const char* bytes) noexcept {
    std::uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return __builtin_ia32_crc32di(sum, word);
}

/// The instruction takes three cycles, but one can begin in each: three neighbouring blocks are summed at once.
template <std::size_t block_bytes>
__attribute__((target("sse4.2"))) std::uint64_t three_at_once(std::uint64_t sum, std::string_view& bytes) noexcept {
    static const Shift shift(block_bytes);
    for (; bytes.size() >= 3 * block_bytes; bytes.remove_prefix(3 * block_bytes)) {
        std::uint64_t second = 0;
        std::uint64_t third = 0;
        const char* at = bytes.data();
        for (const char* end = at + block_bytes; at < end; at += sizeof(std::uint64_t)) {
            sum = step(sum, at);
            second = step(second, at + block_bytes);
            third = step(third, at + 2 * block_bytes);
        }
        sum = shift.of(shift.of(sum) ^ second) ^ third;
    }
    return sum;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes,
                                                                      std::uint32_t before) noexcept {
    std::uint64_t sum = static_cast<std::uint32_t>(~before);
    sum = three_at_once<4096>(sum, bytes);
    sum = three_at_once<256>(sum, bytes);
    for (; bytes.size() >= sizeof(std::uint64_t); bytes.remove_prefix(sizeof(std::uint64_t))) {
        sum = step(sum, bytes.data());
    }
    auto rest = static_cast<std::uint32_t>(sum);
    for (const char byte : bytes) rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(byte));
    return ~rest;
}
#endif

}  // namespace

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t before) noexcept {
    std::uint32_t sum = ~before;
    for (const char byte : bytes) sum = (sum >> 8) ^ table[(sum ^ static_cast<unsigned char>(byte)) & 0xff];
    return ~sum;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) noexcept {
#ifdef __x86_64__
    static const bool has_instruction = __builtin_cpu_supports("sse4.2");
    if (has_instruction) return crc32c_by_instruction(bytes, before);
#endif
    return crc32c_by_table(bytes, before);
}

}  // namespace store

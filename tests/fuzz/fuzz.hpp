#pragma once
/// What the fuzz targets share. A target is a file with one LLVMFuzzerTestOneInput; a broken promise ends the process,
/// which the fuzzer takes for a crash.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

/// Ends the process unless the promise holds.
inline void expect(bool holds, std::string_view promise) {
    if (holds) return;
    std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()), promise.data());
    std::abort();
}

inline bool within(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// Chance that the same input always meets with in the same way, so that inputs are nothing but what is to be read.
class Chance {
public:
    explicit Chance(std::string_view input) {
        std::uint32_t sum = 2166136261U;
        for (const char c : input) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619U;
        engine_.seed(sum);
    }
    /// From 0 to `most`.
    std::size_t up_to(std::size_t most) { return engine_() % (most + 1); }

private:
    std::minstd_rand engine_;
};

/// How an input arrives: at once, byte by byte, or in pieces of any size.
enum class Arrival { whole, bytes, pieces };
inline constexpr Arrival arrivals[] = {Arrival::whole, Arrival::bytes, Arrival::pieces};

inline std::vector<std::string_view> split(std::string_view input, Arrival arrival) {
    std::vector<std::string_view> pieces;
    Chance chance(input);
    while (!input.empty()) {
        std::size_t taken = input.size();
        if (arrival == Arrival::bytes) taken = 1;
        if (arrival == Arrival::pieces) taken = 1 + chance.up_to(chance.up_to(3) == 0 ? 400 : 12);
        pieces.push_back(input.substr(0, taken));
        input.remove_prefix(pieces.back().size());
    }
    return pieces;
}

/// Takes the first line off, without its end.
inline std::string_view take_line(std::string_view& input) {
    const std::size_t end = input.find('\n');
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    return line;
}

}  // namespace fuzz

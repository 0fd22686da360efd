#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace support {

/// Mails of any shape from a seed: lines of CRLF, no NUL, no CR or LF by itself.
class RandomMail {
public:
    explicit RandomMail(std::uint64_t seed) : engine_(seed) {}
    /// Parts within signed or encrypted ones occur as well, and what cannot be converted.
    std::string make();
    std::size_t up_to(std::size_t most) { return static_cast<std::size_t>(engine_() % (most + 1)); }

private:
    std::string text(bool eight_bit, bool long_lines);
    std::string bytes();
    std::string line(bool eight_bit, std::size_t bytes_max);
    std::string part(std::size_t depth);
    std::string leaf(const std::string& fields);
    std::string multipart(const std::string& fields, std::size_t depth);
    bool one_in(std::size_t count) { return up_to(count - 1) == 0; }

    std::mt19937_64 engine_;
    std::size_t boundaries_ = 0;
};

}  // namespace support

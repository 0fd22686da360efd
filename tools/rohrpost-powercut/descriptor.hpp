#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace powercut {

/// An open file, closed when this ends.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) noexcept : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_ = -1;
};

/// Throws std::runtime_error with errno's words.
inline void must(bool worked, const std::string& what) {
    if (!worked) throw std::runtime_error("cannot " + what + ": " + std::strerror(errno));
}

}  // namespace powercut

#pragma once

#include <string>
#include <string_view>
#include <utility>

/// A string that cannot be printed, formatted or serialised; its bytes are wiped when it ends.
/// The one way to the bytes is reveal(), so every use can be found by name.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string bytes) noexcept : bytes_(std::move(bytes)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.wipe(); }
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { wipe(); }

    [[nodiscard]] std::string_view reveal() const noexcept { return bytes_; }
    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
    /// Compares in constant time for equal lengths.
    [[nodiscard]] bool operator==(const Secret& other) const noexcept;

private:
    void wipe() noexcept;

    std::string bytes_;
};

template <class Stream>
Stream& operator<<(Stream&, const Secret&) = delete;

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace support {

/// A fresh directory that only its owner can enter; goes with all it holds when this ends.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// The bytes of a file. Throws std::runtime_error when it cannot be read.
std::string contents_of(const std::filesystem::path& file);

}  // namespace support

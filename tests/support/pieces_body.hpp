#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "protocols/smtp/client.hpp"

namespace support {

/// A mail's body out of memory, in pieces of `piece_bytes`. It may lie about its size.
class PiecesBody final : public smtp::Body {
public:
    explicit PiecesBody(std::string bytes, std::size_t piece_bytes = 1U << 20U)
        : bytes_(std::move(bytes)), said_bytes_(bytes_.size()), piece_bytes_(piece_bytes) {}

    std::uint64_t size_bytes() const noexcept override { return said_bytes_; }
    awaitable<Result<std::string_view>> next() override {
        const std::string_view piece = std::string_view(bytes_).substr(given_bytes_, piece_bytes_);
        given_bytes_ += piece.size();
        if (piece.empty() && fault_) co_return fault_;
        co_return piece;
    }
    void say(std::uint64_t bytes) noexcept { said_bytes_ = bytes; }
    /// Instead of its end.
    void fail_with(error_code fault) noexcept { fault_ = fault; }
    [[nodiscard]] std::size_t given_bytes() const noexcept { return given_bytes_; }

private:
    std::string bytes_;
    std::uint64_t said_bytes_;
    std::size_t piece_bytes_;
    std::size_t given_bytes_ = 0;
    error_code fault_{};
};

}  // namespace support

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "engine/tokens/token.hpp"

namespace tokens {

/// The current token of one credential: the service writes it, every shard reads it. There is one for as long as the
/// process lives.
class Published {
public:
    /// No token: whoever needs one has to ask.
    void put(std::shared_ptr<const Token> token) {
        const std::lock_guard lock(mutex_);
        token_ = std::move(token);
        version_.fetch_add(1, std::memory_order_release);
    }

private:
    friend class PublishedReader;
    std::atomic<std::uint64_t> version_{1};
    std::mutex mutex_;
    std::shared_ptr<const Token> token_;
};

/// One shard's view of it. Wait-free while nothing changes: a single acquire load, no lock, no allocation.
class PublishedReader {
public:
    explicit PublishedReader(std::shared_ptr<Published> of) noexcept : of_(std::move(of)) {}

    /// What was published last; nullptr: ask. Good until the next call.
    [[nodiscard]] const Token* current() {
        if (of_->version_.load(std::memory_order_acquire) != seen_) look_again();
        return token_.get();
    }

private:
    void look_again() {
        const std::lock_guard lock(of_->mutex_);
        seen_ = of_->version_.load(std::memory_order_relaxed);
        token_ = of_->token_;
    }

    std::shared_ptr<Published> of_;
    std::uint64_t seen_ = 0;
    std::shared_ptr<const Token> token_;
};

}  // namespace tokens

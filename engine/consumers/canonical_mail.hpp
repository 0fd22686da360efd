#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/consumers/body_reader.hpp"
#include "protocols/smtp/client.hpp"
#include "protocols/smtp/data.hpp"

namespace consumers {

/// A stored mail on its way over LMTP: header lines of ours in front, then its bytes, in the form that SMTP can carry
/// (smtp::Canonicalisation; most mails are in it already). A small mail comes whole, a large one never sits in memory:
/// one that has to be changed is read twice before. Used by one coroutine; the mail outlives it.
class CanonicalMail final : public smtp::Body {
public:
    /// A small mail, whose bytes are there.
    CanonicalMail(std::string_view front, std::string_view body);
    /// A large one. prepare() comes first.
    CanonicalMail(std::string_view front, const Mail& mail);

    /// Errors: damaged, and as store::Bodies::read. Also those of next().
    awaitable<Result<void>> prepare();
    [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return size_bytes_; }
    awaitable<Result<std::string_view>> next() override;
    /// It has bytes beyond ASCII.
    [[nodiscard]] bool eight_bit() const noexcept { return eight_bit_; }
    /// From the beginning again.
    void rewind();

private:
    std::string front_;  // of a small mail, all of it
    const Mail* mail_ = nullptr;
    std::optional<BodyReader> reader_;
    smtp::Canonicalisation canonicalisation_;
    bool canonical_ = true;
    bool front_given_ = false;
    bool finished_ = true;
    bool eight_bit_ = false;
    std::uint64_t size_bytes_ = 0;
    std::string piece_;
};

}  // namespace consumers

#pragma once

#include <optional>
#include <string>

#include "engine/dispatcher/stored_body.hpp"
#include "protocols/mime/conversion.hpp"

namespace dispatcher {

/// A submission on its way to a server without 8BITMIME: its parts with 8-bit bytes are encoded while it is read.
/// RFC 6152 §3. Errors as of StoredBody.
class SevenBitBody final : public smtp::Body {
public:
    SevenBitBody(const store::Bodies& bodies, const store::BodyPlace& place) : bodies_(bodies), place_(place) {}
    /// Comes before anything else, and reads the mail twice: what is to be done, and how large it becomes. Why it
    /// cannot be done; empty: it can.
    awaitable<Result<std::string>> prepare();
    [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return size_bytes_; }
    awaitable<Result<std::string_view>> next() override;

private:
    void begin(const mime::Plan& plan);

    const store::Bodies& bodies_;
    store::BodyPlace place_;
    std::optional<StoredBody> source_;
    std::optional<mime::Conversion> conversion_;
    bool ended_ = true;
    std::uint64_t size_bytes_ = 0;
    std::string piece_;
};

}  // namespace dispatcher

#pragma once

#include <string>

#include "protocols/smtp/client.hpp"
#include "queue/store/bodies.hpp"

namespace dispatcher {

/// The bytes of a submission on their way from the store, a piece at a time. What does not fit its checksum never
/// leaves as a whole mail. Errors: store::errc::damaged, body_gone, io_failed.
class StoredBody final : public smtp::Body {
public:
    static constexpr std::uint64_t piece_bytes = 256 * 1024;

    StoredBody(const store::Bodies& bodies, const store::BodyPlace& place) : bodies_(bodies), place_(place) {}
    [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return place_.length; }
    awaitable<Result<std::string_view>> next() override;

private:
    const store::Bodies& bodies_;
    store::BodyPlace place_;
    std::uint64_t offset_ = 0;
    std::uint32_t crc_ = 0;
    std::string piece_;
};

}  // namespace dispatcher

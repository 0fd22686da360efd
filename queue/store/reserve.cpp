#include "queue/store/reserve.hpp"

#include <algorithm>
#include <string>

namespace store {

Result<void> Reserve::restore() {
    if (!released_) return {};
    auto file = disk_.open(path_, Disk::Mode::create);
    if (!file) return file.error();
    const std::string piece(std::min<std::uint64_t>(bytes_, 1 << 20), '\0');
    for (std::uint64_t at = 0; at < bytes_; at += piece.size()) {
        const auto written = (*file)->write(piece, at);
        if (!written) {
            release();
            return written.error();
        }
    }
    released_ = false;
    return {};
}

void Reserve::release() noexcept {
    released_ = true;
    static_cast<void>(disk_.remove(path_));
}

}  // namespace store

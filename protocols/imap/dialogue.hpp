#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/imap/types.hpp"

namespace imap {

/// The last lines of a dialogue, for messages to people. Printable, each cut; literals show as their announcement;
/// callers hand in no secret. A run of FETCH answers is one line and costs no allocation.
class Dialogue {
public:
    void sent(std::string_view piece);  // its first line
    void received(std::string_view line);
    void fetched(const FetchItem& item) noexcept;
    [[nodiscard]] std::vector<std::string> lines() const;
    /// A long wait begins: keeps the newest few lines only, and no spare memory.
    void rest();

private:
    struct FetchRun {
        std::uint64_t answers = 0;
        Uid last_uid = 0;
        std::uint64_t last_body_bytes = 0;
    };
    void keep(std::string_view line);
    static std::string text_of(const FetchRun& run);

    std::string text_;       // all in one piece: an idle connection keeps little
    std::size_t lines_ = 0;  // in it, each with a line end
    FetchRun run_;           // since the last line
};

}  // namespace imap

#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/imap/types.hpp"

namespace imap {

/// The last lines of a dialogue, for messages to people. Printable, each cut; literals show as their announcement;
/// callers hand in no secret. A run of FETCH answers is one line and costs no allocation.
class Dialogue {
public:
    void sent(std::string_view piece);
    void received(std::string_view line);
    void fetched(const FetchItem& item) noexcept;
    [[nodiscard]] std::vector<std::string> lines() const;

private:
    struct FetchRun {
        std::uint64_t answers = 0;
        Uid last_uid = 0;
        std::uint64_t last_body_bytes = 0;
    };
    void keep(char who, std::string_view bytes);
    void end_run();
    static std::string text_of(const FetchRun& run);

    std::deque<std::string> lines_;
    FetchRun run_;  // since the last line
};

}  // namespace imap

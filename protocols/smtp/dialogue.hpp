#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/smtp/reply.hpp"

namespace smtp {

/// The last lines of a dialogue, for messages to people. Printable, each cut; callers hand in no secret and no body.
class Dialogue {
public:
    void sent(std::string_view command);  // one line, with or without its end
    void received(const Reply& reply);
    [[nodiscard]] std::vector<std::string> lines() const;

private:
    void keep(std::string_view who, std::string_view line);

    std::string text_;       // all in one piece: an idle connection keeps little
    std::size_t lines_ = 0;  // in it, each with a line end
};

}  // namespace smtp

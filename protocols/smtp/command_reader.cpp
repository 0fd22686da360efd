#include "protocols/smtp/command_reader.hpp"

#include <utility>

namespace smtp {

std::optional<LineReader::Line> LineReader::read(std::string_view& input, std::size_t bytes_max) {
    while (!input.empty()) {
        const bool after_cr = !line_.empty() && line_.back() == '\r';
        if (after_cr && input.front() != '\n') return Line{std::exchange(line_, {}), Fault::bare_line_end};
        const std::size_t special = input.find_first_of("\r\n");
        const bool found = special != std::string_view::npos;
        const std::string_view taken = input.substr(0, found ? special + 1 : special);
        input.remove_prefix(taken.size());
        const std::size_t room = line_.size() < bytes_max ? bytes_max - line_.size() : 0;
        // The last byte that came is always kept: whether it is a CR decides about the next one.
        if (taken.size() <= room) {
            line_ += taken;
        } else {
            passed_over_bytes_ += taken.size();
            if (line_.empty()) line_ += ' ';
            line_.back() = taken.back();
        }
        if (!found || taken.back() == '\r') continue;
        const bool ends = after_cr && taken.size() == 1;
        if (!ends) return Line{std::exchange(line_, {}), Fault::bare_line_end};
        Line line{std::exchange(line_, {}), std::exchange(passed_over_bytes_, 0) > 0 ? Fault::too_long : Fault::none};
        if (line.fault == Fault::none) line.text.resize(line.text.size() - 2);
        return line;
    }
    return std::nullopt;
}

}  // namespace smtp

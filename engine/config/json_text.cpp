#include "engine/config/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/stream_parser.hpp>

#include "protocols/base/result.hpp"

namespace config {

std::optional<boost::json::value> json_of(std::string_view text, std::size_t depth_max, Faults& faults) {
    boost::json::parse_options options;
    options.max_depth = depth_max;
    boost::json::stream_parser parser({}, options);
    error_code wrong;
    const std::size_t read = parser.write_some(text, wrong);
    if (!wrong && read < text.size()) wrong = boost::json::error::extra_data;
    if (!wrong) parser.finish(wrong);
    if (!wrong) return parser.release();
    const std::string_view before = text.substr(0, read);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    faults.add({}, fmt::format("not JSON: {} at line {}, column {}", wrong.message(), line, read - line_start + 1));
    return std::nullopt;
}

}  // namespace config

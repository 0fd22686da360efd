#include "protocols/http/date.hpp"

#include <array>

#include "protocols/base/text.hpp"

namespace http {

std::optional<WallTime> read_date(std::string_view text) noexcept {
    constexpr std::size_t bytes = 29;
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    text = text::trimmed(text);
    const bool formed = text.size() == bytes && text.substr(3, 2) == ", " && text[7] == ' ' && text[11] == ' ' &&
                        text[16] == ' ' && text[19] == ':' && text[22] == ':' && text.substr(25) == " GMT";
    if (!formed) return std::nullopt;
    unsigned month = 0;
    while (month < months.size() && months[month] != text.substr(8, 3)) ++month;
    const auto day = text::number<unsigned>(text.substr(5, 2));
    const auto year = text::number<int>(text.substr(12, 4));
    const auto hours = text::number<int>(text.substr(17, 2));
    const auto minutes = text::number<int>(text.substr(20, 2));
    const auto seconds = text::number<int>(text.substr(23, 2));
    if (month == months.size() || !day || !year || !hours || !minutes || !seconds) return std::nullopt;
    const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(month + 1),
                                           std::chrono::day(*day));
    if (!date.ok() || *hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
    return WallTime(std::chrono::sys_days(date) + std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
                    std::chrono::seconds(*seconds));
}

}  // namespace http

#include "protocols/http/message.hpp"

#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <ctime>

#include "protocols/base/text.hpp"
#include "protocols/http/errc.hpp"

namespace http {

namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// `Sun, 06 Nov 1994 08:49:37 GMT`. The obsolete forms are not understood.
std::optional<WallTime> read_http_date(std::string_view date) {
    if (date.size() != 29 || date[3] != ',' || !date.ends_with(" GMT")) return std::nullopt;
    unsigned month = 0;
    while (month < months.size() && months[month] != date.substr(8, 3)) ++month;
    const auto day = text::number<unsigned>(date.substr(5, 2));
    const auto year = text::number<int>(date.substr(12, 4));
    const auto hour = text::number<int>(date.substr(17, 2));
    const auto minute = text::number<int>(date.substr(20, 2));
    const auto second = text::number<int>(date.substr(23, 2));
    if (month == months.size() || !day || !year || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day calendar{std::chrono::year(*year), std::chrono::month(month + 1),
                                               std::chrono::day(*day)};
    if (!calendar.ok()) return std::nullopt;
    return std::chrono::sys_days(calendar) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

}  // namespace

const std::string* find(const Headers& headers, std::string_view name) noexcept {
    for (const auto& [key, value] : headers) {
        if (text::same(key, name)) return &value;
    }
    return nullptr;
}

Result<Url> read_url(std::string_view url) {
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed || parsed->has_userinfo() || parsed->has_fragment() || parsed->host().empty()) {
        return errc::url_malformed;
    }
    Url read;
    if (parsed->scheme_id() == boost::urls::scheme::http) {
        read.secure = false;
    } else if (parsed->scheme_id() != boost::urls::scheme::https) {
        return errc::url_malformed;
    }
    read.host = parsed->host_address();
    read.port = parsed->has_port() ? parsed->port_number() : read.secure ? 443 : 80;
    if (read.port == 0) return errc::url_malformed;
    if (!parsed->encoded_path().empty()) read.target = parsed->encoded_path();
    read.query = parsed->encoded_query();
    return read;
}

std::optional<std::chrono::seconds> retry_after(const Headers& headers, WallTime now) {
    const std::string* value = find(headers, "Retry-After");
    if (value == nullptr) return std::nullopt;
    const auto trimmed = text::trimmed(*value);
    if (const auto seconds = text::number<std::uint32_t>(trimmed)) return std::chrono::seconds(*seconds);
    const auto at = read_http_date(trimmed);
    if (!at) return std::nullopt;
    return std::max(std::chrono::ceil<std::chrono::seconds>(*at - now), std::chrono::seconds(0));
}

}  // namespace http

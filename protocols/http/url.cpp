#include "protocols/http/url.hpp"

#include <boost/url.hpp>

#include "protocols/base/text.hpp"
#include "protocols/http/errc.hpp"

namespace http {

Result<Url> read_https_url(std::string_view address) {
    const auto read = boost::urls::parse_uri(address);
    if (!read) return errc::bad_url;
    if (read->scheme_id() != boost::urls::scheme::https) return errc::not_https;
    if (read->encoded_host().empty() || read->has_userinfo()) return errc::bad_url;

    Url url;
    if (!read->port().empty()) {
        const auto port = text::number<std::uint16_t>(std::string_view(read->port()));
        if (!port || *port == 0) return errc::bad_url;
        url.port = *port;
    }
    url.host = read->host_address();
    url.authority = read->encoded_host();
    if (url.port != 443) url.authority.append(":").append(std::to_string(url.port));
    if (!read->path().empty()) url.path = read->path();
    // Boost.URL 1.81 crashes when it walks over an empty query before a fragment ("/?#x").
    if (read->encoded_query().empty()) return url;
    for (const auto& param : read->params()) url.query.try_emplace(param.key, param.value);
    return url;
}

}  // namespace http

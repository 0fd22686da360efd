#include "protocols/http/url.hpp"

#include <boost/url.hpp>

#include "protocols/http/errc.hpp"

namespace http {

Result<Url> read_https_url(std::string_view text) {
    const auto read = boost::urls::parse_uri(text);
    if (!read) return errc::bad_url;
    if (read->scheme_id() != boost::urls::scheme::https) return errc::not_https;
    if (read->encoded_host().empty() || read->has_userinfo()) return errc::bad_url;
    if (read->has_port() && !read->port().empty() && read->port_number() == 0) return errc::bad_url;

    Url url;
    url.host = read->host_address();
    url.authority = read->encoded_host();
    if (read->port_number() != 0) url.port = read->port_number();
    if (url.port != 443) url.authority.append(":").append(std::to_string(url.port));
    if (!read->path().empty()) url.path = read->path();
    for (const auto& param : read->params()) url.query.try_emplace(param.key, param.value);
    return url;
}

}  // namespace http

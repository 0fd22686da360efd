#include "protocols/http/url.hpp"

#include <boost/url.hpp>

#include "protocols/base/text.hpp"
#include "protocols/http/errc.hpp"

namespace http {

namespace {

/// Boost.URL 1.81 takes "127.0.0.1.example" for the address 127.0.0.1, and the rest of the name is lost.
bool lost_part_of_its_host(std::string_view address, const boost::urls::url_view& read) {
    address.remove_prefix(address.find("//") + 2);
    auto host = address.substr(0, address.find_first_of("/?#"));
    if (read.has_port()) host.remove_suffix(read.port().size() + 1);
    return host != std::string_view(read.encoded_host());
}

}  // namespace

Result<Url> read_https_url(std::string_view address) {
    const auto read = boost::urls::parse_uri(address);
    if (!read) return errc::bad_url;
    if (read->scheme_id() != boost::urls::scheme::https) return errc::not_https;
    if (read->encoded_host().empty() || read->has_userinfo()) return errc::bad_url;
    if (lost_part_of_its_host(address, *read)) return errc::bad_url;

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

std::string encoded(std::string_view text) { return boost::urls::encode(text, boost::urls::unreserved_chars); }

}  // namespace http

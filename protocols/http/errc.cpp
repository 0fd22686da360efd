#include "protocols/http/errc.hpp"

namespace http {
namespace {

class Category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "http"; }
    [[nodiscard]] std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::malformed:
                return "the peer does not speak HTTP/1.1 as it should";
            case errc::header_too_long:
                return "the header of the HTTP message is longer than allowed";
            case errc::body_too_long:
                return "the body of the HTTP message is longer than allowed";
            case errc::incomplete:
                return "the connection ended in the middle of an HTTP message";
            case errc::too_many_interim:
                return "the server sends interim answers without end";
            case errc::bad_argument:
                return "the HTTP message cannot be sent: a header of it holds a line break or is set by the connection";
            case errc::bad_url:
                return "not a URL with a host: expected https://HOST[:PORT]/PATH";
            case errc::not_https:
                return "the URL must begin with https://";
            case errc::nobody_listens:
                return "nobody listens at this socket: the daemon is not running";
            case errc::socket_path_too_long:
                return "the path of the socket is longer than a Unix socket address allows: choose a shorter --data";
        }
        return "unknown error of http";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category category;
    return category;
}

}  // namespace http

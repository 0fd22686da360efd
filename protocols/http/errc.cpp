#include "protocols/http/errc.hpp"

#include <string>

namespace http {

namespace {

class Category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "http"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
            case errc::malformed:
                return "malformed HTTP message";
            case errc::header_too_long:
                return "the HTTP header is longer than allowed";
            case errc::body_too_long:
                return "the HTTP body is longer than allowed";
            case errc::incomplete:
                return "the connection ended inside the HTTP message";
            case errc::url_malformed:
                return "malformed URL: expected http[s]://host[:port]/path[?query]";
            case errc::not_encrypted:
                return "this URL must begin with https://";
            case errc::port_in_use:
                return "the address is in use: another process listens there";
            case errc::path_too_long:
                return "the path of the socket is too long (107 bytes at most)";
        }
        return "unknown HTTP error";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category instance;
    return instance;
}

}  // namespace http

#include "protocols/sasl/errc.hpp"

#include <string>

namespace sasl {
namespace {

class Category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "sasl"; }
    std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::bad_user:
                return "the user name is empty or contains a control character";
            case errc::bad_secret:
                return "the token or password is empty or contains a control character";
            case errc::bad_host:
                return "the host name contains a control character";
        }
        return "unknown sasl error";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category instance;
    return instance;
}

}  // namespace sasl

#include "engine/config/errc.hpp"

namespace config {
namespace {

class Category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "config"; }
    [[nodiscard]] std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::malformed_document:
                return "a configuration document in the store cannot be read by this version: import it again";
        }
        return "unknown error of the configuration";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category category;
    return category;
}

}  // namespace config

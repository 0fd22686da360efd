#include "engine/secrets/errc.hpp"

namespace secrets {
namespace {

class Category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "secrets"; }
    [[nodiscard]] std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::key_missing:
                return "the key file is missing, but the store holds secrets sealed with it: bring the key file back "
                       "from the backup, or name it with --key-file";
            case errc::key_unreadable:
                return "the key file cannot be read: check its owner and permissions";
            case errc::key_exposed:
                return "the key file can be read by others: take their rights away (chmod 600)";
            case errc::key_wrong_size:
                return "the key file must hold exactly 32 bytes";
            case errc::key_foreign:
                return "the key file is not the one the store was sealed with: bring the right one back, or name it "
                       "with --key-file";
            case errc::key_uncreatable:
                return "the key file cannot be created: check that its folder is writable";
            case errc::malformed:
                return "not a sealed secret of a known format";
            case errc::foreign_key:
                return "the secret was sealed with another key";
            case errc::tampered:
                return "the sealed secret was altered or belongs elsewhere: import it again";
        }
        return "unknown error of secrets";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept {
    static const Category category;
    return category;
}

}  // namespace secrets

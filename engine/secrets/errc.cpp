#include "engine/secrets/errc.hpp"

namespace secrets {
namespace {

class Category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "secrets"; }
    [[nodiscard]] std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::key_missing:
                return "it is missing, but the store holds secrets sealed with it: bring it back from the backup, or "
                       "say "
                       "where it is (--key-file, the variable ROHRPOST_KEY, or the systemd credential rohrpost-key)";
            case errc::key_unreadable:
                return "it cannot be read: check its owner and permissions";
            case errc::key_exposed:
                return "it can be read by others: take their rights away (chmod 600)";
            case errc::key_wrong_size:
                return "it must be 32 bytes, or these in base64 or hexadecimal";
            case errc::key_foreign:
                return "it is not the key that the store was sealed with: bring the right one back, or say where it is "
                       "(--key-file, the variable ROHRPOST_KEY, or the systemd credential rohrpost-key)";
            case errc::key_uncreatable:
                return "it cannot be created: check that its folder is writable and no file of that name is there";
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

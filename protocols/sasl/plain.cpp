#include "protocols/sasl/plain.hpp"

#include "protocols/base/base64.hpp"
#include "protocols/sasl/field.hpp"

namespace sasl {

Result<Secret> plain(std::string_view user, const Secret& password) {
    if (!is_field(user)) return errc::bad_user;
    if (!is_field(password.reveal())) return errc::bad_secret;
    std::string fields(1, '\0');
    fields.append(user).append(1, '\0').append(password.reveal());
    const Secret clear(std::move(fields));
    return Secret(base64_encoded(clear.reveal()));
}

}  // namespace sasl

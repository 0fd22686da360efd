#pragma once

#include <vector>

#include "protocols/oauth2/form.hpp"
#include "protocols/oauth2/request.hpp"

namespace oauth2 {

/// Who asks, as fields of a form. They live as long as `client`.
void append_client(std::vector<Field>& fields, const Client& client);

}  // namespace oauth2

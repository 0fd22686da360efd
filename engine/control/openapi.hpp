#pragma once

#include <string_view>

namespace control {

/// What handle() answers, as an OpenAPI 3.1 document: engine/control/openapi.json.
[[nodiscard]] std::string_view openapi() noexcept;

}  // namespace control

#include "engine/control/version.hpp"

namespace control {

const std::string_view version = ROHRPOST_VERSION;

}  // namespace control

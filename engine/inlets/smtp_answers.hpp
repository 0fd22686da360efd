#pragma once

#include <string>

#include "protocols/base/result.hpp"
#include "protocols/smtp/server_command.hpp"

namespace inlets {

/// What an application is told when its mail is not taken: for good (5xx), or for now (4xx). RFC 3463.
smtp::Answer refusal_of(const error_code& reason, const std::string& what);

}  // namespace inlets

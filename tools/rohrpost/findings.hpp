#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "engine/doctor/explain.hpp"

namespace cli {

enum class Detail { what_is_wrong, all };

/// A report of GET /v1/checks/ID for people: a line for each mailbox, then what is wrong, the worst first.
std::string shown(const boost::json::object& report, Detail detail);
std::string shown(const doctor::Explanation& explanation);

/// The exit code of the worst fault; 0 when there is none.
int code_of(const boost::json::object& report);

}  // namespace cli

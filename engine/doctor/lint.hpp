#pragma once

#include <vector>

#include "engine/doctor/finding.hpp"
#include "engine/doctor/plan.hpp"

namespace doctor {

/// What is wrong with the configuration of the plan's mailboxes, and what the ledger and the daemon know of them,
/// without asking anybody. Pure.
std::vector<Finding> lint(const Plan& plan);

}  // namespace doctor

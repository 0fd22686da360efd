#pragma once
/// What an operator has switched off about sending. Durable; within jobs of the committer.

#include <map>
#include <string>
#include <string_view>

#include "protocols/base/result.hpp"
#include "queue/store/store.hpp"

namespace submission {

/// By id of the mailbox: why its mail waits, though the mailbox goes on being fetched.
using Suspensions = std::map<std::string, std::string>;
Result<Suspensions> suspensions(store::Store& store);
/// An empty reason lifts it. Errors: unknown_id when there is no such mailbox, or it has no `submit`.
Result<void> suspend(store::Store& store, std::string_view mailbox, std::string_view reason);

/// Why no mail is taken in from applications; empty: it is.
Result<std::string> intake_closed(store::Store& store);
/// An empty reason opens it again.
Result<void> close_intake(store::Store& store, std::string_view reason);

}  // namespace submission

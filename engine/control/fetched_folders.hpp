#pragma once

#include <string>
#include <vector>

#include "engine/config/model.hpp"
#include "queue/store/store.hpp"

namespace control {

/// The folders that are fetched of a mailbox, by name. Where patterns or uses choose them, those that a session has
/// found so far.
Result<std::vector<std::string>> fetched_folders(store::Store& store, store::MailboxNumber number,
                                                 const config::Mailbox& mailbox);

}  // namespace control

#pragma once

#include <string>
#include <string_view>

#include "engine/secrets/keyring.hpp"
#include "queue/inbox.hpp"
#include "queue/store/committer.hpp"

/// A secret as it was imported. Errors: unknown_id when there is none, those of the store and of unsealing.
awaitable<Result<Secret>> read_secret(store::Committer& committer, queue::Inbox& inbox, const secrets::Keyring& keyring,
                                      std::string owner, std::string_view name);

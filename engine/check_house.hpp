#pragma once

#include "engine/consulting.hpp"
#include "engine/machine.hpp"
#include "engine/roster.hpp"
#include "engine/tokens/https_endpoint.hpp"
#include "engine/tokens/token_service.hpp"

/// What a check needs where no daemon runs: a shard that the caller runs, a token service on the store that is open,
/// and the doctor. Begins with open(), ends after close(); all on the shard.
class CheckHouse {
public:
    CheckHouse(config::RunFlags flags, store::Committer& committer, const secrets::Keyring& keyring);

    [[nodiscard]] runtime::Shard& shard() noexcept { return shard_; }
    [[nodiscard]] doctor::Doctor& doctor() noexcept { return consulting_.doctor(); }
    /// Tells the token service whose tokens there are. Errors: the store's, malformed_document.
    awaitable<Result<void>> open();
    awaitable<void> close();

private:
    config::RunFlags flags_;
    store::Committer& committer_;
    Machine machine_;
    runtime::Shard shard_;
    tokens::HttpsEndpoint endpoint_;
    tokens::TokenService tokens_;
    TlsClients tls_;
    Consulting consulting_;
};

#pragma once

#include <cstddef>

namespace bench {

struct WaitersSpent {
    double cpu_ms = 0;  // from the provider's answer until the last one has its token, the store's thread included
    std::size_t requests = 0;  // to the token endpoint
};
/// So many sessions of one shard wait for one refresh.
WaitersSpent resume_waiters(std::size_t waiters);

}  // namespace bench

#include "protocols/base/ensure.hpp"

#include <cstdio>
#include <cstdlib>

void ensure_failed(const char* promise, std::source_location where) noexcept {
    std::fprintf(stderr, "rohrpost: broken promise: %s (%s:%u)\n", promise, where.file_name(), where.line());
    std::abort();
}

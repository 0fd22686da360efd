#pragma once

#include <openssl/bio.h>

namespace net {

/// A BIO between an SSL and the Wire that is its data (BIO_set_data) for the time of one call: reading takes from
/// wire.in ("retry" when that is used up), writing appends to wire.out ("retry" when that is full). Null: no memory.
BIO* new_wire_bio() noexcept;

}  // namespace net

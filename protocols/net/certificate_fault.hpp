#pragma once

#include "protocols/net/errc.hpp"

namespace net {

/// What an X509_V_ERR_… of OpenSSL's verification means to an operator: certificate_….
errc certificate_fault(long verdict) noexcept;

}  // namespace net

#pragma once
/// Results: a value, or why there is none. Refusals of a peer are values, not errors (they carry the peer's text).

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

using boost::system::error_code;

template <class T>
using Result = boost::system::result<T>;

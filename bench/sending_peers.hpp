#pragma once

#include <boost/json/object.hpp>
#include <cstddef>

#include "bench/sink.hpp"
#include "tools/rohrpost-sim/provider.hpp"

namespace bench {

/// What others take to hand mails of that size over to the sink: Python's smtplib, curl, msmtp, swaks, and Postfix
/// (tools/setup/servers unpacks it; root). Who is not installed is named under "skipped".
boost::json::object send_as_others(const sim::Provider& provider, const Sink& sink, std::size_t bytes);

}  // namespace bench

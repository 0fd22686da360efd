#pragma once

#include <string>

#include "engine/consumers/consumer.hpp"

namespace consumers {

/// What the end of a program says about the mail that it was given.
struct CommandVerdict {
    bool delivered = false;
    Delivered::Fault fault = Delivered::Fault::mail;  // when not
    std::string says{};                               // "exit code 65 (EX_DATAERR)"
};

/// `status` as waitpid() gives it. 0 takes the mail; EX_DATAERR, EX_NOUSER and EX_NOHOST refuse it for good; a program
/// that is not there, not allowed or not configured (126, 127, EX_USAGE, EX_UNAVAILABLE, EX_OSFILE, EX_NOPERM,
/// EX_CONFIG) takes nothing now; any other end may be due to the mail. sysexits.h
CommandVerdict verdict_of(int status);

}  // namespace consumers

#pragma once

#include <string>

/// What we call ourselves in EHLO, in greetings and in reports: the host's name when it is a domain.
std::string own_name();

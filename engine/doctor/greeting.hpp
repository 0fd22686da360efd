#pragma once
/// Who answers at a mail host, before anybody logs in.

#include "engine/doctor/way.hpp"

namespace doctor {

struct GreetingFacts {
    Place place;
    error_code fault;  // of connecting, greeting or asking for capabilities
    std::string text;  // of the greeting, or of a BYE
    std::vector<std::string> capabilities;
};

struct GreetingExpected {
    Maker maker = Maker::other;
    bool tokens = false, passwords = false;  // what its mailboxes log in with
};

Judged judge(const GreetingFacts& facts, const GreetingExpected& expected);

/// Whose server greets like this.
Maker maker_of_greeting(std::string_view text) noexcept;

}  // namespace doctor

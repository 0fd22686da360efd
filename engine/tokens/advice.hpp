#pragma once
/// What people are told about a refusal of an identity provider. Decisions don't depend on it: they are in
/// refresh_plan.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/oauth2/response.hpp"

namespace tokens {

struct Advice {
    enum class Owner {
        user,       // whoever signs in with the account
        operators,  // whoever runs Rohrpost, or administers the directory
        nobody,     // it passes
    };
    std::string_view id;      // stable: "entra-secret-expired"
    std::string_view cause;   // a sentence
    std::string_view remedy;  // what to do, to the person it is for
    Owner owner = Owner::operators;
};

/// The advice on a refusal: by its AADSTS number (in error_codes, or in the text), else by what Google writes, else by
/// suberror, error and status. A text alone will do. There is always one.
Advice advice_on(const oauth2::Refusal& refusal);

/// The advice with that id; nullopt: there is none.
std::optional<Advice> advice_named(std::string_view id) noexcept;

/// The numbers behind "AADSTS" in a text, a few of them.
std::vector<std::int64_t> numbers_in(std::string_view text);

/// No answer came at all: name resolution, connection, TLS, time.
Advice advice_on_no_answer();

/// Cause and remedy as sentences.
std::string sentences_of(const Advice& advice);

/// "user", "operator", "nobody".
std::string_view word_of(Advice::Owner owner) noexcept;

}  // namespace tokens

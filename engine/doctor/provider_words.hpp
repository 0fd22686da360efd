#pragma once

#include <optional>

#include "engine/doctor/knowledge.hpp"
#include "engine/tokens/advice.hpp"

namespace doctor {

/// A refusal of an identity provider, from any text in which one is told: its JSON, an HTTP status, or its words alone.
oauth2::Refusal refusal_in(std::string_view text);

/// What is known of that; nullopt: nothing.
std::optional<tokens::Advice> advice_in(std::string_view text);

/// A finding from what an identity provider says, with the words of engine/tokens/advice.
Finding found(const tokens::Advice& advice, Subject subject, std::string did, std::string got, const Names& names);

}  // namespace doctor

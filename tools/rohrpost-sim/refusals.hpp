#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sim {

/// A refusal of a token endpoint as the provider words it. `code` is the AADSTS number; 0: none (Google's).
struct Refusal {
    std::string_view name;  // what a fault calls it: the AADSTS number, or a word
    unsigned status = 400;
    std::string_view error;
    int code = 0;
    std::string_view suberror{};
    std::string_view words{};
    std::uint32_t retry_after = 0;  // seconds; 0: no such header
    bool plain_text = false;        // the words alone, no JSON
};

/// Microsoft Entra's, Google's.
const std::vector<Refusal>& entra_refusals();
const std::vector<Refusal>& google_refusals();
/// By name in both lists; nullptr: unknown.
const Refusal* refusal_named(std::string_view name);
/// Entra's by AADSTS number; ends the process when there is none (our own code asks for what is in the list).
const Refusal& entra_refusal(int code);

}  // namespace sim

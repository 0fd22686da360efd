#pragma once
/// Parts of what token and device endpoints answer. For the files of this folder.

#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/jose/json.hpp"
#include "protocols/oauth2/response.hpp"

namespace oauth2 {

/// The JSON object that a body is; nullopt: none, nested deeper than 16, or longer than answer_bytes_max.
std::optional<boost::json::object> object_in(std::string_view body);

using jose::text_at;
/// The same, cut at 4 KiB.
std::string words_at(const boost::json::object& object, std::string_view key);
/// A number, or a number in a string, within ±366 days; nullopt: absent, or no number.
std::optional<std::chrono::seconds> seconds_at(const boost::json::object& object, std::string_view key);

/// What an answer that is no success says; `object` is what object_in read from `body`.
Refusal refusal_in(int http_status, std::string_view body, const std::optional<boost::json::object>& object,
                   std::optional<std::chrono::seconds> retry_after);

}  // namespace oauth2
